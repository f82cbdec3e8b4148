import { type Clock, isChannelError, type JobManager, openJobManager, type Run } from "@ojm/core";
import { checkRetry } from "@ojm/core/internal";
import type { openScheduler, ScheduleDefinition, Scheduler } from "@ojm/schedule";
import type { Args, Settings, Taking, TypeArgs } from "../../load/job-file.js";
import type { Log } from "../../output/log.js";
import { type PlannedJob, timeZoneOf } from "../../plan/planned.js";
import { isTriedAgain, logRetry, notBegun, RunOfJob, type Stops, stopped } from "../attempts.js";
import type { Engine } from "../engine.js";
import { type JobError, SkippedJob } from "../runtime/job-error.js";
import { UNLIMITED } from "../runtime/locks.js";
import { TickLog } from "./tick-log.js";

export interface JobSchedule {
  readonly job: PlannedJob;
  readonly given: readonly Args[];
  /** The map of its own arguments for which the job runs. */
  readonly own?: Args;
  /** The name of its ticks. It is the same in every process that runs this file. */
  readonly name: string;
  readonly timeout?: number | undefined;
  readonly taking?: Taking;
}

export function triggerOf({ typeArgs }: PlannedJob): "cron" | "interval" {
  return typeArgs.cron === undefined ? "interval" : "cron";
}

/** How long to wait before adding a schedule again after the store failed to take it, in ms. */
const RETRY_INTERVAL = 5_000;

type Open = typeof openScheduler;

/** A scheduler of a job file, and the log of what it decides. */
export class FileScheduler {
  readonly #engine: Engine;
  readonly #runs: ScheduledRuns;
  readonly #manager: JobManager;
  readonly #scheduler: Scheduler;
  readonly #isShared: boolean;
  readonly #logs = new Map<string, TickLog>();
  readonly #cancels = new Set<() => void>();
  #closed: Promise<void> | undefined;

  private constructor(engine: Engine, runs: ScheduledRuns, manager: JobManager, isShared: boolean, open: Open) {
    this.#engine = engine;
    this.#runs = runs;
    this.#manager = manager;
    this.#isShared = isShared;
    const { clock } = engine.runtime;
    this.#scheduler = open(manager, { clock, onTick: (tick) => this.#logs.get(tick.schedule)?.log(tick) });
  }

  /** Keeps its schedules in `shared`, the job manager of the file, or else in the memory of this process. */
  static async open(engine: Engine, runs: ScheduledRuns, shared?: JobManager): Promise<FileScheduler> {
    const { openScheduler } = await import("@ojm/schedule");
    const { clock } = engine.runtime;
    const manager = shared ?? (await openJobManager({ clock: alike(clock), heartbeatThread: false }));
    return new FileScheduler(engine, runs, manager, shared !== undefined, openScheduler);
  }

