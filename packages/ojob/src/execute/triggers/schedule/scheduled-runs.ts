import type { Run } from "@ojm/core";
import { checkRetry } from "@ojm/core/internal";
import { isTriedAgain, tellAttempt } from "../../attempts/next-attempt.js";
import { notBegun, type RunHost, RunOfJob, stopped } from "../../attempts/run-of-job.js";
import { type JobError, SkippedJob } from "../../runtime/job-error.js";
import { type JobSchedule, type ScheduleHost, triggerOf } from "./host.js";

const STOPPED = "the schedules are over";

/** The runs that schedulers start: each becomes a request, and the job adopts the run. */
export class ScheduledRuns {
  readonly #host: ScheduleHost;
  readonly #open = new Set<Promise<unknown>>();
  #isStopped = false;

  constructor(host: ScheduleHost) {
    this.#host = host;
  }

  /** Lets no further run become a request. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when no run has anything left to do. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  /**
   * What a job of the store does at a tick. It settles as the job does, so that the scheduler learns of a
   * failure. `isAdopted`: whether the start of a run in the job adopts the run of the tick.
   */
  body(schedule: JobSchedule, isAdopted: boolean): (run: Run) => Promise<undefined> {
    return (run) => {
      const retry = isAdopted ? schedule.job.typeArgs.retry : undefined;
      const of = new RunOfJob(this.#stoppable, run, retry, isAdopted);
      const performed = this.#perform(schedule, of);
      const open = performed.catch(() => {}).finally(() => this.#open.delete(open));
      this.#open.add(open);
      // A run that is left stays open until its manager is closed.
      return performed.then((end) => (end === "left" ? new Promise<undefined>(() => {}) : undefined));
    };
  }

  /** Resolves to how the run ended, and rejects with the failure of the job. */
  async #perform(schedule: JobSchedule, of: RunOfJob): Promise<"left" | "ended"> {
    const error = await this.#failureOf(schedule, of);
    if (error === undefined) return "ended";
    const end = await of.close(error);
    if (end === "left") return "left";
    if (end === "skipped" || end === "handed over") return "ended";
    this.#tellAttempt(schedule, of, error);
    throw error;
  }

  #tellAttempt({ job }: JobSchedule, { handed: { run, isAdopted } }: RunOfJob, error: JobError): void {
    const { retry } = job.typeArgs;
    if (retry === undefined || !isAdopted || this.#isStopped) return;
    const policy = checkRetry(run.name, retry);
    if (isTriedAgain(error, run.attempt, policy)) tellAttempt(this.#host.log, job.name, run.attempt, policy);
  }

  /** The jobs of type shutdown may run after a stop, but no schedule goes on. */
  get #stoppable(): RunHost {
    const host = this.#host;
    const refusal = (): string | undefined => host.refusal ?? (this.#isStopped ? STOPPED : undefined);
    const { log, runtime } = host;
    return {
      log,
      runtime,
      get refusal() {
        return refusal();
      },
      get killed() {
        return host.killed;
      },
    };
  }

  /** Requests the job, and resolves to how it failed; `undefined` if it completed. */
  async #failureOf(schedule: JobSchedule, { handed }: RunOfJob): Promise<JobError | undefined> {
    const { job, given, own } = schedule;
    const { run, isAdopted } = handed;
    const retry = isAdopted ? job.typeArgs.retry : undefined;
    if (this.#isStopped) return notBegun(this.#host.refusal ?? STOPPED, retry);
    const tick = { schedule: schedule.name, at: run.tick?.at ?? this.#host.runtime.clock.now(), isClaimed: !isAdopted };
    const asked = { job, given, own, trigger: triggerOf(job), tick, handed };
    const [request] = this.#host.dispatch.submit(asked);
    if (request === undefined) return undefined;
    // A job that waits has nothing yet that the signal of its run could end.
    const giveUp = (): void => request.giveUp?.((run.signal.reason as Error).message);
    run.signal.addEventListener("abort", giveUp);
    if (run.signal.aborted) giveUp();
    const outcome = await request.finished;
    run.signal.removeEventListener("abort", giveUp);
    if (outcome.status === "completed") return undefined;
    if (outcome.status === "failed") return outcome.error;
    if (run.signal.aborted) return stopped(outcome.reason);
    return this.#isStopped ? notBegun(outcome.reason, retry) : new SkippedJob(outcome.reason);
  }
}
