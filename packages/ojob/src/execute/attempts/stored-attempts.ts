import { isRunError, type JobManager, type RetryPolicy, type Run, type RunOptions } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import type { Args } from "../../load/job-file.js";
import type { KnownStart } from "../../plan/schedules/known-start.js";
import type { HandedRun, RefusedRun, RunTick } from "./handed-run.js";
import { isTriedAgain, tellAttempt } from "./next-attempt.js";
import type { Pause } from "./pause.js";
import { notBegun, type RunHost, RunOfJob, stopped } from "./run-of-job.js";
import { TickClaim } from "./tick-claim.js";

/** The job that is tried again, and the run with which it begins. */
export interface Tried {
  readonly job: string;
  readonly policy: RetryPolicy;
  readonly trigger: string;
  readonly tick: RunTick | undefined;
  readonly start: KnownStart;
}

/** The attempts of a job that begins with a run whose name is known: each is a run of one chain. */
export class StoredAttempts {
  readonly #host: RunHost;
  readonly #tried: Tried;
  readonly #pause: Pause;
  #begun = false;
  /** Nobody waits for an attempt any more. */
  #isOver = false;
  /** The attempt that was made last. */
  #last: Promise<Args> | undefined;

  constructor(host: RunHost, tried: Tried, pause: Pause) {
    this.#host = host;
    this.#tried = tried;
    this.#pause = pause;
  }

  async run(execute: (handed: readonly (HandedRun | RefusedRun)[]) => Promise<Args>): Promise<Args> {
    // Without a manager, the job itself fails, and says why.
    const manager = await this.#host.runtime.managers.get().catch(() => undefined);
    if (manager === undefined) return execute([]);
    const { name } = this.#tried.start;
    const options = await this.#options(manager);
    const group = manager.group();
    let forget = (): void => {};
    const onStop = new Promise<void>((resolve) => {
      forget = this.#pause.onStop(() => {
        // An attempt that waits is left to other processes at once.
        group.stop();
        if (!this.#pause.isOn) return;
        this.#tellStays();
        resolve();
      });
    });
    let onLeft = (): void => {};
    const left = new Promise<void>((resolve) => {
      onLeft = resolve;
    });
    await this.#tellLeft(manager);
    const running = manager.run(name, (run) => this.#attempt(run, execute, onLeft), { ...options, group });
    // The attempts of a process that stops are left to others.
    running.catch(() => {});
    try {
      await Promise.race([running, onStop, left]);
    } catch (error) {
      if (!this.#begun) return await execute([{ name, error }]);
      await this.#last?.catch(() => {});
      // The job has not seen it: it began no more.
      if (isRunError(error) && error.code === "CANCELLED")
        this.#host.log.line("WARN", `"${this.#tried.job}": ${error.message}`, this.#tried.job);
      // The job has a better error than its run.
      if (isRunError(error)) await this.#last;
      throw error;
    } finally {
      this.#isOver = true;
      forget();
      group.stop();
    }
    if (this.#last === undefined) throw stopped(this.#host.refusal ?? "the jobs are done");
    return this.#last;
  }

  /** A process that ended before its next attempt left it to the next one, which may have to wait for it. */
  async #tellLeft(manager: JobManager): Promise<void> {
    const { job, start, tick } = this.#tried;
    const [left] = tick === undefined ? await manager.retries(start.name).catch(() => []) : [];
    if (left === undefined) return;
    const { attempt, retry, due } = left;
    const text = `an earlier run left attempt ${attempt} of ${retry.attempts}, which is due at ${new Date(due).toISOString()}`;
    this.#host.log.line("INFO", `"${job}": ${text}`, job);
    this.#pause.begin();
  }

  /** Whoever stops the jobs must know that one of them goes on later. */
  #tellStays(): void {
    const { job, start } = this.#tried;
    const text = `its next attempt stays in the store, and its next start makes it. To end it: ${ojmCommand("cancel", start.name)}`;
    this.#host.log.line("INFO", `"${job}": ${text}`, job);
  }

  async #options(manager: JobManager): Promise<RunOptions> {
    const { policy, trigger, tick, start } = this.#tried;
    const { clock } = this.#host.runtime;
    const claim = tick?.isClaimed === true ? new TickClaim(manager, clock, start.name, tick) : undefined;
    await claim?.look();
    const { timeout } = start;
    return { retry: policy, trigger, ...(timeout !== undefined && { timeout }), ...(claim && { claim }) };
  }

  async #attempt(
    run: Run,
    execute: (handed: readonly HandedRun[]) => Promise<Args>,
    onLeft: () => void,
  ): Promise<undefined> {
    this.#begun = true;
    const { job, policy } = this.#tried;
    // It came due while the jobs were being stopped: as a failure, it leaves the next one to others.
    if (this.#isOver) throw notBegun("the jobs were stopped", policy);
    await this.#pause.end();
    const of = new RunOfJob(this.#host, run, policy);
    this.#last = execute([of.handed]);
    try {
      await this.#last;
      return undefined;
    } catch (error) {
      const end = await of.close(error);
      if (end === "left") {
        onLeft();
        return await new Promise(() => {});
      }
      if (end === "skipped" || end === "handed over") return undefined;
      if (this.#host.refusal === undefined && isTriedAgain(error, run.attempt, policy)) {
        tellAttempt(this.#host.log, job, run.attempt, policy);
        this.#pause.begin();
      }
      throw error;
    }
  }
}
