import { ojmCommand, present } from "@ojm/core/internal";
import type { Pause } from "@ojm/schedule";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { futureOption } from "../../command-line/units.js";
import { done } from "../../output/print.js";
import { refuseUnknownSchedule } from "../../store/known-names.js";
import { withScheduler } from "../../store/open.js";
import { author, reasonOf } from "./reason.js";

/** Pauses a schedule. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a schedule");
  // A pause that is already over would replace the current one.
  const until = futureOption(given, "until");
  return withScheduler(given, async (scheduler, manager) => {
    const reason = await reasonOf(given, `pause ${name}`, () => refuseUnknownSchedule(manager, name));
    const by = author();
    const replaced = await scheduler.pause(name, { reason, author: by, ...present({ until }) });
    const what = `the schedule "${name}" is paused`;
    const text = sayPaused(what, "its ticks are skipped", ojmCommand("resume", name), { until, replaced });
    return done(given, text, { name, paused: true, reason, by, ...present({ until, replaced }) });
  });
}

/** What a pause does, and the command that ends it. Another user may count on the pause that is replaced. */
export function sayPaused(
  what: string,
  effect: string,
  resume: string,
  { until, replaced }: { readonly until?: number | undefined; readonly replaced?: Replaced | undefined },
): string {
  const text = `${what}${sayUntil(until)}: ${effect}. To end that: ${resume}.`;
  if (replaced === undefined) return text;
  const { by, reason } = replaced;
  return `${text} It was paused by ${by}${sayUntil(replaced.until)} (${reason}): that pause is replaced`;
}

type Replaced = Pick<Pause, "by" | "reason" | "until">;

function sayUntil(until: number | undefined): string {
  return until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
}
