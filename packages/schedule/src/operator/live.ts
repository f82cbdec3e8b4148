import type { Channel, Clock, JobManager, Key, Maintenance, PendingRetry } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import {
  type Followed,
  follow,
  isMaintenanceValue,
  isPendingRetry,
  MAINTENANCE,
  type MaintenanceValue,
  maintenanceIn,
  maintenanceOf,
  UpToDate,
} from "@ojm/core/internal";
import { LiveRuns } from "@ojm/core/internal/operator";
import { type SchedulerView, type ScheduleView, schedulersOf, viewOf } from "../control/overview.js";
import {
  CHANNEL,
  type Cursor,
  cursorKey,
  type MemberPart,
  type MemberValue,
  type SchedulesValue,
  type StoredSchedule,
} from "../store/schema.js";
import { isCursor, isMember, isMemberPart, isSchedule } from "../store/valid.js";
import { markedRetries, type Retry, type ScheduleState, scheduleState } from "./problems.js";
import { attendanceOf } from "./schedules.js";
import { readUnwatched, type SnapshotOptions, type StoreSnapshot, snapshotOf, type Unwatched } from "./snapshot.js";

/**
 * The states of the schedules are reused for this many times as long as it took to compute them. Otherwise,
 * ten thousand calendars would leave a process no time for its other work.
 */
const REUSE_FACTOR = 20;

/** How old state that no watch reports may become, in ms, without a change: a command may have ended. */
const UNWATCHED_TTL = 5_000;

/** Options of {@link followStore}. */
export interface FollowStoreOptions extends SnapshotOptions {
  /** Ends the following. */
  readonly signal: AbortSignal;
  /**
   * Called at each change. `name` is the job; it is `undefined` if a scheduler came, left or renewed its
   * entry, and `*` if a maintenance began or ended. `of` is `runs` if the run of the job began, changed or
   * ended, or if the number of waiters for its lock changed. It is `others` for all other changes, which are
   * reported only once the state is complete.
   */
  readonly changed?: (name: string | undefined, of: "runs" | "others") => void;
  /** Called if the store fails permanently: the known state becomes stale from then on. */
  readonly failed?: (error: unknown) => void;
  /** Time, replaced in simulations. Default: that of the machine. */
  readonly clock?: Clock;
}

/**
 * Follows a store by watches, until `signal` fires. If the store goes away, the known state stays until it is
 * back.
 *
 * @example
 * const live = followStore(manager, { signal, changed: () => show(live.known(Date.now()).problems) });
 * await live.ready;
 */
export function followStore(manager: JobManager, options: FollowStoreOptions): LiveStore {
  return new LiveStore(manager, options);
}

/** The state of a store for an operator, kept up to date. {@link followStore} makes one. */
export class LiveStore {
  /** Resolves when the state is complete; rejects with `NOT_SUPPORTED` if the store has no watches. */
  readonly ready: Promise<void>;
  /** The active runs. */
  readonly runs: LiveRuns;
  readonly #manager: JobManager;
  readonly #options: FollowStoreOptions;
  readonly #schedules: Kept<StoredSchedule>;
  /** Watched instead of the ticks, a month of history: a cursor moves with each decision. */
  readonly #cursors: Kept<Cursor>;
  readonly #members: Kept<MemberValue | MemberPart>;
  readonly #retries: Kept<PendingRetry>;
  readonly #maintenance: Kept<MaintenanceValue>;
  readonly #upToDate: UpToDate = new UpToDate();
  #states: readonly ScheduleState[] = [];
  #channel: Channel<SchedulesValue> | undefined;
  #isKnown = false;
  #freshUntil = 0;
  #unwatched: Unwatched = { failing: [], lastRuns: new Map(), orphans: [] };
  #isStale = true;
  #readAt = 0;
  #reading: Promise<void> | undefined;

