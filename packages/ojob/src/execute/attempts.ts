import {
  type Clock,
  isRunError,
  type JobManager,
  type RetryOptions,
  type RetryPolicy,
  type Run,
  type RunOptions,
} from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { delayAfter, ojmCommand } from "@ojm/core/internal";
import type { Args } from "../load/job-file.js";
import type { Log } from "../output/log.js";
import { type KnownStart, knownStart } from "../plan/schedules.js";
import type { Dispatch } from "./dispatch/dispatch.js";
import type { OneRun, Request } from "./dispatch/requests.js";
import type { Engine } from "./engine.js";
import { JobError, SkippedJob } from "./runtime/job-error.js";
import { takingOptions } from "./runtime/locks.js";
import { closeRun, type HandedRun, type RefusedRun, type RunTick } from "./runtime/open-runs.js";
import { TickClaim } from "./tick-claim.js";

/** Runs the job once. `handed`: the runs that the caller started for it. */
type Execute = (handed: readonly (HandedRun | RefusedRun)[]) => Promise<Args>;

/** Runs a job as often as its `retry` allows. A stored attempt outlives this process. */
export async function runAttempts(
  engine: Engine,
  { contents: { job, trigger }, number }: Request,
  one: OneRun,
  policy: RetryPolicy,
  execute: Execute,
): Promise<Args> {
  const pause = new Pause(engine, number);
  try {
    const start = knownStart(job, one, { jobs: engine.plan.jobs, commandLine: engine.commandLine });
    // The job itself rejects a name that contains a secret.
    if (start !== undefined && engine.log.mask(start.name) === start.name) {
      const tried = { job: job.name, policy, trigger, tick: one.tick, start };
      return await new StoredAttempts(engine, tried, pause).run(execute);
    }
    // The job has no run of its own, or a script decides its name.
    for (let attempt = 1; ; attempt++) {
      try {
        return await execute([]);
      } catch (error) {
        if (engine.refusal !== undefined || !isTriedAgain(error, attempt, policy)) throw error;
        logRetry(engine.log, job.name, attempt, policy);
        if (!(await pause.wait(delayAfter(policy, attempt)))) throw error;
      }
    }
  } finally {
    await pause.end();
  }
}

/** The job that is tried again, and the run with which it begins. */
interface Tried {
  readonly job: string;
  readonly policy: RetryPolicy;
  readonly trigger: string;
  readonly tick: RunTick | undefined;
  readonly start: KnownStart;
}

/** The attempts of a job that begins with a run whose name is known: each is a run of one retry series. */
class StoredAttempts {
  readonly #engine: Engine;
  readonly #tried: Tried;
  readonly #pause: Pause;
  #begun = false;
  /** The caller no longer waits for an attempt. */
  #isOver = false;
  #last: Promise<Args> | undefined;

  constructor(engine: Engine, tried: Tried, pause: Pause) {
    this.#engine = engine;
    this.#tried = tried;
    this.#pause = pause;
  }

