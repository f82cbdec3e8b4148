import type { Args } from "../load/jobfile.js";
import { JOB_START, wrongRunArgs } from "../plan/managed.js";
import { fromFailure, toFailure } from "../script/failure.js";
import { JobError } from "./error.js";
import type { Managers } from "./managers.js";
import type { OpenRuns } from "./runs.js";

/** What a built-in job works on. */
export interface BuiltinContext {
  readonly args: Args;
  readonly managers: Managers;
  readonly runs: OpenRuns;
  /** What asked for the job. */
  readonly trigger: string;
  /** Fires when the job is asked to stop: a wait for a lock ends. */
  readonly signal: AbortSignal;
  /** What failed, when called by a `catch`. */
  readonly error: JobError | undefined;
}

async function start({ args, managers, runs, trigger, signal }: BuiltinContext): Promise<void> {
  const wrong = wrongRunArgs(args);
  if (wrong !== undefined) throw new JobError(wrong.message);
  const name = String(args["name"]);
  if (runs.has(name)) throw new JobError(`${JOB_START}: this job has started "${name}" already and not ended it.`);
  const manager = await managers.get();
  const timeout = args["timeout"] as number | undefined | null;
  // For the wait alone: a run that is going on is told by us, has time to clean up, and is closed after that.
  const waiting = new AbortController();
  const giveUp = (): void => waiting.abort(signal.reason);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    const options = { trigger, signal: waiting.signal, ...(typeof timeout === "number" && { timeout }) };
    runs.add(await manager.start(name, options));
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

async function end({ args, runs }: BuiltinContext): Promise<void> {
  if (args["name"] === undefined) throw new JobError('oJobManager Job End needs "name" among the args.');
  await runs.end(String(args["name"]));
}

async function fail({ args, runs, error }: BuiltinContext): Promise<void> {
  const given = args["e"] === undefined ? undefined : fromFailure(toFailure(args["e"]));
  const reason = error ?? given ?? new Error("the job failed");
  // By name where there is one: called by hand, it is the caller's run that failed. In a `catch` it is all of the job.
  if (error === undefined && args["name"] !== undefined) await runs.fail(String(args["name"]), reason);
  else await runs.closeAll(reason);
}

/** The jobs that come with ojm: the job manager does the work. */
export const builtins: Readonly<Record<string, (context: BuiltinContext) => Promise<unknown>>> = {
  "oJobManager Init": ({ args, managers }) => managers.init(args),
  [JOB_START]: start,
  "oJobManager Job End": end,
  "oJobManager Error": fail,
};