  /** @internal Use {@link followStore}. */
  constructor(manager: JobManager, options: FollowStoreOptions) {
    this.#manager = manager;
    this.#options = options;
    const { failed, signal } = options;
    const named = (key: Key): void => this.#changed(nameOf(key), "others");
    const upToDate = this.#upToDate;
    const isNamedSchedule = (value: unknown, key: Key): value is StoredSchedule => isSchedule(value, nameOf(key));
    const isRetry = (value: unknown, key: Key): value is PendingRetry => isPendingRetry({ key, value });
    this.#schedules = new Kept(isNamedSchedule, named, upToDate);
    this.#cursors = new Kept(isCursor, named, upToDate);
    this.#members = new Kept(isMemberOrPart, () => this.#changed(undefined, "others"), upToDate);
    this.#retries = new Kept(isRetry, named, upToDate);
    const maintained = (): void => {
      this.#freshUntil = 0;
      this.#changed("*", "others");
    };
    this.#maintenance = new Kept(isMaintenanceValue, maintained, upToDate);
    this.runs = new LiveRuns(manager.liveSource(), {
      changed: (name) => this.#changed(name, "runs"),
      ...(failed && { failed }),
    });
    signal.addEventListener("abort", () => this.runs.close(), { once: true });
    this.ready = this.#follow();
    this.ready.catch(() => {});
  }