  /** Adds a schedule. Tries again until the store answers, unless that cannot help. */
  async add(schedule: JobSchedule): Promise<void> {
    const { job, name, timeout, taking = {} } = schedule;
    const { typeArgs } = job;
    const { overlap, missed } = typeArgs;
    const runsAll = (typeof missed === "object" ? missed.run : missed) === "all";
    const isPatient = Object.keys(taking).length > 0 || overlap === "queue" || overlap === "replace" || runsAll;
    const mayWait = isPatient ? Number.POSITIVE_INFINITY : (typeArgs.jitter ?? 0);
    const lock = this.#isShared ? name : undefined;
    this.#logs.set(name, new TickLog(this.#engine, { job: job.name, lock, mayWait }));
    const { retry: _, ...words } = typeArgs;
    const definition = this.#isShared
      ? { ...definitionOf(typeArgs, this.#engine.plan.settings, timeout), ...taking }
      : definitionOf(words, this.#engine.plan.settings, UNLIMITED);
    const body = this.#runs.body(schedule, this.#isShared);
    try {
      await this.#scheduler.add(name, definition, body, { trigger: triggerOf(job) });
    } catch (error) {
      if (this.#closed !== undefined) return;
      if (!isChannelError(error) || !error.retryable) throw error;
      this.#engine.log.line("WARN", `the schedule of "${job.name}" cannot begin yet: ${error.message}`);
      this.#again(schedule);
    }
  }

  /** Decides on no further tick. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async end(): Promise<void> {
    await this.close();
    if (!this.#isShared) await this.#manager.close({ grace: 0 });
  }

  async #close(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    // The engine asks the jobs to stop and waits for them.
    await this.#scheduler.stop();
    for (const log of this.#logs.values()) log.flush();
  }

  #again(schedule: JobSchedule): void {
    const { log, runtime } = this.#engine;
    const add = (): void => {
      this.#cancels.delete(cancel);
      this.add(schedule).catch((error: Error) => {
        log.line("ERROR", `the schedule of "${schedule.job.name}" cannot begin: ${error.message}`);
      });
    };
    const cancel = runtime.clock.after(RETRY_INTERVAL, add, true);
    this.#cancels.add(cancel);
  }
}

/** Another clock object with the same time: channels in memory belong to their clock object. */
function alike(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, callback, keepAlive) => clock.after(ms, callback, keepAlive),
    random: (length) => clock.random(length),
  };
}

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

/** The name of the time zone: "local" in the store would mean a different zone on each machine. */
function zoneOf(typeArgs: TypeArgs, settings: Settings): string {
  const zone = timeZoneOf(typeArgs, settings);
  return zone === "local" ? new Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
}

const STOPPED = "the schedules are over";

/** The runs that schedulers start: each becomes a request, and the job adopts the run. */
export class ScheduledRuns implements Stops {
  readonly log: Log;
  readonly #engine: Engine;
  readonly #open = new Set<Promise<unknown>>();
  #isStopped = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.log = engine.log;
  }

  /** The jobs of type shutdown may run after a stop, but no schedule continues. */
  get refusal(): string | undefined {
    return this.#engine.refusal ?? (this.#isStopped ? STOPPED : undefined);
  }

  get killed(): boolean {
    return this.#engine.killed;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async idle(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  /**
   * The function that a scheduler calls at a tick. It settles as the job does, so that the scheduler sees a
   * failure. `isAdopted`: whether the start of a run in the job adopts the run of the tick.
   */
  body(schedule: JobSchedule, isAdopted: boolean): (run: Run) => Promise<undefined> {
    return (run) => {
      const retry = isAdopted ? schedule.job.typeArgs.retry : undefined;
      const of = new RunOfJob(this, run, retry, isAdopted);
      const performed = this.#perform(schedule, of);
      const open = performed.catch(() => {}).finally(() => this.#open.delete(open));
      this.#open.add(open);
      // A run that was left stays open until its manager is closed.
      return performed.then((end) => (end === "orphaned" ? new Promise<undefined>(() => {}) : undefined));
    };
  }

  /** Resolves to how the run ended, and rejects with the failure of the job. */
  async #perform(schedule: JobSchedule, of: RunOfJob): Promise<"orphaned" | "ended"> {
    const error = await this.#failureOf(schedule, of);
    if (error === undefined) return "ended";
    const end = await of.close(error);
    if (end === "orphaned") return "orphaned";
    if (end === "skipped" || end === "handed over") return "ended";
    this.#logRetry(schedule, of, error);
    throw error;
  }

  #logRetry({ job }: JobSchedule, { handed: { run, isAdopted } }: RunOfJob, error: JobError): void {
    const { retry } = job.typeArgs;
    if (retry === undefined || !isAdopted || this.#isStopped) return;
    const policy = checkRetry(run.name, retry);
    if (isTriedAgain(error, run.attempt, policy)) logRetry(this.log, job.name, run.attempt, policy);
  }

  /** Requests the job, and resolves to how it failed; `undefined` if it completed. */
  async #failureOf(schedule: JobSchedule, { handed }: RunOfJob): Promise<JobError | undefined> {
    const { job, given, own } = schedule;
    const { run, isAdopted } = handed;
    const retry = isAdopted ? job.typeArgs.retry : undefined;
    if (this.#isStopped) return notBegun(this.#engine.refusal ?? STOPPED, retry);
    const { clock } = this.#engine.runtime;
    const tick = { schedule: schedule.name, at: run.tick?.at ?? clock.now(), isClaimed: !isAdopted };
    const trigger = triggerOf(job);
    const [request] = this.#engine.dispatch.submit({ job, given, own, trigger, tick, handed });
    if (request === undefined) return undefined;
    const outcome = await request.finishedUnder(run.signal);
    if (outcome.status === "completed") return undefined;
    if (outcome.status === "failed") return outcome.error;
    if (run.signal.aborted) return stopped(outcome.reason);
    return this.#isStopped ? notBegun(outcome.reason, retry) : new SkippedJob(outcome.reason);
  }
}
