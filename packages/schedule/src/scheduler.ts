import { hostname } from "node:os";
import type { Channel, Clock, CloseOptions, JobManager, Key, Maintenance, Version } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { both, EventChannel, follow, inBackground, maintenanceOf, Semaphore } from "@ojm/core/internal";
import { Alarms } from "./alarms.js";
import { ScheduleError } from "./calendar/schedule.js";
import { holdsIn, type NextTick, nextTicks, type ScheduleSummary, schedulesOf } from "./control/overview.js";
import { instantOf, known, type PauseOptions, pause, type ResumeOptions, remove, resume } from "./control/pause.js";
import {
  type Backfill,
  type BackfillOptions,
  type BackfillProgress,
  backfill,
  backfillsOf,
  type RunNowOptions,
  runNow,
  type StopOptions,
  stopBackfills,
} from "./control/requests.js";
import { type ScheduleTick, type TicksOptions, ticksOf } from "./control/ticks.js";
import { type ScheduleReason, whyScheduled } from "./control/why.js";
import { hashOf } from "./definition/calendar.js";
import { assertReadable, checkDefinition, checkJobName } from "./definition/check.js";
import type { ScheduleDefinition } from "./definition/types.js";
import { wordsOf } from "./definition/words.js";
import { ScheduledJob } from "./fire/job.js";
import { publishTicks } from "./fire/publish-ticks.js";
import { Requests } from "./fire/requests.js";
import { Retries } from "./fire/retries.js";
import { type Body, type Host, STARTS_AT_ONCE } from "./fire/start.js";
import { Members } from "./members/members.js";
import { Neighbours } from "./members/neighbours.js";
import { Presence } from "./members/presence.js";
import { adopt } from "./store/adopt.js";
import { memberKey, type Pause, type SchedulesValue } from "./store/schema.js";
import { openScheduleStore, type ScheduleStore } from "./store/store.js";
import { isSchedule } from "./store/valid.js";

/** `{ schedule }`, when this process adds one: a listener can start the counter of its failures at 0. */
const ADDED: EventChannel<object> = new EventChannel("ojm:schedule:added");

/** Options of {@link openScheduler}. */
export interface SchedulerOptions {
  /** The source of time and of random numbers; simulations replace it. Default: the clock of the machine. */
  readonly clock?: Clock;
  /** The name of this scheduler among those that share the store. Default: a random one. */
  readonly instance?: string;
  /** Called when this scheduler has decided a tick, or several. */
  readonly onTick?: (tick: Omit<ScheduleTick, "by" | "decided" | "revision">) => void;
}

/**
 * Opens a scheduler for the jobs of a manager. It does nothing until a schedule is added. Close it before the
 * manager.
 *
 * @example
 * await using manager = await openJobManager("sqlite:./data/ojm.db");
 * await using scheduler = openScheduler(manager);
 * await scheduler.add("nightly-report", { cron: "0 2 * * *", timeZone: "Europe/Lisbon" }, async (run) => {
 *   await report({ signal: run.signal });
 * });
 * await once(process, "SIGTERM");
 */
export function openScheduler(manager: JobManager, options?: SchedulerOptions): Scheduler {
  return new Scheduler(manager, options);
}

/**
 * Runs jobs by schedules. All processes that share the store of the locks add the same schedules: each tick
 * has exactly one outcome, no matter which processes are running.
 */
export class Scheduler {
  readonly #manager: JobManager;
  readonly #clock: Clock;
  readonly #instance: string;
  readonly #began: number;
  readonly #onTick: NonNullable<SchedulerOptions["onTick"]>;
  readonly #alarms: Alarms;
  readonly #jobs: Map<string, ScheduledJob> = new Map();
  readonly #runs: Host["runs"];
  readonly #closing: AbortController = new AbortController();
  #store: Promise<ScheduleStore> | undefined;
  #opened: Promise<Host> | undefined;
  #stopped: Promise<void> | undefined;

  /** @internal Use {@link openScheduler}. */
  constructor(manager: JobManager, { clock = systemClock, instance, onTick = () => {} }: SchedulerOptions = {}) {
    this.#manager = manager;
    this.#runs = manager.group();
    this.#clock = clock;
    this.#instance = instance ?? clock.random(12);
    this.#began = clock.now();
    this.#onTick = onTick;
    this.#alarms = new Alarms(clock);
  }