  /**
   * Resolves once the known state is complete: at once, unless a watch missed changes. While the store is
   * away, it is not known what they missed.
   */
  async upToDate(): Promise<void> {
    await this.ready;
    await Promise.all([this.#upToDate.wait(), this.runs.upToDate()]);
  }

  /** The names of the schedules. */
  scheduleNames(): string[] {
    return [...this.#schedules.values()].map(({ name }) => name);
  }

  /** The schedule of a job. {@link LiveStore.known} has the state of all schedules. */
  schedule(name: string): ScheduleView | undefined {
    const [schedule, cursor] = [this.#schedules.get(["schedule", name]), this.#cursors.get(cursorKey(name))];
    if (this.#channel === undefined || schedule === undefined || cursor === undefined) return undefined;
    const maintenance = maintenanceOf(this.maintenance(this.#now()), name);
    return viewOf(this.#channel, schedule, cursor, { held: this.runs.holds().get(name)?.until, maintenance });
  }

  /** The maintenance at `now`, the one that ends last first. */
  maintenance(now: number): Maintenance[] {
    return maintenanceIn(this.#maintenance.get(MAINTENANCE), now);
  }

  /** The living schedulers. One that died on another machine is listed for 15 seconds more. */
  schedulers(): SchedulerView[] {
    return schedulersOf(this.#members.entries());
  }

  /** The pending attempts, the soonest first. */
  retries(schedulers: readonly SchedulerView[] = this.schedulers()): Retry[] {
    const isLeft = ({ by }: PendingRetry): boolean => by === undefined || this.runs.isOver(by);
    return markedRetries([...this.#retries.values()], isLeft, schedulers);
  }

  /**
   * The known state at `now`. Reads nothing: state that no watch reports, such as the jobs that failed last,
   * is as old as the last call of {@link LiveStore.fresh}. With many schedules, their computed state may be
   * some seconds old.
   */
  known(now: number): StoreSnapshot {
    const schedulers = this.schedulers();
    const facts = {
      ...{ now, runs: this.runs.runs(), holds: this.runs.holds(), retries: this.retries(schedulers) },
      ...{ schedules: this.#statesAt(now, schedulers), ...this.#unwatched },
    };
    return snapshotOf(facts, {
      ...{ waiting: this.runs.waiting(), schedulers, maintenance: this.maintenance(now) },
    });
  }

  /**
   * The present state. Reads the state that no watch reports, if that may have changed.
   *
   * @throws ChannelError if the store fails
   */
  async fresh(): Promise<StoreSnapshot> {
    // A read that is under way may have begun before the change.
    if (this.#reading !== undefined) await this.#reading;
    if (this.#isStale || performance.now() - this.#readAt > UNWATCHED_TTL) await this.#read();
    this.#freshUntil = 0;
    return this.known(this.#now());
  }

  #now(): number {
    return (this.#options.clock ?? systemClock).now();
  }

  async #follow(): Promise<void> {
    const { signal, clock = systemClock, failed } = this.#options;
    const channel = await this.#manager.channel<SchedulesValue>(CHANNEL);
    this.#channel = channel;
    const locks = this.#manager.channels.locks as Channel<unknown>;
    const all = Promise.all([
      follow(channel, clock, ["schedule"], this.#schedules, signal),
      follow(channel, clock, ["cursor"], this.#cursors, signal),
      follow(channel, clock, ["member"], this.#members, signal),
      follow<unknown>(locks, clock, ["retry"], this.#retries, signal),
      follow<unknown>(locks, clock, MAINTENANCE, this.#maintenance, signal),
    ]);
    all.catch((error: unknown) => void (signal.aborted || failed?.(error)));
    await Promise.all([all, this.runs.ready]);
    this.#isKnown = true;
    this.#freshUntil = 0;
  }

  #changed(name: string | undefined, of: "runs" | "others"): void {
    this.#isStale = true;
    if (!this.#options.signal.aborted && (this.#isKnown || of === "runs")) this.#options.changed?.(name, of);
  }

  #statesAt(now: number, schedulers: readonly SchedulerView[]): readonly ScheduleState[] {
    const begin = performance.now();
    if (this.#channel === undefined || begin < this.#freshUntil) return this.#states;
    const unattended = attendanceOf(schedulers);
    const views = this.scheduleNames()
      .sort()
      .flatMap((name) => this.schedule(name) ?? []);
    this.#states = views.map((view) => scheduleState(view, unattended, now));
    const end = performance.now();
    this.#freshUntil = end + REUSE_FACTOR * (end - begin);
    return this.#states;
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    this.#isStale = false;
    this.#readAt = performance.now();
    const now = this.#now();
    try {
      const schedules = this.#statesAt(now, this.schedulers());
      const known = { now, schedules, runs: this.runs.runs() };
      this.#unwatched = await readUnwatched(this.#manager, known, this.#options);
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }
}

const nameOf = (key: Key): string => String((key as readonly unknown[])[1]);

const isMemberOrPart = (value: unknown): value is MemberValue | MemberPart => isMember(value) || isMemberPart(value);

/** The present entries of one kind. Any program can write to a store: other values are left out. */
class Kept<V> implements Followed<unknown> {
  readonly #entries: Map<string, { readonly key: Key; readonly value: V }> = new Map();
  readonly #isValid: (value: unknown, key: Key) => value is V;
  readonly #changed: (key: Key) => void;
  readonly #upToDate: UpToDate;

  constructor(isValid: (value: unknown, key: Key) => value is V, changed: (key: Key) => void, upToDate: UpToDate) {
    this.#isValid = isValid;
    this.#changed = changed;
    this.#upToDate = upToDate;
  }

  begun(): void {
    this.#upToDate.begun(this);
  }

  entries(): Iterable<{ readonly key: Key; readonly value: V }> {
    return this.#entries.values();
  }

  *values(): Generator<V> {
    for (const { value } of this.#entries.values()) yield value;
  }

  get(key: Key): V | undefined {
    return this.#entries.get(JSON.stringify(key))?.value;
  }

  put(key: Key, value: unknown): void {
    if (this.#isValid(value, key)) this.#entries.set(JSON.stringify(key), { key, value });
    else this.#entries.delete(JSON.stringify(key));
    this.#changed(key);
  }

  gone(key: Key): void {
    this.#entries.delete(JSON.stringify(key));
    this.#changed(key);
  }

  synced(): void {
    this.#upToDate.synced(this);
  }
}
