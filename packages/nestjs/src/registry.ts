import { present } from "@ojm/core/internal";
import { cronSchedule, ScheduleError } from "@ojm/schedule";
import type { JobKind } from "./decorators.js";
import type { Job } from "./jobs.js";
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
    return this.#ojm.stop(this.#job);
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

  /** @internal Import `OjmModule.forRoot()`, and inject it. */
  constructor(ojm: Ojm) {
    this.#ojm = ojm;
  }

  doesExist(type: JobKind, name: string): boolean {
    return this.#names(type).includes(name);
  }

  getCronJob(name: string): RegisteredCronJob {
    return new RegisteredCronJob(this.#ojm, this.#known("cron", name) as Job);
  }

  getCronJobs(): Map<string, RegisteredCronJob> {
    return new Map(this.#names("cron").map((name) => [name, this.getCronJob(name)]));
  }

  /**
   * Adds a job of the package `cron`, before its `start()`. Its callback then runs in one of all processes
   * that add the same name and expression.
   *
   * @throws ScheduleError `INVALID`
   */
  addCronJob(name: string, job: CronJobLike): void {
    const { source, timeZone, utcOffset } = job.cronTime;
    // Its own `start()` starts it, not the bootstrap.
    const options = { ...present({ timeZone, utcOffset }), disabled: true };
    const plan = { kind: "cron", name, time: source, options } as const;
    const label = `addCronJob("${name}")`;
    const added = this.#ojm.add({ plan, label, method: label, call: () => job.fireOnTick() });
    const { isActive } = job;
    if (isActive) void job.stop();
    // `fireOnTick` awaits its callback, and passes on its error, only with these two.
    Object.assign(job, { waitForCompletion: true, errorHandler: rethrow });
    job.start = () => this.#ojm.startLater(added, 0);
    job.stop = () => this.#ojm.stop(added);
    if (isActive) job.start();
  }

  /** This process does not run the job any more. For all: `Ojm.scheduler.remove(name)`. */
  async deleteCronJob(name: string): Promise<void> {
    await this.#delete("cron", name);
  }

  getIntervals(): string[] {
    return this.#names("interval");
  }

  /** @throws ScheduleError `UNKNOWN` for a method with `@Interval`, which has no timer */
  getInterval(name: string): NodeJS.Timeout {
    return this.#timer("interval", name, `one of all processes runs it. Use deleteInterval("${name}")`);
  }

  /** Keeps a timer that runs in this process, beside the same timers in all others. */
  addInterval(name: string, timer: NodeJS.Timeout): void {
    this.#add("interval", name, timer);
  }

  /** This process does not run the job any more. For all: `Ojm.scheduler.remove(name)`. */
  async deleteInterval(name: string): Promise<void> {
    await this.#delete("interval", name);
  }

  getTimeouts(): string[] {
    return this.#names("timeout");
  }

  getTimeout(name: string): NodeJS.Timeout {
    return this.#timer("timeout", name, "it is not started. Call getTimeout() after the bootstrap");
  }

  /** Keeps a timer of this process. */
  addTimeout(name: string, timer: NodeJS.Timeout): void {
    this.#add("timeout", name, timer);
  }

  /** Ends the timer. A run that has begun continues. */
  deleteTimeout(name: string): void {
    void this.#delete("timeout", name);
  }

  /** The jobs of a kind, and the timers that the application added. */
  #names(kind: JobKind): string[] {
    const jobs = [...this.#ojm.jobs.values()].filter((job) => job.kind === kind);
    return [...new Set([...jobs.map(({ name }) => name), ...this.#ojm.timers[kind].keys()])];
  }

  /** The job of a name, or `undefined` for a timer that the application added. */
  #known(kind: JobKind, name: string): Job | undefined {
    const names = this.#names(kind);
    if (!names.includes(name))
      throw new ScheduleError("UNKNOWN", `the ${kind} "${name}" is unknown. Known: ${names.join(", ") || "none"}`);
    const job = this.#ojm.jobs.get(name);
    return job?.kind === kind ? job : undefined;
  }

  #timer(kind: JobKind, name: string, why: string): NodeJS.Timeout {
    this.#known(kind, name);
    const timer = this.#ojm.timers[kind].get(name);
    if (timer !== undefined) return timer;
    throw new ScheduleError("UNKNOWN", `the ${kind} "${name}" has no timer: ${why}`);
  }

  #add(kind: JobKind, name: string, timer: NodeJS.Timeout): void {
    if (this.doesExist(kind, name)) throw new ScheduleError("INVALID", `the ${kind} "${name}" exists`, "name");
    this.#ojm.timers[kind].set(name, timer);
  }

  #delete(kind: JobKind, name: string): Promise<void> | undefined {
    const job = this.#known(kind, name);
    this.#ojm.stopTimer({ kind, name });
    if (job !== undefined) this.#ojm.jobs.delete(name);
    return job && this.#ojm.stop(job);
  }
}

function rethrow(error: unknown): never {
  throw error;
}
