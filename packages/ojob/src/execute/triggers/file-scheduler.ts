import { type Clock, isChannelError, type JobManager, openJobManager, type Run } from "@ojm/core";
import { checkRetry } from "@ojm/core/internal";
import type { ScheduleDefinition, Scheduler } from "@ojm/schedule";
import type { Args, Settings, TypeArgs } from "../../load/job-file.js";
import type { Log } from "../../output/log.js";
import { type Plan, type PlannedJob, timeZoneOf } from "../../plan/planned.js";
import { isTriedAgain, notBegun, type RunHost, RunOfJob, stopped, tellAttempt } from "../attempts.js";
import type { Dispatch } from "../dispatch/dispatch.js";
import { type JobError, SkippedJob } from "../runtime/job-error.js";
import type { Runtime } from "../runtime/runtime.js";
import { TickLog } from "./tick-log.js";

/** What schedules need of the engine. */
export interface ScheduleHost {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly commandLine: Args;
  readonly dispatch: Dispatch;
  readonly log: Log;
  readonly runtime: Runtime;
  /** Why no job may start; `undefined` while jobs may. */
  readonly refusal: string | undefined;
  /** Whether the grace period of a stop is over. */
  readonly killed: boolean;
  /** Shows why a job did not run for a tick of its schedule. */
  tickSkipped(job: string, at: number, reason: string): void;
}

/** A schedule of a job. An item of the todo has begun it. */
export interface JobSchedule {
  readonly job: PlannedJob;
  readonly given: readonly Args[];
  /** The job runs for these of its own arguments only. */
  readonly own?: Args;
  /** The name of its ticks. It is the same in every process that runs this file. */
  readonly name: string;
  /** The longest time of a run, in ms. */
  readonly timeout?: number | undefined;
}

/** What made the request, for the records. */
export function triggerOf({ typeArgs }: PlannedJob): "cron" | "interval" {
  return typeArgs.cron === undefined ? "interval" : "cron";
}

/** How long to wait before a schedule that the store did not take is added again, in ms. */
const AGAIN = 5_000;

/** The longest time of a run that no other process sees, in ms: a year. The job has limits of its own. */
const UNLIMITED = 365 * 86_400_000;

/** A scheduler of a job file, and the log of what it decides. */
export class FileScheduler {
  readonly #host: ScheduleHost;
  readonly #runs: ScheduledRuns;
  readonly #manager: JobManager;
  readonly #scheduler: Scheduler;
  readonly #isShared: boolean;
  readonly #logs = new Map<string, TickLog>();
  readonly #cancels = new Set<() => void>();
  #closed: Promise<void> | undefined;

  private constructor(
    host: ScheduleHost,
    runs: ScheduledRuns,
    manager: JobManager,
    isShared: boolean,
    type: typeof Scheduler,
  ) {
    this.#host = host;
    this.#runs = runs;
    this.#manager = manager;
    this.#isShared = isShared;
    const { clock } = host.runtime;
    this.#scheduler = new type(manager, { clock, onTick: (tick) => this.#logs.get(tick.schedule)?.told(tick) });
  }

  /** Over the job manager of the file: its schedules are in the store. */
  static async shared(host: ScheduleHost, runs: ScheduledRuns, manager: JobManager): Promise<FileScheduler> {
    const { Scheduler: type } = await import("@ojm/schedule");
    return new FileScheduler(host, runs, manager, true, type);
  }

  /** Over a job manager in memory, of which no other process knows. */
  static async alone(host: ScheduleHost, runs: ScheduledRuns): Promise<FileScheduler> {
    const { Scheduler: type } = await import("@ojm/schedule");
    const manager = await openJobManager({ clock: alike(host.runtime.clock), heartbeatThread: false });
    return new FileScheduler(host, runs, manager, false, type);
  }

  /**
   * Adds a schedule. If the store is away, tries again until it is there.
   *
   * @throws ScheduleError, ChannelError if that does not help
   */
  async add(schedule: JobSchedule): Promise<void> {
    const { job, name, timeout } = schedule;
    const { typeArgs } = job;
    const mayWait = typeArgs.overlap === "queue" || typeArgs.overlap === "replace" || runsAll(schedule);
    const wait = mayWait ? Number.POSITIVE_INFINITY : (typeArgs.jitter ?? 0);
    this.#logs.set(
      name,
      new TickLog(this.#host, { job: job.name, lock: this.#isShared ? name : undefined, mayWait: wait }),
    );
    const { retry: _, ...words } = typeArgs;
    const definition = this.#isShared
      ? definitionOf(typeArgs, this.#host.settings, timeout)
      : definitionOf(words, this.#host.settings, UNLIMITED);
    const body = this.#runs.body(schedule, this.#isShared);
    try {
      await this.#scheduler.add(name, definition, body, { trigger: triggerOf(job) });
    } catch (error) {
      if (this.#closed !== undefined) return;
      if (!isChannelError(error) || !error.retryable) throw error;
      this.#host.log.line("WARN", `the schedule of "${job.name}" cannot begin yet: ${error.message}`);
      this.#again(schedule);
    }
  }

  /** Decides on no further tick. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Closes the manager in memory, once nothing runs any more. */
  async end(): Promise<void> {
    await this.close();
    if (!this.#isShared) await this.#manager.close({ grace: 0 });
  }

  async #close(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    // The engine asks the jobs to end, and waits for them.
    await this.#scheduler.stop();
    for (const log of this.#logs.values()) log.flush();
  }

  #again(schedule: JobSchedule): void {
    const { job } = schedule;
    const cancel = this.#host.runtime.clock.after(
      AGAIN,
      () => {
        this.#cancels.delete(cancel);
        void this.add(schedule).catch((error: Error) => {
          this.#host.log.line("ERROR", `the schedule of "${job.name}" cannot begin: ${error.message}`);
        });
      },
      true,
    );
    this.#cancels.add(cancel);
  }
}

/** The same time by another object: channels in memory share their entries with those of the same clock. */
function alike(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, callback, keepAlive) => clock.after(ms, callback, keepAlive),
    random: (length) => clock.random(length),
  };
}

/** Whether missed ticks wait for each other. */
function runsAll({ job }: JobSchedule): boolean {
  const { missed } = job.typeArgs;
  return missed === "all" || (typeof missed === "object" && missed.run === "all");
}

/** The definition of the schedule that the settings of a job say. */
function definitionOf(typeArgs: TypeArgs, settings: Settings, timeout: number | undefined): ScheduleDefinition {
  const { cron, timeInterval = 0, overlap, missed, jitter, blackout, retry } = typeArgs;
  return {
    ...(cron === undefined ? { every: timeInterval } : { cron: String(cron), timeZone: zoneOf(typeArgs, settings) }),
    ...(missed !== undefined && { missed }),
    ...(overlap !== undefined && { overlap }),
    ...(jitter !== undefined && { jitter }),
    ...(blackout !== undefined && { blackout }),
    ...(retry !== undefined && { retry }),
    ...(timeout !== undefined && { timeout }),
  };
}

/** The time zone by its name: in the store, that of the machine means nothing. */
function zoneOf(typeArgs: TypeArgs, settings: Settings): string {
  const zone = timeZoneOf(typeArgs, settings);
  return zone === "local" ? new Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
}

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
