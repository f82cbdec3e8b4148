import { Logger } from "@nestjs/common";
import type { DiscoveryService } from "@nestjs/core";
import {
  type CloseOptions,
  type Duration,
  isChannelError,
  isRunError,
  type JobManager,
  type JobManagerOptions,
  openJobManager,
  type Run,
} from "@ojm/core";
import {
  channelsProblem,
  durationOf,
  elapsedText,
  GRACE,
  present,
  shownStore,
  unknownOption,
} from "@ojm/core/internal";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import type { JobKind } from "./decorators.js";
import { type Decorated, decoratedMethods, type Job, jobOf, ownZone, Problems } from "./jobs.js";

/** Options of `OjmModule.forRoot`. */
export interface OjmOptions {
  /** `redis://HOST`, `sqlite:FILE`, `etcd://HOST,HOST`, `level:FOLDER`, or `memory:` for a single process. */
  readonly store: string;
  /** The time zone of cron jobs without one: a name of the IANA list. Default: that of the process. */
  readonly timeZone?: string;
  /** How long active runs may take to end when the application closes. Default: 10 s. */
  readonly grace?: Duration;
  /** Whether this process runs cron jobs. Default: true. */
  readonly cronJobs?: boolean;
  /** Whether this process runs intervals. Default: true. */
  readonly intervals?: boolean;
  /** Whether this process runs timeouts. Default: true. */
  readonly timeouts?: boolean;
  /** Further options of the job manager, such as `ttl` and `retention`. */
  readonly manager?: Omit<JobManagerOptions, "chJobs" | "chLocks">;
}

const OPTIONS = ["store", "timeZone", "grace", "cronJobs", "intervals", "timeouts", "manager"];

/** How long a store may take to answer a health check, in ms. */
const PATIENCE = 2_000;

/** The pause after a schedule could not be added to the store, in ms. */
const AGAIN = 5_000;

const logger: Logger = new Logger("Ojm");

/** The job manager and the scheduler of the application: inject it to use all of ojm. */
export class Ojm {
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  /** @internal */
  readonly jobs: Map<string, Job> = new Map();
  /** @internal The cron jobs and intervals that this process takes part in. */
  readonly active: Set<string> = new Set();
  /** @internal The timers of timeouts, of jobs that begin later, and those that the application added. */
  readonly timers: Readonly<Record<JobKind, Map<string, NodeJS.Timeout>>>;
  readonly #zone: string;
  readonly #options: OjmOptions;
  readonly #grace: CloseOptions;
  readonly #discovery: DiscoveryService;
  readonly #timeouts: ReturnType<JobManager["group"]>;
  /** The runs whose methods have not returned. */
  readonly #running: Set<Run> = new Set();
  #isClosing = false;

  /** @internal Import `OjmModule.forRoot()`. */
  constructor(manager: JobManager, options: OjmOptions, discovery: DiscoveryService) {
    this.manager = manager;
    this.scheduler = openScheduler(manager);
    this.#zone = options.timeZone ?? ownZone();
    this.timers = { cron: new Map(), interval: new Map(), timeout: new Map() };
    this.#options = options;
    this.#grace = present({ grace: options.grace });
    this.#discovery = discovery;
    this.#timeouts = manager.group();
  }

  /** @internal */
  static async open(options: OjmOptions, discovery: DiscoveryService): Promise<Ojm> {
    const { store } = options ?? {};
    const problem = unknownOption("OjmModule", options ?? {}, OPTIONS);
    if (problem !== undefined) throw new TypeError(problem);
    if (typeof store !== "string") throw new TypeError('OjmModule needs a store, such as { store: "redis://HOST" }');
    return new Ojm(await openJobManager(store, options.manager), options, discovery);
  }

  /** Whether the store answers, and this process does not close. */
  async isReady(): Promise<boolean> {
    return (await this.whyNotReady()) === undefined;
  }

