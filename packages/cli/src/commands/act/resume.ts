import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { done } from "../../output/print.js";
import { withScheduler } from "../../store/open.js";
import { whyOf } from "./reason.js";

/** Ends the pause of a schedule. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a schedule");
  return withScheduler(given, async (scheduler) => {
    const wasPaused = await scheduler.resume(name, whyOf(given));
    const [next] = await scheduler.next(name);
    const then = next === undefined ? "" : `. Its next tick is at ${new Date(next.at).toISOString()}`;
    const text = wasPaused
      ? `the schedule "${name}" is resumed${then}`
      : `the schedule "${name}" was not paused${then}`;
    return done(given, text, { name, wasPaused, ...(next && { next }) });
  });
}