  /**
   * Adds a schedule, and runs `body` at its ticks, from now on. If another process adds the same schedule,
   * the store does not change, and one of the processes runs each tick. `run.tick` is the tick of the run: a
   * late or retried run is still for that time.
   *
   * A definition that the store has not seen replaces the present one: the newest deploy wins. A process
   * whose definition was replaced does not run it any more, and emits a warning (`OJM_SCHEDULE`).
   *
   * `trigger`: the reason for the starts of its ticks, for the records. Default: `schedule`.
   *
   * @example
   * await scheduler.add("daily-report", { cron: "0 2 * * *" }, async (run) => {
   *   const day = new Date(run.tick?.at ?? run.startTime);
   *   await writeReport(day, { signal: run.signal });
   * });
   *
   * @throws ScheduleError `INVALID`; ChannelError if the store fails
   */
  async add(
    name: string,
    definition: ScheduleDefinition,
    body: Body,
    { trigger }: { readonly trigger?: string } = {},
  ): Promise<void> {
    const checked = checkDefinition(name, definition);
    if (typeof body !== "function") {
      throw new ScheduleError("INVALID", `the schedule "${name}" needs a function to run`, "body");
    }
    const own = { name, definition: checked, hash: hashOf(checked), body, ...(trigger !== undefined && { trigger }) };
    const opened = await this.#open();
    const stored = await adopt(opened.store, own, { began: this.#began });
    this.#assertOpen();
    await this.#jobs.get(name)?.close();
    const job = new ScheduledJob(opened, own, stored);
    this.#jobs.set(name, job);
    this.#alarms.keepAlive(true);
    opened.presence.add(name, own.hash);
    ADDED.publish(() => ({ schedule: name }));
    job.act();
  }

  /**
   * Pauses a schedule: once this resolves, no tick starts a run, in any process. Ticks get the outcome
   * `skipped` meanwhile. An active run continues. Resolves to the pause that it replaces, if the schedule was
   * paused.
   *
   * @throws ScheduleError `UNKNOWN`, or `INVALID` without a reason or with an `until` that is over;
   * ChannelError if the store fails
   */
  async pause(name: string, options: PauseOptions): Promise<Pause | undefined> {
    const asked = this.#asked(`the pause of "${name}"`, options);
    const end = options.until === undefined ? {} : { until: instantOf("until", options.until) };
    return pause(await this.#openStore(), name, { ...asked, ...end });
  }

  /**
   * Ends the pause of a schedule. Resolves to whether it was paused. `options` are for the audit.
   *
   * @throws ScheduleError `UNKNOWN`; ChannelError if the store fails
   */
  async resume(name: string, options: ResumeOptions = {}): Promise<boolean> {
    return resume(await this.#openStore(), name, options);
  }

  /**
   * Removes a schedule from the store, so that no process runs it any more. The outcomes of its ticks stay
   * for 30 days. Resolves to whether there was one. `options` are for the audit.
   *
   * @throws ChannelError if the store fails
   */
  async remove(name: string, options: ResumeOptions = {}): Promise<boolean> {
    return remove(await this.#openStore(), name, options);
  }

  /**
   * Runs a schedule now, even while it is paused, in the process that runs its ticks. Resolves to the id of
   * the run, once it is started. If no process starts it, the request is withdrawn, and the audit records
   * that.
   *
   * @throws ScheduleError `UNKNOWN`, `INVALID` without a reason, or `REFUSED`: it is already running, or no
   * living process can run it; the reason of `signal`; ChannelError if the store fails
   */
  async runNow(name: string, options: RunNowOptions): Promise<string> {
    const asked = this.#asked(`the run of "${name}"`, options);
    return runNow(await this.#openStore(), name, { type: "run", ...asked }, options);
  }

  /**
   * Runs past ticks, one after the other, in the process that runs the schedule. Ticks that already ran are
   * left out, unless `again` is set. Resolves once the request is in the store: it outlives every process.
   *
   * @throws ScheduleError `UNKNOWN`, or `INVALID`; ChannelError if the store fails
   */
  async backfill(name: string, options: BackfillOptions): Promise<Backfill> {
    const asked = this.#asked(`the backfill of "${name}"`, options);
    return backfill(await this.#openStore(), name, { ...options, ...asked });
  }

  /**
   * The unfinished backfills of one schedule or of all: who requested each, and its progress.
   *
   * @throws ChannelError if the store fails
   */
  async *backfills(name?: string): AsyncGenerator<BackfillProgress, void, undefined> {
    yield* backfillsOf(await this.#openStore(), name);
  }

  /**
   * Stops the backfills of a schedule, in any process. A run in progress continues; no further one is started
   * once this resolves. Resolves to the stopped backfills.
   *
   * @throws ScheduleError `INVALID` without a reason; ChannelError if the store fails
   */
  async stopBackfills(name: string, options: StopOptions): Promise<BackfillProgress[]> {
    const { reason, by } = this.#asked(`the stop of the backfills of "${name}"`, options);
    return stopBackfills(await this.#openStore(), name, { reason, by });
  }

  /** The next ticks of a schedule, and when each is due, with its jitter. */
  async next(name: string, { limit = 1 }: { readonly limit?: number } = {}): Promise<NextTick[]> {
    const [store, { holds, maintenance }] = await Promise.all([this.#openStore(), this.#obstacles()]);
    const [{ value }, cursor] = await Promise.all([known(store, name), store.cursor(name)]);
    const ahead = { held: holds.get(name)?.until, maintenance: maintenanceOf(maintenance, name) };
    assertReadable(value);
    return nextTicks(value, this.#clock.now(), limit, { ...ahead, cursor: cursor?.value });
  }

  /** When a schedule is due, in words: `At 02:00 (Europe/Lisbon)`. */
  async words(name: string): Promise<string> {
    const { value } = await known(await this.#openStore(), name);
    assertReadable(value);
    return wordsOf(value.definition);
  }

  /**
   * Why a job does not run now, the most important reason first: its schedule is paused, no process can run
   * it, its lock is held, an attempt is not due yet … and the outcome of the last tick, and the time of the
   * next one. It also works for a schedule that this process does not have. Reads a few entries, and the
   * schedules of each living process.
   *
   * @throws ChannelError if the store fails
   * @example
   * for (const { text } of await scheduler.why("nightly-report")) console.log(text);
   */
  async why(name: string): Promise<ScheduleReason[]> {
    checkJobName(name);
    return whyScheduled(await this.#openStore(), this.#manager, name);
  }

  /**
   * The schedules of the store, including those that this process does not have, ordered by name. Each has
   * its next ticks, `limit` at most. With `name`, only this schedule is read.
   *
   * @throws ChannelError if the store fails
   */
  async *schedules({
    limit = 1,
    name,
  }: {
    readonly limit?: number;
    readonly name?: string;
  } = {}): AsyncGenerator<ScheduleSummary, void, undefined> {
    const [store, obstacles] = await Promise.all([this.#openStore(), this.#obstacles()]);
    yield* schedulesOf(store, limit, obstacles, name);
  }

  /**
   * The outcomes of the ticks of a schedule, and the ticks that wait for their run, newest first. Reads only
   * as many as the caller takes.
   */
  async *ticks(name: string, options: TicksOptions = {}): AsyncGenerator<ScheduleTick, void, undefined> {
    checkJobName(name);
    yield* ticksOf(await this.#openStore(), name, options);
  }

  /**
   * From this call on, the scheduler decides no further tick and starts no attempt. It notifies the other
   * processes at once, so that they take over the ticks and the attempts. It ends its own runs like {@link
   * JobManager.close}: their signals fire, their locks stay held until their job functions return, and a run
   * that is still active after the `grace` is closed as `lost`. A run that the close interrupts is handed
   * over if the schedule has `retry`: another process makes the same attempt of the tick. Without `retry`,
   * the run is `cancelled`, and its tick is not run again, unless its job function calls {@link
   * Run.handOver}.
   *
   * @throws ChannelError `INVALID_ARGUMENT`
   */
  async close(options: CloseOptions = {}): Promise<void> {
    await Promise.all([this.#runs.close(options), this.stop()]);
  }

  /** @internal Like {@link close}, but does not signal the runs: the program ends them itself. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * @internal From this call on, this process does not run the schedule any more; the others do. It stays in
   * the store. An active run continues.
   */
  async leave(name: string): Promise<void> {
    const job = this.#jobs.get(name);
    if (job === undefined) return;
    this.#jobs.delete(name);
    const opened = await this.#opened;
    opened?.presence.remove(name);
    await job.close();
  }

  async #stop(): Promise<void> {
    this.#closing.abort();
    this.#runs.stop();
    this.#alarms.close();
    await Promise.all([...this.#jobs.values()].map((job) => job.close()));
    const opened = await this.#opened?.catch(() => undefined);
    await inBackground(async () => opened?.presence.close());
  }

  /** The author of a request, its time and its reason. */
  #asked(
    what: string,
    options: { readonly reason: string; readonly author?: string } | undefined,
  ): Pick<Pause, "reason" | "by" | "at"> {
    const { reason, author = `${hostname()}, pid ${process.pid}` } = options ?? {};
    if (typeof reason === "string" && reason !== "") return { reason, by: author, at: this.#clock.now() };
    throw new ScheduleError("INVALID", `${what} needs a reason`, "reason");
  }

  async #obstacles(): Promise<{ holds: ReturnType<typeof holdsIn>; maintenance: readonly Maintenance[] }> {
    const [locks, maintenance] = await Promise.all([this.#manager.heldLocks(), this.#manager.maintenance()]);
    return { holds: holdsIn(locks), maintenance };
  }

  #assertOpen(): void {
    if (this.#stopped !== undefined) throw new ScheduleError("CLOSED", "this scheduler is closed");
  }

  #openStore(): Promise<ScheduleStore> {
    this.#store ??= this.#openChannel().catch((error: unknown) => {
      // A store that was away may be back for the next call.
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  async #openChannel(): Promise<ScheduleStore> {
    this.#assertOpen();
    return openScheduleStore(this.#manager, this.#clock, this.#instance);
  }

  async #open(): Promise<Host> {
    this.#assertOpen();
    this.#opened ??= this.#begin().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  /** Begins to follow the store. Resolves when its whole content is known. */
  async #begin(): Promise<Host> {
    const store = await this.#openStore();
    const { signal } = this.#closing;
    const members = new Members(this.#instance, (names) => {
      for (const name of names) this.#jobs.get(name)?.membersChanged();
    });
    const presence = new Presence(store);
    const onDeath = async (gone: readonly string[]): Promise<void> => {
      // Their places pass to the others, on all hosts.
      await Promise.all(gone.map((instance) => store.channel.unset(memberKey(instance))));
      await this.#manager.sweep();
    };
    const neighbours = new Neighbours({ self: store.by, clock: this.#clock, signal, onDeath });
    const opened: Host = {
      manager: this.#manager,
      runs: this.#runs,
      store,
      members,
      presence,
      alarms: this.#alarms,
      starts: new Semaphore(STARTS_AT_ONCE),
      began: this.#began,
      closing: signal,
      own: (name) => this.#jobs.get(name)?.own,
      rank: (name) => this.#jobs.get(name)?.rank ?? Number.POSITIVE_INFINITY,
      stop: () => void this.stop(),
      publishTicks: (schedule, ticks) => publishTicks(schedule, ticks, this.#onTick),
      attemptsFirst: (schedule) => retries.first(schedule),
      onLead: (schedule) => {
        requests.begin(schedule);
        retries.begin(schedule);
      },
    };
    const requests: Requests = new Requests(opened);
    const retries: Retries = new Retries(opened);
    const { channel } = store;
    const schedules = {
      put: (key: Key, value: SchedulesValue, version: Version) => this.#scheduleChanged(key, { value, version }),
      gone: (key: Key) => this.#scheduleChanged(key, undefined),
      synced: () => {},
    };
    await Promise.all([
      presence.begin(),
      store.maintenance.follow(signal, () => {
        for (const job of this.#jobs.values()) job.act();
      }),
      follow(channel, this.#clock, ["schedule"], schedules, signal),
      follow(channel, this.#clock, ["member"], both(members, neighbours), signal),
      follow(channel, this.#clock, ["request"], requests, signal),
      follow<unknown>(this.#manager.channels.locks as Channel<unknown>, this.#clock, ["retry"], retries, signal),
    ]);
    return opened;
  }

  #scheduleChanged(key: Key, entry: { readonly value: SchedulesValue; readonly version: Version } | undefined): void {
    const [, name] = key as readonly string[];
    const job = this.#jobs.get(name ?? "");
    if (job === undefined) return;
    if (entry === undefined) job.scheduleChanged(undefined);
    else if (isSchedule(entry.value, job.own.name)) job.scheduleChanged({ value: entry.value, version: entry.version });
  }
}
