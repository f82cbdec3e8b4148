import { ojmCommand, present } from "@ojm/core/internal";
import type { Pause } from "@ojm/schedule";
import type { Given } from "../../command-line/spec.js";
import { futureOption } from "../../command-line/units.js";
import { refuseUnknownSchedule, scheduleNames, schedulePauses, unknownSchedule } from "../../store/known-names.js";
import { changeEach, type Done, namesOf, sameNames } from "../../store/names.js";
import { withScheduler } from "../../store/open.js";
import { author, reasonOf } from "./reason.js";

/** Pauses schedules. */
export async function execute(given: Given): Promise<number> {
  // A pause that is already over would replace the current one.
  const until = futureOption(given, "until");
  const effect = "its ticks are skipped";
  return withScheduler(given, async (scheduler, manager) => {
    const names = await namesOf(given, "the name of a schedule", () => scheduleNames(manager));
    if (given.flags.has("dry-run")) {
      const pauses = await schedulePauses(manager);
      return changeEach(given, names, async (name) => {
        if (!pauses.has(name)) throw await unknownSchedule(name);
        const replaced = pauses.get(name);
        const text = `would pause the schedule "${name}"${sayUntil(until)}: ${effect}.${sayReplaced(replaced)}`;
        return { text, item: { name, dryRun: true, ...present({ until, replaced }) } };
      });
    }
    const check = names.isOne ? () => refuseUnknownSchedule(manager, names.text) : undefined;
    const reason = await reasonOf(given, `pause ${names.text}`, check);
    const by = author();
    const pause = async (name: string): Promise<Done> => {
      const replaced = await scheduler.pause(name, { reason, author: by, ...present({ until }) });
      const what = `the schedule "${name}" is paused`;
      const resume = names.isOne ? ojmCommand("resume", name) : undefined;
      const text = sayPaused(what, effect, resume, { until, replaced });
      return { text, item: { name, paused: true, reason, by, ...present({ until, replaced }) } };
    };
    return changeEach(given, names, pause, `To end these pauses: ${sameNames("resume", given)}`);
  });
}

/** What a pause does, and the command that ends it, unless it is printed once for several. */
export function sayPaused(
  what: string,
  effect: string,
  resume: string | undefined,
  { until, replaced }: { readonly until?: number | undefined; readonly replaced?: Replaced | undefined },
): string {
  const end = resume === undefined ? "" : ` To end that: ${resume}.`;
  return `${what}${sayUntil(until)}: ${effect}.${end}${sayReplaced(replaced)}`;
}

type Replaced = Pick<Pause, "by" | "reason" | "until">;

/** Another user may count on the pause that is replaced. */
function sayReplaced(replaced: Replaced | undefined): string {
  if (replaced === undefined) return "";
  const { by, reason, until } = replaced;
  return ` It was paused by ${by}${sayUntil(until)} (${reason}): that pause is replaced`;
}

function sayUntil(until: number | undefined): string {
  return until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
}
