import { ojmCommand } from "@ojm/core/internal";
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
    const replaced = await scheduler.pause(name, { reason, author: by, ...(until !== undefined && { until }) });
    const end = until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
    const before = replaced === undefined ? "" : ` ${sayReplaced(replaced)}`;
    const text = `the schedule "${name}" is paused${end}: its ticks are skipped. To end that: ${ojmCommand("resume", name)}.${before}`;
    const more = { ...(until !== undefined && { until }), ...(replaced && { replaced }) };
    return done(given, text, { name, paused: true, reason, by, ...more });
  });
}

/** Another user may count on the pause that is replaced. */
function sayReplaced({ by, reason, until }: Pause): string {
  return `It was paused by ${by}${until === undefined ? "" : ` until ${new Date(until).toISOString()}`} (${reason}): that pause is replaced`;
}
