import { checkRetry, type Run } from "@ojm/core";
import { isTriedAgain, tellAttempt } from "../../attempts/next-attempt.js";
import { RunOfJob, stopped } from "../../attempts/run-of-job.js";
import { type JobError, SkippedJob } from "../../runtime/job-error.js";
import { type JobSchedule, type ScheduleHost, triggerOf } from "./host.js";

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
      const of = new RunOfJob(this.#host, run, retry, isAdopted);
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
    if (end === "skipped") return "ended";
    this.#tellAttempt(schedule, of, error);
    throw error;
  }

  #tellAttempt({ job }: JobSchedule, { handed: { run, isAdopted } }: RunOfJob, error: JobError): void {
    const { retry } = job.typeArgs;
    if (retry === undefined || !isAdopted || this.#isStopped) return;
    const policy = checkRetry(run.name, retry);
    if (isTriedAgain(error, run.attempt, policy)) tellAttempt(this.#host.log, job.name, run.attempt, policy);
  }

  /** Requests the job, and resolves to how it failed; `undefined` if it completed. */
  async #failureOf(schedule: JobSchedule, { handed }: RunOfJob): Promise<JobError | undefined> {
    const { job, given, own } = schedule;
    const { run, isAdopted } = handed;
    if (this.#isStopped) return stopped(this.#host.refusal ?? "the jobs are done");
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
    return this.#isStopped ? stopped(outcome.reason) : new SkippedJob(outcome.reason);
  }
}
