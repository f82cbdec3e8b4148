import {
  type Channel,
  ChannelError,
  type Clock,
  type Entry,
  type Holder,
  type JobManager,
  type Op,
  type Version,
} from "@ojm/core";
import { type Act, type ChannelOps, unlessCorrupt } from "@ojm/core/internal";
import { cursorAt, type Decided, type Moved } from "../decide/outcomes.js";
import { outcomeOps } from "./outcome-ops.js";
import { passedBefore, undecided } from "./replace.js";
import {
  type Cursor,
  cursorKey,
  type SchedulesValue,
  type StoredSchedule,
  scheduleKey,
  type TickValue,
  tickKey,
} from "./schema.js";
import { isCursor, isSchedule, isTick } from "./valid.js";

/** So many outcomes are written in one commit; each is a check, a write and a mark. etcd takes 128 ops. */
const MOST_TICKS = 40;

/** A value, and the version of its entry. */
export interface Versioned<V> {
  readonly value: V;
  readonly version: Version;
}

/** A schedule and its cursor as they are in the store. */
export interface Stored {
  readonly schedule: Versioned<StoredSchedule>;
  readonly cursor: Versioned<Cursor>;
}

/** A schedule as it was found, and its cursor if that was looked for. */
export interface Found {
  readonly schedule: Versioned<StoredSchedule>;
  readonly cursor?: Versioned<Cursor>;
}

/** The entries of the schedulers, and the commits that change them. */
export class ScheduleStore {
  readonly channel: Channel<SchedulesValue>;
  readonly clock: Clock;
  /** Who writes. */
  readonly by: Holder;
  readonly #note: (act: Act) => ChannelOps<unknown>;

  /** `note`: the ops by which the audit tells of an act, such as {@link notesOf}. */
  constructor(channel: Channel<SchedulesValue>, clock: Clock, by: Holder, note: (act: Act) => ChannelOps<unknown>) {
    this.channel = channel;
    this.clock = clock;
    this.by = by;
    this.#note = note;
  }

  /** The ops by which the audit tells of an act, for the commit that does it. */
  noted(act: Omit<Act, "by">): ChannelOps<unknown> {
    return this.#note({ ...act, by: this.by });
  }

  /** @throws ChannelError `CORRUPT` if no scheduler wrote the entry */
  async schedule(name: string): Promise<Versioned<StoredSchedule> | undefined> {
    return this.#checked(await this.channel.entry(scheduleKey(name)), (value) => isSchedule(value, name));
  }

  /** @throws ChannelError `CORRUPT` if no scheduler wrote the entry */
  async cursor(name: string): Promise<Versioned<Cursor> | undefined> {
    return this.#checked(await this.channel.entry(cursorKey(name)), isCursor);
  }

  /** The outcome under exactly this tick. */
  async tick(name: string, at: number): Promise<TickValue | undefined> {
    const value = await unlessCorrupt(this.channel.get(tickKey(name, at)));
    return isTick(value) ? value : undefined;
  }

  /** The schedule and its cursor; each `undefined` if there is none. */
  async read(name: string): Promise<{ readonly [K in keyof Stored]: Stored[K] | undefined }> {
    const [schedule, cursor] = await Promise.all([this.schedule(name), this.cursor(name)]);
    return { schedule, cursor };
  }

  /** The ops of an outcome: nobody has decided this tick before. */
  tickOps(name: string, { at, value }: Decided, revision: number): Op<SchedulesValue>[] {
    const key = tickKey(name, at);
    const tick: TickValue = { ...value, by: this.by, decided: this.clock.now(), revision };
    return [{ check: key, version: null }, ...outcomeOps(name, at, tick)];
  }

  /**
   * Writes outcomes, and the cursor behind them, if the schedule and the cursor are still as in `stored`.
   * Resolves to the new cursor; to `undefined` if they are not.
   */
  async settle(stored: Stored, cursor: Cursor, ticks: readonly Decided[]): Promise<Versioned<Cursor> | undefined> {
    const put = { put: cursorKey(stored.schedule.value.name), value: cursor };
    const version = await this.write(stored, { cursor, ticks }, [put]);
    return version === undefined ? undefined : { value: cursor, version };
  }

