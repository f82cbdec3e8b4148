import type { JobManager } from "@ojm/core";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { tell } from "../../output/tell.js";
import { withScheduler } from "../../store/open.js";
import { done } from "./done.js";
import { author, reasonOf } from "./reason.js";

/** Runs a schedule now, in the process that has it. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a schedule");
  const reason = await reasonOf(given, `run ${name} now`);
  return withScheduler(given, async (scheduler, manager) => {
    await scheduler.words(name);
    if (!(await hasRunner(manager, name)))
      tell(`ojm: no process that runs "${name}" is there: start the one that adds it. ojm waits 30 s for it`);
    const run = await scheduler.runNow(name, { reason, author: author() });
    return done(given, `${run} was started. Its log: ojm logs '${run}' -f`, { run });
  });
}

/** Whether a living process can run a schedule. */
async function hasRunner(manager: JobManager, name: string): Promise<boolean> {
  const { schedulersIn } = await import("@ojm/schedule");
  for await (const { schedules } of schedulersIn(manager)) if (schedules.has(name)) return true;
  return false;
}
