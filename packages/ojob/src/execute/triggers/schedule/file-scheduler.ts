import { type Clock, isChannelError, type JobManager, openJobManager } from "@ojm/core";
import type { Scheduler } from "@ojm/schedule";
import { definitionOf } from "./definition.js";
import { type JobSchedule, type ScheduleHost, triggerOf } from "./host.js";
import type { ScheduledRuns } from "./scheduled-runs.js";
import { TickLog } from "./tick-log.js";

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
