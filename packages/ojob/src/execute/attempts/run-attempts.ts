import type { RetryPolicy } from "@ojm/core";
import { checkRetry, delayAfter } from "@ojm/core/internal";
import type { Args } from "../../load/job-file.js";
import type { Log } from "../../output/log.js";
import type { Plan } from "../../plan/planned.js";
import { knownStart } from "../../plan/schedules/known-start.js";
import type { Dispatch } from "../dispatch/dispatch.js";
import type { OneRun, Request } from "../dispatch/requests.js";
import type { Runtime } from "../runtime/runtime.js";
import type { HandedRun, RefusedRun } from "./handed-run.js";
import { isTriedAgain, tellAttempt } from "./next-attempt.js";
import { Pause } from "./pause.js";
import { StoredAttempts } from "./stored-attempts.js";

/** What trying again needs of the engine. */
export interface AttemptsHost {
  readonly log: Log;
  readonly runtime: Runtime;
  readonly dispatch: Dispatch;
  readonly plan: Plan;
  readonly commandLine: Args;
  /** Why no job may start; `undefined` while jobs may. */
  readonly refusal: string | undefined;
  /** Whether the grace period of a stop is over. */
  readonly killed: boolean;
}

/** Runs the job once. `handed`: the runs that were started for it. */
export type Execute = (handed: readonly (HandedRun | RefusedRun)[]) => Promise<Args>;

/**
 * Runs a job as often as its `retry` allows. If the name of its run is known, the store keeps the wait
 * between two attempts, so that it outlives this process.
 */
export async function runAttempts(host: AttemptsHost, request: Request, one: OneRun, execute: Execute): Promise<Args> {
  const { job, handed, trigger } = request;
  const { retry } = job.typeArgs;
  // A run of a schedule in the store has the retry of its schedule.
  if (retry === undefined || handed?.isAdopted === true) return execute([]);
  const policy = checkRetry(job.name, retry);
  const pause = new Pause(host.dispatch, host.runtime.clock, request.number);
  try {
    const start = knownStart(job, one, { jobs: host.plan.jobs, commandLine: host.commandLine });
    // A name with a secret is refused by the job itself.
    if (start === undefined || host.log.mask(start.name) !== start.name) {
      return await inProcess(host, job.name, policy, pause, execute);
    }
    const stored = new StoredAttempts(host, { job: job.name, policy, trigger, tick: one.tick, start }, pause);
    return await stored.run(execute);
  } finally {
    await pause.end();
  }
}

/** The attempts of a job without a run of its own, or with one whose name a script decides. */
async function inProcess(
  host: AttemptsHost,
  job: string,
  policy: RetryPolicy,
  pause: Pause,
  execute: Execute,
): Promise<Args> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await execute([]);
    } catch (error) {
      if (host.refusal !== undefined || !isTriedAgain(error, attempt, policy)) throw error;
      tellAttempt(host.log, job, attempt, policy);
      if (!(await pause.wait(delayAfter(policy, attempt)))) throw error;
    }
  }
}