  /**
   * Writes outcomes and more, if the schedule and the cursor are still as in `stored`. `moved.cursor`: the
   * cursor behind all of them. `others`: ops without checks on other channels. A tick that has an outcome
   * keeps it. Resolves to the version of the writes; to `undefined` if they are not.
   */
  async write(
    stored: Stored,
    moved: Moved,
    writes: readonly Op<SchedulesValue>[],
    others: readonly ChannelOps<unknown>[] = [],
  ): Promise<Version | undefined> {
    let { cursor } = stored;
    const { name } = stored.schedule.value;
    const ticks = await this.undecided({ schedule: stored.schedule.value, cursor: cursor.value }, moved.ticks);
    let left = ticks.toSorted((a, b) => a.at - b.at);
    while (left.length > MOST_TICKS) {
      const part = left.slice(0, MOST_TICKS);
      // The cursor moves with each part: if this process dies in between, the next one may have another
      // policy, and would decide on these ticks anew.
      const value = cursorBehind(cursor.value, part, moved.cursor);
      const put = { put: cursorKey(name), value };
      const version = await this.#commit({ ...stored, cursor }, part, [put], []);
      if (version === undefined) return undefined;
      cursor = { value, version };
      left = left.slice(MOST_TICKS);
    }
    return this.#commit({ ...stored, cursor }, left, writes, others);
  }

  /** What is left of outcomes without those that ticks already have, if the cursor was set back. */
  async undecided(
    { schedule, cursor }: { readonly schedule: StoredSchedule; readonly cursor: Cursor },
    ticks: readonly Decided[],
  ): Promise<readonly Decided[]> {
    if (cursor.ahead === undefined) return ticks;
    return undecided(this.channel, schedule.name, ticks, passedBefore(schedule, this.clock.now()));
  }

  async #commit(
    { schedule, cursor }: Stored,
    ticks: readonly Decided[],
    writes: readonly Op<SchedulesValue>[],
    others: readonly ChannelOps<unknown>[],
  ): Promise<Version | undefined> {
    const { name, revision } = schedule.value;
    const checks: Op<SchedulesValue>[] = [
      { check: scheduleKey(name), version: schedule.version },
      { check: cursorKey(name), version: cursor.version },
    ];
    let decided = ticks;
    for (;;) {
      const ops = decided.flatMap((tick) => this.tickOps(name, tick, revision));
      const result = await this.channel.commitWith<unknown[]>([...checks, ...ops, ...writes], others);
      if (result.ok) return result.version;
      const taken = result.failed.flatMap(({ key }) => tickOf(key));
      if (taken.length < result.failed.length) return undefined;
      // The cursor was lost or set back, and the ticks have their outcomes: these stay.
      decided = decided.filter(({ at }) => !taken.includes(at));
    }
  }

  #checked<V extends SchedulesValue>(
    entry: Entry<SchedulesValue> | undefined,
    isValid: (value: unknown) => boolean,
  ): Versioned<V> | undefined {
    if (entry === undefined) return undefined;
    const { key, value, version } = entry;
    if (isValid(value)) return { value: value as V, version };
    const text = `the entry ${JSON.stringify(key)} of "${this.channel.name}" was not written by a scheduler: ojm doctor prints how to remove it`;
    throw new ChannelError("CORRUPT", text);
  }
}

/** The cursor behind the first of several outcomes. `last`: the cursor behind all of them. */
function cursorBehind(before: Cursor, ticks: readonly Decided[], last: Cursor): Cursor {
  const at = Math.max(before.at, ...ticks.map((tick) => tick.value.until ?? tick.at));
  const decided = new Set(ticks.map((tick) => tick.at));
  const still = (before.waiting ?? []).filter((tick) => !decided.has(tick));
  const begun = (last.waiting ?? []).filter((tick) => tick > before.at && tick <= at);
  return cursorAt(before, at, [...still, ...begun]);
}

function tickOf(key: unknown): number[] {
  const [kind, , at] = key as readonly unknown[];
  return kind === "tick" ? [Number(at)] : [];
}

/** The ops by which the audit of a manager tells of an act. */
export function notesOf(manager: JobManager): (act: Act) => ChannelOps<unknown> {
  return (act) => manager.auditOps(act) as ChannelOps<unknown>;
}
