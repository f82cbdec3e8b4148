import { argsProblem, ojmCommand } from "@ojm/core/internal";
import type { RunNowOptions } from "@ojm/schedule";
import type { Given } from "../../command-line/spec.js";
import { CommandError, EXIT } from "../../errors.js";
import { refuseUnknownSchedule, scheduleNames } from "../../store/known-names.js";
import { changeEach, type Done, namesOf } from "../../store/names.js";
import { withScheduler } from "../../store/open.js";
import { author, reasonOf } from "./reason.js";
import { countRunners, runnersOf } from "./schedules.js";

/** How long to wait for an answer if no process seems to run the schedule, in ms. */
const SILENCE = 2_000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs schedules now, each in a process that has it. */
export async function execute(given: Given): Promise<number> {
  const [, ...words] = given.operands;
  const args = words.length === 0 ? undefined : await paramsOf(words);
  return withScheduler(given, async (scheduler, manager) => {
    const own = { ...given, operands: given.operands.slice(0, 1) };
    const names = await namesOf(own, "the name of a schedule", () => scheduleNames(manager));
    const runners = await runnersOf(manager);
    if (given.flags.has("dry-run"))
      return changeEach(given, names, async (name) => {
        await refuseUnknownSchedule(manager, name);
        const processes = runners.get(name) ?? 0;
        const where = processes === 0 ? ", but no living process has this schedule" : "";
        const text = `would start a run of "${name}"${where}`;
        return { text, item: { name, dryRun: true, processes } };
      });
    const check = names.isOne ? () => refuseUnknownSchedule(manager, names.text) : undefined;
    const reason = await reasonOf(given, `run ${names.text} now`, check);
    const stop = new AbortController();
    let signalled: number = EXIT.failed;
    // Withdraws the requests: left in the store, they would run the jobs unexpectedly later.
    const onSignal = (signal: string, number: number): void => {
      signalled = EXIT.signal + number;
      stop.abort(new Error(`ojm got ${signal}`));
    };
    const start = async (name: string): Promise<Done> => {
      const isAlone = !runners.has(name);
      const options = { reason, author: author(), signal: stop.signal, ...(isAlone && { within: SILENCE }) };
      const run = await scheduler.runNow(name, { ...options, ...(args && { args }) }).catch(async (error: unknown) => {
        if (error === stop.signal.reason)
          throw new CommandError(`"${name}" was not started: the request is withdrawn`, signalled);
        const { code } = error as { readonly code?: unknown };
        // A process that was just started answers before it is listed as a scheduler.
        if (code !== "REFUSED" || !isAlone || (await countRunners(manager, name)) > 0) throw error;
        const text = `"${name}" was not started: no living process has this schedule. Start the program that adds it. More: ojm doctor`;
        throw new CommandError(text, EXIT.failed);
      });
      return { text: `${run} was started. Its log: ${ojmCommand("logs", run, "-f")}`, item: { run } };
    };
    // Once: a second signal ends ojm at once.
    for (const signal of SIGNALS) process.once(signal, onSignal);
    try {
      return await changeEach(given, names, start);
    } finally {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    }
  });
}

/** The parameters of the runs, parsed like the arguments of a job file. */
async function paramsOf(words: readonly string[]): Promise<NonNullable<RunNowOptions["args"]>> {
  // Imported here: without parameters, the engine of job files is not needed.
  const { argsOf } = await import("../../store/job-file.js");
  const params = argsOf(words) as NonNullable<RunNowOptions["args"]>;
  const problem = argsProblem(params);
  if (problem !== undefined) throw new CommandError(problem);
  return params;
}
