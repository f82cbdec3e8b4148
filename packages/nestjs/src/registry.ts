import { cronSchedule, ScheduleError } from "@ojm/schedule";
import type { JobKind } from "./decorators.js";
import { addJob, type Job, jobOf } from "./jobs.js";
import type { Ojm } from "./ojm.js";

/** A job of the package `cron`, as {@link SchedulerRegistry.addCronJob} takes it. */
export interface CronJobLike {
  readonly cronTime: { readonly source: unknown; readonly timeZone?: string; readonly utcOffset?: number };
  readonly isActive?: boolean;
  start(): void;
  stop(): unknown;
  fireOnTick(): unknown;
}

/** A cron job of this process. */
export class RegisteredCronJob {
  readonly name: string;
  readonly cronTime: { readonly source: string; readonly timeZone: string };
  readonly #ojm: Ojm;
  readonly #job: Job;

  /** @internal Use {@link SchedulerRegistry.getCronJob}. */
  constructor(ojm: Ojm, job: Job) {
    const { cron = "", timeZone = "UTC" } = job.definition ?? {};
    this.name = job.name;
    this.cronTime = { source: cron, timeZone };
    this.#ojm = ojm;
    this.#job = job;
  }

  /** Whether this process takes part. */
  get isActive(): boolean {
    return this.#ojm.active.has(this.name);
  }

  /** This process takes part from now on. */
  start(): Promise<void> {
    return this.#ojm.start(this.#job);
  }

  /** This process runs no further tick; the others do. For all: `Ojm.scheduler.pause(name, { reason })`. */
  stop(): Promise<void> {
    return this.#ojm.stop(this.name);
  }

  /** The next tick. */
  nextDate(): Date {
    return this.nextDates(1)[0] as Date;
  }

  /** The next ticks. */
  nextDates(count: number): Date[] {
    const { source, timeZone } = this.cronTime;
    const schedule = cronSchedule(source, timeZone);
    const dates: Date[] = [];
    for (let at = Date.now(); dates.length < count; dates.push(new Date(at))) at = schedule.next(at);
    return dates;
  }

  /** When the newest run began, in any process. */
  async lastDate(): Promise<Date | null> {
    for await (const { startTime } of this.#ojm.manager.history({ name: this.name, limit: 1 }))
      return new Date(startTime);
    return null;
  }

  /** Runs the job now, in the process that runs its ticks. Resolves to the id of the run. */
  fireOnTick(): Promise<string> {
    return this.#ojm.scheduler.runNow(this.name, { reason: "fireOnTick()" });
  }
}

/** The jobs of this process, by name: the methods of the class of this name in `@nestjs/schedule`. */
export class SchedulerRegistry {
  readonly #ojm: Ojm;
  /** Timers that the application started itself. */
  readonly #own: Record<"interval" | "timeout", Map<string, NodeJS.Timeout>> = {
    interval: new Map(),
    timeout: new Map(),
  };

  /** @internal Import `OjmModule.forRoot()`, and inject it. */
  constructor(ojm: Ojm) {
    this.#ojm = ojm;
  }

  doesExist(type: JobKind, name: string): boolean {
    return this.#ojm.jobs.get(name)?.kind === type || (type !== "cron" && this.#own[type].has(name));
  }

