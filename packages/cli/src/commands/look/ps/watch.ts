import { constants } from "node:os";
import type { Given } from "../../../command-line/spec.js";
import { CommandError, EXIT } from "../../../errors.js";
import { painter } from "../../../output/color.js";
import { wantsJson } from "../../../output/print.js";
import { Screen } from "../../../output/terminal/screen.js";
import { sayTime } from "../../../output/times.js";
import { prepareWidths } from "../../../output/width/width.js";
import { refuseUnknown } from "../../../store/known-names.js";
import { withStore } from "../../../store/open.js";
import { healthOf } from "./health.js";
import { LiveRows } from "./live-rows.js";
import { frame } from "./screen.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Shows the runs in progress, and every change, until Ctrl-C. */
export async function watch(given: Given): Promise<number> {
  expectTerminal("ojm ps -w", "leave -w out");
  if (wantsJson(given)) throw new CommandError("ojm ps -w draws on a terminal: leave -w out to use --json or --jsonl");
  const paint = painter(given);
  const [name] = given.operands;
  return withStore(given, async (manager) => {
    if (name !== undefined) await refuseUnknown(manager, name);
    const closing = new AbortController();
    const only = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] =>
      name === undefined ? all : all.filter((one) => one.name === name);
    const screen = new Screen((now, size) =>
      frame(only(live.rows(now)), now, size, paint, {
        ...{ away: health.away(now), isComplete: live.isComplete },
        ...{ coming: only(live.coming()), say: sayTime(given) },
      }),
    );
    const health = healthOf(manager, () => screen.changed());
    const changed = (): void => {
      health.heard();
      screen.changed();
    };
    const live = new LiveRows(manager, { changed });
    health.begin();
    return onScreen(screen, closing, () => live.follow(closing.signal)).finally(() => {
      closing.abort();
      health.end();
    });
  });
}

/** Refuses to draw without a terminal. `instead`: what to do instead. */
export function expectTerminal(what: string, instead: string): void {
  if (!process.stdout.isTTY)
    throw new CommandError(`${what} draws on a terminal, and its output is not one: ${instead}`);
}

/** Draws until `follow` ends. A signal makes `closing` fire, which ends it. Resolves to the exit code. */
export async function onScreen(
  screen: Pick<Screen, "enter" | "leave">,
  closing: AbortController,
  follow: () => Promise<void>,
): Promise<number> {
  let signalled: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    signalled ??= signal;
    closing.abort();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  // Frames are drawn synchronously, and may need the widths of any text in the store.
  await prepareWidths();
  screen.enter();
  try {
    await follow();
  } finally {
    screen.leave();
    for (const signal of SIGNALS) process.off(signal, stop);
  }
  // Ctrl-C is the normal way to leave.
  return signalled === undefined || signalled === "SIGINT" ? EXIT.ok : EXIT.signal + constants.signals[signalled];
}