  async run(execute: Execute): Promise<Args> {
    // Without a manager, the job itself fails and reports the reason.
    const manager = await this.#engine.runtime.managers.get().catch(() => undefined);
    if (manager === undefined) return execute([]);
    const { job, policy: retry, trigger, tick } = this.#tried;
    const { name, timeout, taking } = this.#tried.start;
    const { runtime, log } = this.#engine;
    const claim = tick?.isClaimed === true ? new TickClaim(manager, runtime.clock, name, tick) : undefined;
    await claim?.look();
    const limits = { ...(timeout !== undefined && { timeout }), ...takingOptions(taking) };
    const options: RunOptions = { retry, trigger, ...limits, ...(claim && { claim }) };
    const group = manager.group();
    let forget = (): void => {};
    const onStop = new Promise<void>((resolve) => {
      forget = this.#pause.onStop(() => {
        // Leaves a waiting attempt to other processes at once.
        group.stop();
        if (!this.#pause.isOn) return;
        // The operator who stops the jobs must know that one of them will be tried again later.
        const text = `its next attempt stays in the store, and is made when the job is started again. To cancel it: ${ojmCommand("cancel", name)}`;
        log.line("INFO", `"${job}": ${text}`, job);
        resolve();
      });
    });
    let onOrphaned = (): void => {};
    const orphaned = new Promise<void>((resolve) => {
      onOrphaned = resolve;
    });
    await this.#logPending(manager);
    const running = manager.run(name, (run) => this.#attempt(run, execute, onOrphaned), { ...options, group });
    // A process that stops leaves its attempts to other processes.
    running.catch(() => {});
    try {
      await Promise.race([running, onStop, orphaned]);
    } catch (error) {
      if (!this.#begun) return await execute([{ name, error }]);
      await this.#last?.catch(() => {});
      // The cancelled attempt did not begin, so the job has not reported this error.
      if (isRunError(error) && error.code === "CANCELLED") log.line("WARN", `"${job}": ${error.message}`, job);
      // The error of the job says more than that of its run.
      if (isRunError(error)) await this.#last;
      throw error;
    } finally {
      this.#isOver = true;
      forget();
      group.stop();
    }
    if (this.#last === undefined) throw stopped(this.#engine.refusal ?? "the jobs are done");
    return this.#last;
  }

  /** Logs the attempt that an ended process left behind. This process may have to wait until it is due. */
  async #logPending(manager: JobManager): Promise<void> {
    const { job, start, tick } = this.#tried;
    const [pending] = tick === undefined ? await manager.retries(start.name).catch(() => []) : [];
    if (pending === undefined) return;
    const { attempt, retry, due } = pending;
    const text = `an earlier process left attempt ${attempt} of ${retry.attempts} pending: it is due at ${new Date(due).toISOString()}`;
    this.#engine.log.line("INFO", `"${job}": ${text}`, job);
    this.#pause.begin();
  }

  async #attempt(run: Run, execute: Execute, onOrphaned: () => void): Promise<undefined> {
    this.#begun = true;
    const { job, policy } = this.#tried;
    // The attempt became due during a stop. Failing it leaves the next one to other processes.
    if (this.#isOver) throw notBegun("the jobs were stopped", policy);
    await this.#pause.end();
    const of = new RunOfJob(this.#engine, run, policy);
    this.#last = execute([of.handed]);
    try {
      await this.#last;
      return undefined;
    } catch (error) {
      const end = await of.close(error);
      if (end === "orphaned") {
        onOrphaned();
        return await new Promise(() => {});
      }
      if (end === "skipped" || end === "handed over") return undefined;
      if (this.#engine.refusal === undefined && isTriedAgain(error, run.attempt, policy)) {
        logRetry(this.#engine.log, job, run.attempt, policy);
        this.#pause.begin();
      }
      throw error;
    }
  }
}

/** What a run must know of a stop. The runs of schedules get a stop of their own. */
export type Stops = Pick<Engine, "log" | "refusal" | "killed">;

/** The failure of an attempt that did not begin. `CANCELLED` would end its retry series. */
export function notBegun(reason: string, retry: RetryOptions | undefined): JobError {
  const isLast = retry === undefined || retry.onLost === true;
  return isLast ? stopped(reason) : new JobError(`the job was not started: ${reason}`);
}

/** The failure of a job that was stopped before it began. */
export function stopped(reason: string): JobError {
  const message = `the job was stopped: ${reason}`;
  return new JobError(message, { failure: { name: "StopError", message, code: "CANCELLED" } });
}

/** A run that was started for a job and that the job adopts. */
export class RunOfJob {
  readonly handed: HandedRun;
  readonly #stops: Stops;
  readonly #hasMore: boolean;

  /** `retry`: how the run is tried again. With `onLost`, a stop of this process leaves it to another. */
  constructor(stops: Stops, run: Run, retry: RetryOptions | undefined, isAdopted = true) {
    this.#stops = stops;
    const { onLost = false, attempts } = retry ?? { attempts: 1 };
    this.#hasMore = run.attempt < attempts;
    this.handed = { run, isAdopted, isOrphaned: () => onLost && stops.refusal !== undefined && !run.signal.aborted };
  }

  /**
   * Closes the run of a job that ended with an error, unless the job has closed it. A job that stopped within
   * the grace period hands its run over: another process makes the same attempt. `orphaned`: the job was
   * ended by force, and its run stays open until the manager is closed and records it as `lost`.
   */
  async close(error: unknown): Promise<"orphaned" | "handed over" | "skipped" | "failed"> {
    const { run, isOrphaned } = this.handed;
    const isSkipped = error instanceof SkippedJob;
    const isStopped = !isSkipped && (error as { code?: unknown }).code === "CANCELLED";
    const isOthers = isStopped && isOrphaned();
    if (isOthers && this.#stops.killed && this.#hasMore) return "orphaned";
    try {
      if (isOthers && !this.#stops.killed) {
        await run.handOver((error as Error).message);
        return "handed over";
      }
      await closeRun(run, error as Error, (text) => this.#stops.log.mask(text));
    } catch (refusal) {
      // The job has closed the run, or the run timed out or was lost.
      if (!isRunError(refusal)) throw refusal;
    }
    return isSkipped ? "skipped" : "failed";
  }
}

/** Whether another attempt follows such a failure. `attempt` is the number of the failed one, from 1. */
export function isTriedAgain(error: unknown, attempt: number, { attempts, onLost }: RetryPolicy): boolean {
  if (attempt >= attempts || !(error instanceof JobError) || error instanceof SkippedJob) return false;
  // ENDED: the code ran, and another program closed the record.
  if (error.code === "CANCELLED" || error.code === "ENDED") return false;
  return error.code !== "LOST" || onLost;
}

export function logRetry(log: Log, job: string, attempt: number, policy: RetryPolicy): void {
  const wait = durationText(delayAfter(policy, attempt));
  log.line("WARN", `"${job}" failed at attempt ${attempt} of ${policy.attempts}, and is tried again in ${wait}`, job);
}

/** The wait between two attempts. Other requests use the slot meanwhile, and a stop ends the wait. */
class Pause {
  readonly #dispatch: Dispatch;
  readonly #clock: Clock;
  readonly #order: number;
  /** Takes the slot back. Set while other requests have it. */
  #takeBack: (() => Promise<void>) | undefined;

  constructor({ dispatch, runtime }: Engine, order: number) {
    this.#dispatch = dispatch;
    this.#clock = runtime.clock;
    this.#order = order;
  }

  begin(): void {
    this.#takeBack ??= this.#dispatch.lend(this.#order);
  }

  async end(): Promise<void> {
    const takeBack = this.#takeBack;
    this.#takeBack = undefined;
    await takeBack?.();
  }

  get isOn(): boolean {
    return this.#takeBack !== undefined;
  }

  onStop(listener: () => void): () => void {
    return this.#dispatch.onStop(listener);
  }

  /** Resolves after `ms`, or at a stop. False if a stop ended the wait. */
  async wait(ms: number): Promise<boolean> {
    this.begin();
    let clear = (): void => {};
    const isDue = await new Promise<boolean>((resolve) => {
      const cancel = this.#clock.after(ms, () => resolve(true), true);
      const forget = this.onStop(() => resolve(false));
      clear = () => {
        cancel();
        forget();
      };
    });
    clear();
    await this.end();
    return isDue;
  }
}