  getCronJob(name: string): RegisteredCronJob {
    return new RegisteredCronJob(this.#ojm, this.#job("cron", name));
  }

  getCronJobs(): Map<string, RegisteredCronJob> {
    const names = this.#names("cron");
    return new Map(names.map((name) => [name, this.getCronJob(name)]));
  }

  /**
   * Adds a job of the package `cron`, before its `start()`. Its callback then runs in one of all processes
   * that add the same name and expression.
   *
   * @throws ScheduleError `INVALID`
   */
  addCronJob(name: string, job: CronJobLike): void {
    const { source, timeZone, utcOffset } = job.cronTime;
    const options = { ...(timeZone !== undefined && { timeZone }), ...(utcOffset !== undefined && { utcOffset }) };
    const method = `addCronJob("${name}")`;
    const checked = jobOf({ kind: "cron", name, time: source, options }, method, this.#ojm.zone);
    const { isActive } = job;
    if (isActive) void job.stop();
    // `fireOnTick` reports errors and awaits its callback only with these two.
    const settings = job as { waitForCompletion?: boolean; errorHandler?: (error: unknown) => void };
    settings.waitForCompletion = true;
    const added = addJob(this.#ojm.jobs, checked, async () => {
      const errors: unknown[] = [];
      settings.errorHandler = (error) => errors.push(error);
      await job.fireOnTick();
      if (errors.length > 0) throw errors[0];
    });
    job.start = () => this.#ojm.startLater(added, 0);
    job.stop = () => this.#ojm.stop(name);
    if (isActive) job.start();
  }

  /** This process does not run the job any more. For all: `Ojm.scheduler.remove(name)`. */
  async deleteCronJob(name: string): Promise<void> {
    await this.#delete(this.#job("cron", name));
  }

  getIntervals(): string[] {
    return [...this.#names("interval"), ...this.#own.interval.keys()];
  }

  /** @throws ScheduleError `UNKNOWN` for a method with `@Interval`, which has no timer */
  getInterval(name: string): NodeJS.Timeout {
    const timer = this.#own.interval.get(name);
    if (timer !== undefined) return timer;
    this.#job("interval", name);
    const text = `the interval "${name}" has no timer: one of all processes runs it. Use deleteInterval("${name}")`;
    throw new ScheduleError("UNKNOWN", text);
  }

  /** Keeps a timer that runs in this process, beside the same timers in all others. */
  addInterval(name: string, timer: NodeJS.Timeout): void {
    this.#add("interval", name, timer);
  }

  /** This process does not run the job any more. For all: `Ojm.scheduler.remove(name)`. */
  async deleteInterval(name: string): Promise<void> {
    if (!this.#clear("interval", name)) await this.#delete(this.#job("interval", name));
  }

  getTimeouts(): string[] {
    return [...this.#names("timeout"), ...this.#own.timeout.keys()];
  }

  getTimeout(name: string): NodeJS.Timeout {
    const timer = this.#own.timeout.get(name) ?? this.#ojm.timers.get(this.#job("timeout", name).name);
    if (timer !== undefined) return timer;
    throw new ScheduleError("UNKNOWN", `the timeout "${name}" is not started: call getTimeout() after the bootstrap`);
  }

  /** Keeps a timer of this process. */
  addTimeout(name: string, timer: NodeJS.Timeout): void {
    this.#add("timeout", name, timer);
  }

  /** Ends the timer. A run that has begun continues. */
  deleteTimeout(name: string): void {
    if (this.#clear("timeout", name)) return;
    const job = this.#job("timeout", name);
    this.#ojm.stopTimer(name);
    this.#ojm.jobs.delete(job.name);
  }

  /** @internal */
  onModuleDestroy(): void {
    for (const kind of ["interval", "timeout"] as const)
      for (const name of this.#own[kind].keys()) this.#clear(kind, name);
  }

  async #delete({ name }: Job): Promise<void> {
    this.#ojm.jobs.delete(name);
    await this.#ojm.stop(name);
  }

  #names(kind: JobKind): string[] {
    return [...this.#ojm.jobs.values()].filter((job) => job.kind === kind).map(({ name }) => name);
  }

  #job(kind: JobKind, name: string): Job {
    const job = this.#ojm.jobs.get(name);
    if (job?.kind === kind) return job;
    const names = this.#names(kind).join(", ") || "none";
    throw new ScheduleError("UNKNOWN", `the ${kind} "${name}" is unknown. Known: ${names}`);
  }

  #add(kind: "interval" | "timeout", name: string, timer: NodeJS.Timeout): void {
    if (this.doesExist(kind, name)) throw new ScheduleError("INVALID", `the ${kind} "${name}" exists`, "name");
    this.#own[kind].set(name, timer);
  }

  #clear(kind: "interval" | "timeout", name: string): boolean {
    clearTimeout(this.#own[kind].get(name));
    return this.#own[kind].delete(name);
  }
}