  /** @internal */
  async whyNotReady(): Promise<string | undefined> {
    if (this.#isClosing) return "the application closes";
    const { jobs, locks } = this.manager.channels;
    const signal = AbortSignal.timeout(PATIENCE);
    const error = await channelsProblem([locks, jobs], signal);
    if (error === undefined) return undefined;
    const store = `the store ${shownStore(this.#options.store)}`;
    return signal.aborted
      ? `${store} does not answer within ${PATIENCE / 1_000} s`
      : `${store} fails: ${String(error)}`;
  }

  /** @internal Nest calls its hooks by name: they are not part of the API. */
  async onModuleInit(): Promise<void> {
    await this.#orClose(() => this.#addDecorated());
  }

  /** @throws ScheduleError `INVALID`, with all wrong options and all names that two methods have */
  #addDecorated(): void {
    const problems = new Problems();
    for (const decorated of decoratedMethods(this.#discovery)) {
      const job = this.#checked(decorated, problems);
      if (!this.jobs.has(job.name)) this.jobs.set(job.name, job);
    }
    const error = problems.error();
    if (error === undefined) return;
    // The methods are in the message. The stack would bury it: it has only functions of ojm and of Nest.
    error.stack = `${error.name}: ${error.message}`;
    throw error;
  }

  /** @internal @throws ScheduleError `INVALID` for a wrong option, or if there is a job of the name */
  add(decorated: Decorated): Job {
    const problems = new Problems();
    const job = this.#checked(decorated, problems);
    const error = problems.error();
    if (error !== undefined) throw error;
    this.jobs.set(job.name, job);
    return job;
  }

  #checked(decorated: Decorated, problems: Problems): Job {
    const checked = jobOf(decorated, this.#zone, problems);
    const body: Job["body"] = (run) => {
      this.#running.add(run);
      return checked.body(run).finally(() => this.#running.delete(run));
    };
    const job: Job = { ...checked, body };
    const { name, method } = job;
    const other = this.jobs.get(name)?.method;
    if (other === undefined) return job;
    const isSame = other.startsWith(`${decorated.label} of `);
    const what = isSame ? "provide the class in one module" : "give each a name of its own";
    problems.add("name", `"${name}" is the name of two jobs, ${other} and ${method}: ${what}`);
    return job;
  }

  /** @internal */
  async onApplicationBootstrap(): Promise<void> {
    await this.#orClose(async () => {
      for (const job of this.jobs.values()) {
        if (job.disabled || this.#options[`${job.kind === "cron" ? "cronJob" : job.kind}s`] === false) continue;
        if (job.kind === "timeout") this.#after(job.delay, job, () => this.#runTimeout(job));
        else if (job.delay > 0) this.startLater(job, job.delay);
        else await this.start(job);
      }
    });
  }

  /** @internal */
  async start(job: Job): Promise<void> {
    const { name, definition = {}, body } = job;
    this.stopTimer(job);
    this.active.add(name);
    await this.scheduler.add(name, definition, body);
    // It was stopped meanwhile.
    if (!this.active.has(name)) await this.scheduler.leave(name);
  }

  /** @internal */
  async stop(job: Job): Promise<void> {
    this.stopTimer(job);
    this.active.delete(job.name);
    await this.scheduler.leave(job.name);
  }

  /**
   * Ends the runs before Nest closes the connections that they use.
   *
   * @internal
   */
  async onModuleDestroy(): Promise<void> {
    // Nest calls this hook for two providers.
    const isFirst = !this.#isClosing;
    this.#isClosing = true;
    for (const timers of Object.values(this.timers)) {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    }
    const grace = elapsedText(durationOf(this.#options.grace ?? GRACE) ?? 0);
    const names = (): string => [...this.#running].map(({ name }) => name).join(", ");
    if (isFirst && this.#running.size > 0) logger.log(`waits up to ${grace} for the runs: ${names()}`);
    await Promise.all([this.scheduler.close(this.#grace), this.#timeouts.close(this.#grace)]);
    if (isFirst && this.#running.size > 0) logger.warn(`given up after ${grace}: ${names()}`);
  }

  /** @internal Requests that Nest has answered until now may have used the manager. */
  async onApplicationShutdown(): Promise<void> {
    await this.manager.close(this.#grace);
  }

  /** A failed start must not leave a process that runs some of its jobs. */
  async #orClose(begin: () => void | Promise<void>): Promise<void> {
    try {
      await begin();
    } catch (error) {
      await this.onModuleDestroy();
      await this.onApplicationShutdown();
      throw error;
    }
  }

  /** @internal */
  startLater(job: Job, ms: number): void {
    this.#after(ms, job, async () => {
      await this.start(job).catch((error: unknown) => {
        if (this.#isClosing || !this.active.has(job.name)) return;
        logger.error(`${job.name} is not run by this process so far: ${String(error)}`);
        this.startLater(job, AGAIN);
      });
    });
  }

  #after(ms: number, { kind, name }: Job, call: () => Promise<void>): void {
    const timer = setTimeout(() => void call(), ms);
    this.timers[kind].set(name, timer);
  }

  /** @internal */
  stopTimer({ kind, name }: Pick<Job, "kind" | "name">): void {
    clearTimeout(this.timers[kind].get(name));
    this.timers[kind].delete(name);
  }

  async #runTimeout({ name, body, options = {} }: Job): Promise<void> {
    try {
      await this.manager.run(name, body, { trigger: "timeout", wait: "1h", ...options, group: this.#timeouts });
    } catch (error) {
      // The error of the method was logged.
      const isRejected = isRunError(error) && !["STARTED", "CLOSED", "CLOSING", "CANCELLED"].includes(error.code);
      if (isRejected || isChannelError(error)) logger.error(`${name}: ${String(error)}`);
    }
  }
}
