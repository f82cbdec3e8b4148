import { argsProblem, ojmCommand } from "@ojm/core/internal";
import type { RunNowOptions } from "@ojm/schedule";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { CommandError, EXIT } from "../../errors.js";
import { done } from "../../output/print.js";
import { refuseUnknownSchedule } from "../../store/known-names.js";
import { withScheduler } from "../../store/open.js";
import { author, reasonOf } from "./reason.js";
import { countRunners } from "./schedules.js";

/** How long to wait for an answer if no process seems to run the schedule, in ms. */
const SILENCE = 2_000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs a schedule now, in a process that has it. */
export async function execute(given: Given): Promise<number> {
  const [, ...words] = given.operands;
  const name = operandOf({ ...given, operands: given.operands.slice(0, 1) }, "the name of a schedule");
  const args = words.length === 0 ? undefined : await paramsOf(words);
  return withScheduler(given, async (scheduler, manager) => {
    const reason = await reasonOf(given, `run ${name} now`, () => refuseUnknownSchedule(manager, name));
    const isAlone = (await countRunners(manager, name)) === 0;
    const stop = new AbortController();
    let signalled: number = EXIT.failed;
    // Withdraws the request: left in the store, it would run the job unexpectedly later.
    const onSignal = (signal: string, number: number): void => {
      signalled = EXIT.signal + number;
      stop.abort(new Error(`ojm got ${signal}`));
    };
    // Once: a second signal ends ojm at once.
    for (const signal of SIGNALS) process.once(signal, onSignal);
    const options = { reason, author: author(), signal: stop.signal, ...(isAlone && { within: SILENCE }) };
    const run = await scheduler
      .runNow(name, { ...options, ...(args && { args }) })
      .catch(async (error: unknown) => {
        if (error === stop.signal.reason)
          throw new CommandError(`"${name}" was not started: the request is withdrawn`, signalled);
        const { code } = error as { readonly code?: unknown };
        // A process that was just started answers before it is listed as a scheduler.
        if (code !== "REFUSED" || !isAlone || (await countRunners(manager, name)) > 0) throw error;
        const text = `"${name}" was not started: no living process has this schedule. Start the program that adds it. More: ojm doctor`;
        throw new CommandError(text, EXIT.failed);
      })
      .finally(() => {
        for (const signal of SIGNALS) process.off(signal, onSignal);
      });
    return done(given, `${run} was started. Its log: ${ojmCommand("logs", run, "-f")}`, { run });
  });
}

/** The parameters of the run, parsed like the arguments of a job file. */
async function paramsOf(words: readonly string[]): Promise<NonNullable<RunNowOptions["args"]>> {
  // Imported here: without parameters, the engine of job files is not needed.
  const { argsOf } = await import("../../store/job-file.js");
  const params = argsOf(words) as NonNullable<RunNowOptions["args"]>;
  const problem = argsProblem(params);
  if (problem !== undefined) throw new CommandError(problem);
  return params;
}
