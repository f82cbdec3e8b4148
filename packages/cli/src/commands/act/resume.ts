import type { Given } from "../../command-line/spec.js";
import { scheduleNames, schedulePauses } from "../../store/known-names.js";
import { changeEach, namesOf } from "../../store/names.js";
import { withScheduler } from "../../store/open.js";
import { whyOf } from "./reason.js";

/** Ends the pauses of schedules. */
export async function execute(given: Given): Promise<number> {
  const isDry = given.flags.has("dry-run");
  return withScheduler(given, async (scheduler, manager) => {
    const names = await namesOf(given, "the name of a schedule", () => scheduleNames(manager));
    const pauses = isDry ? await schedulePauses(manager) : undefined;
    return changeEach(given, names, async (name) => {
      const wasPaused = pauses ? pauses.get(name) !== undefined : await scheduler.resume(name, whyOf(given));
      const [next] = await scheduler.next(name);
      const then = next === undefined ? "" : `. Its next tick is at ${new Date(next.at).toISOString()}`;
      const item = { name, ...(isDry && { dryRun: true }), wasPaused, ...(next && { next }) };
      if (!wasPaused) return { text: `the schedule "${name}" ${isDry ? "is" : "was"} not paused${then}`, item };
      const done = isDry ? `would resume the schedule "${name}"` : `the schedule "${name}" is resumed`;
      return { text: `${done}${then}`, item };
    });
  });
}
