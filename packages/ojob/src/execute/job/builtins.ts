import { isRunError, type Run, type RunOptions } from "@ojm/core";
import { firstOf } from "@ojm/core/internal";
import type { Args, Taking } from "../../load/job-file.js";
import { JOB_START } from "../../plan/manager/manager-args.js";
import { timeoutOf, wrongRunArgs } from "../../plan/manager/starts.js";
import { fromFailure, toFailure } from "../../script/failure.js";
import type { Execution } from "../engine.js";
import { queueJobs } from "../queues/queue-jobs.js";
import { JobError, SkippedJob } from "../runtime/job-error.js";
import { takingOptions } from "../runtime/locks.js";
import type { OpenRuns, RunTick } from "../runtime/open-runs.js";
import { TickClaim } from "../tick-claim.js";

interface BuiltinContext {
  readonly args: Args;
  readonly execution: Execution;
  /** The runs of the execution, or of the one whose script calls the built-in job. */
  readonly runs: OpenRuns;
  readonly tick: RunTick | undefined;
  /** What the run takes that it starts. */
  readonly taking: Taking;
  readonly error: JobError | undefined;
  /** The runs that a step of `catch` leaves open because the job continues. */
  readonly stayOpen: ReadonlySet<Run>;
}

async function start({ args, execution, runs, tick, taking }: BuiltinContext): Promise<void> {
  const { engine, trigger, signal } = execution;
  const { runtime, log } = engine;
  const wrong = wrongRunArgs(args);
  if (wrong !== undefined) throw new JobError(wrong.message);
  const name = String(args["name"]);
  const shown = `${JOB_START}: the name of the lock contains a secret, and every user of the store can read names.`;
  if (log.mask(name) !== name) throw new JobError(shown);
  if (runs.has(name)) throw new JobError(`${JOB_START}: this job has started "${name}" already and not ended it.`);
  if (await startFor(tick, async () => runs.adopt(name))) return;
  const manager = await runtime.managers.get();
  const timeout = timeoutOf(args);
  // It ends only the wait for the lock, permits and rate. An open run has its own signal, to clean up.
  const waiting = firstOf(signal);
  try {
    const claim = tick?.isClaimed === true ? new TickClaim(manager, runtime.clock, name, tick) : undefined;
    await claim?.look();
    const limits = { ...(typeof timeout === "number" && { timeout }), ...takingOptions(taking) };
    const options: RunOptions = { trigger, signal: waiting.signal, ...limits, ...(claim && { claim }) };
    runs.add(await startFor(tick, () => manager.start(name, options)));
  } finally {
    waiting.forget();
  }
}

/** Starts a run. If another process runs the job for the same tick, that is not a failure. */
async function startFor<T>(tick: RunTick | undefined, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const elsewhere = isRunError(error) && error.code === "LOCKED";
    throw tick !== undefined && elsewhere ? new SkippedJob(error.message) : error;
  }
}

async function end({ args, runs }: BuiltinContext): Promise<void> {
  if (args["name"] === undefined) throw new JobError('oJobManager Job End needs "name" among the args.');
  await runs.end(String(args["name"]));
}

async function fail({ args, runs, error, stayOpen }: BuiltinContext): Promise<void> {
  const given = args["e"] === undefined ? undefined : fromFailure(toFailure(args["e"]));
  const reason = error ?? given ?? new Error("the job failed");
  // A script that calls this job ends the run of that name. In a `catch`, all runs of the job have failed.
  if (error === undefined && args["name"] !== undefined) await runs.fail(String(args["name"]), reason);
  else await runs.closeAll(reason, stayOpen);
}

/** The jobs that come with ojm. Each is one call to the job manager. */
const builtins: Readonly<Record<string, (context: BuiltinContext) => Promise<unknown>>> = {
  "oJobManager Init": ({ args, execution }) => execution.engine.runtime.managers.init(args),
  [JOB_START]: start,
  "oJobManager Job End": end,
  "oJobManager Error": fail,
};

/** Resolves with the arguments for the next step: after a start they have the `timeout` of the run. */
export async function runBuiltin(name: string, context: BuiltinContext): Promise<Args> {
  const { args, execution } = context;
  if (name.startsWith("oJob Director ")) {
    const { runs, tick } = context;
    const { engine, trigger, signal, output } = execution;
    const warn = (text: string): void => void output.line("WARN", text);
    return engine.runtime.director.run(name, { args, runs, tick, trigger, signal, warn });
  }
  const ofQueue = queueJobs[name];
  if (ofQueue !== undefined) return { ...args, ...(await named(name, ofQueue(execution, args))) };
  const builtin = builtins[name];
  if (builtin === undefined) throw new JobError(`"${name}" is not built in`);
  await builtin(context);
  return name === JOB_START ? { ...args, timeout: timeoutOf(args) ?? DEFAULT_TIMEOUT } : args;
}

const DEFAULT_TIMEOUT = 3_600_000;

/** Names the job in its errors: a script, or a step of another job, has called it. */
async function named<T>(job: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof JobError && error.at !== undefined) throw error;
    throw new JobError(`${job}: ${message}`, { cause: error });
  }
}
