import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { withScheduler } from "../../store/open.js";
import { done } from "./done.js";
import { author, reasonOf } from "./reason.js";

/** Runs a schedule now, in the process that has it. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a schedule");
  const reason = await reasonOf(given, `run ${name} now`);
  return withScheduler(given, async (scheduler) => {
    const run = await scheduler.runNow(name, { reason, author: author() });
    return done(given, `${run} was started. Its log: ojm logs '${run}' -f`, { run });
  });
}
