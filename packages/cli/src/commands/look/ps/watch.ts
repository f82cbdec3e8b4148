import { constants } from "node:os";
import type { Given } from "../../../command-line/spec.js";
import { CommandError, EXIT } from "../../../errors.js";
import { painter } from "../../../output/color.js";
import { withStore } from "../../../store/open.js";
import { LiveRuns } from "./live-runs.js";
import { frame } from "./screen.js";

/** The screen of its own, without a cursor, and back. */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** The least time between two changes of the screen, and the time after which it is drawn anew, in ms. */
const MOMENT = 100;
const SECOND = 1_000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Shows what runs, and every change, until Ctrl-C. */
export async function watch(given: Given): Promise<number> {
  if (!process.stdout.isTTY)
    throw new CommandError("ojm ps -w draws on a terminal, and its output is none: leave -w out");
  if (given.flags.has("json") || given.flags.has("jsonl"))
    throw new CommandError("ojm ps -w draws on a terminal: --json and --jsonl go without -w");
  return withStore(given, async (manager) => {
    const closing = new AbortController();
    let signalled: NodeJS.Signals | undefined;
    const stop = (signal: NodeJS.Signals): void => {
      signalled = signal;
      closing.abort();
    };
    const screen = new Screen((now, size) => frame(live.rows(now), now, size, painter(given)));
    const live = new LiveRuns(manager, () => screen.changed());
    for (const signal of SIGNALS) process.on(signal, stop);
    screen.enter();
    try {
      await live.follow(closing.signal);
    } finally {
      screen.leave();
      for (const signal of SIGNALS) process.off(signal, stop);
    }
    // Ctrl-C is how one leaves it.
    return signalled === undefined || signalled === "SIGINT" ? EXIT.ok : EXIT.signal + constants.signals[signalled];
  });
}

/** The terminal while something is drawn on it. */
class Screen {
  readonly #frame: (now: number, size: { columns: number; rows: number }) => readonly string[];
  #second: NodeJS.Timeout | undefined;
  #moment: NodeJS.Timeout | undefined;

  constructor(frame: (now: number, size: { columns: number; rows: number }) => readonly string[]) {
    this.#frame = frame;
  }

  enter(): void {
    process.stdout.write(ENTER);
    // Whatever ends the process, the terminal is as it was.
    process.on("exit", this.#restore);
    process.stdout.on("resize", this.#draw);
    this.#second = setInterval(this.#draw, SECOND);
    this.#draw();
  }

  /** Draws anew in a moment: many changes come at once. */
  changed(): void {
    this.#moment ??= setTimeout(this.#draw, MOMENT);
  }

  leave(): void {
    clearInterval(this.#second);
    clearTimeout(this.#moment);
    process.stdout.off("resize", this.#draw);
    process.off("exit", this.#restore);
    this.#restore();
  }

  readonly #restore = (): void => void process.stdout.write(LEAVE);

  readonly #draw = (): void => {
    clearTimeout(this.#moment);
    this.#moment = undefined;
    // Some terminals do not tell their size: it is 0 then.
    const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
    const lines = this.#frame(Date.now(), size);
    // Not cleared first: the terminal would flicker.
    process.stdout.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join("\r\n")}${CLEAR_BELOW}`);
  };
}
