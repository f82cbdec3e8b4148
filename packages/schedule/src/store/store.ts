import { hostname } from "node:os";
import {
  type Channel,
  ChannelError,
  type Clock,
  type Entry,
  type Holder,
  type JobManager,
  type JsonValue,
  type Op,
  type Version,
} from "@ojm/core";
import {
  type AuditAction,
  type ChannelOps,
  KnownMaintenance,
  type StartingRun,
  unlessCorrupt,
} from "@ojm/core/internal";
import { lastTick } from "../calendar/schedule.js";
import { LATE } from "../decide/decide.js";
import { cursorAt, type Decided, type Moved, range, type Why } from "../decide/outcomes.js";
import { calendarOf } from "../definition/calendar.js";
import {
  CHANNEL,
  type Cursor,
  cursorKey,
  MARK,
  type SchedulesValue,
  type StoredSchedule,
  scheduleKey,
  TICK_TTL,
  type TickValue,
  tickKey,
  unrunKey,
} from "./schema.js";
import { isCursor, isSchedule, isTick, isTime } from "./valid.js";

/** The most outcomes that one commit writes; each is a check, a write and a mark. etcd accepts 128 ops. */
export const MOST_TICKS = 40;

/** A value, and the version of its entry. */
export interface Versioned<V> {
  readonly value: V;
  readonly version: Version;
}

/** A schedule and its cursor in the store. */
export interface Stored {
  readonly schedule: Versioned<StoredSchedule>;
  readonly cursor: Versioned<Cursor>;
}

/** A schedule in the store, and its cursor if that was read. */
export interface Found {
  readonly schedule: Versioned<StoredSchedule>;
  readonly cursor?: Versioned<Cursor>;
}

/** The versions of a schedule and of its cursor that a commit checks; `null`: there is no entry. */
export type CheckedVersions = { readonly [K in keyof Stored]: Version | null };

/** The entries of the schedulers, and the commits that change them. */
export class ScheduleStore {
  readonly channel: Channel<SchedulesValue>;
  readonly clock: Clock;
  /** The maintenance, which keeps ticks from running. */
  readonly maintenance: KnownMaintenance;
  /** The author of the writes. */
  readonly by: Holder;
  readonly #manager: JobManager;

  constructor(manager: JobManager, channel: Channel<SchedulesValue>, clock: Clock, by: Holder) {
    this.#manager = manager;
    this.channel = channel;
    this.clock = clock;
    this.maintenance = new KnownMaintenance(manager.channels.locks as Channel<unknown>, clock);
    this.by = by;
  }

  /** The ops that record an action in the audit, for the commit of that action. */
  noted(act: Omit<AuditAction, "by">): ChannelOps<unknown> {
    return this.#manager.auditOps({ ...act, by: this.by }) as ChannelOps<unknown>;
  }

  /** Commits ops, and the audit entry of their action with them. Resolves to whether their checks held. */
  async act(ops: readonly Op<SchedulesValue>[], act: Omit<AuditAction, "by">): Promise<boolean> {
    return (await this.channel.commitWith<unknown[]>(ops, [this.noted(act)])).ok;
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

  /**
   * The entry that covers a tick. A range counts for all ticks of its time, even if the schedule has another
   * calendar by now. So no two entries overlap, and the nearest one is the only candidate.
   */
  async outcomeAt(name: string, at: number): Promise<FoundOutcome | undefined> {
    const [found] = await this.outcomesIn(name, at, at);
    return found !== undefined && holds(found, at) ? found : undefined;
  }

  /** The outcomes of a time, oldest first, and the previous one: it may be a range that reaches into it. */
  async outcomesIn(name: string, first: number, last: number): Promise<FoundOutcome[]> {
    const prefix = ["tick", name];
    const found: FoundOutcome[] = [];
    const before = { prefix, before: tickKey(name, first + 1), reverse: true, limit: 1 };
    const within = { prefix, after: tickKey(name, first), before: tickKey(name, last + 1) };
    for (const range of first === last ? [before] : [before, within]) {
      for await (const { key, value, version, expiresIn = TICK_TTL } of this.channel.entries(range)) {
        const [, , at] = key as readonly unknown[];
        if (isTime(at) && isTick(value)) found.push({ at, value, version, expiresIn });
      }
    }
    return found;
  }

  /** The schedule and its cursor; each `undefined` if there is none. */
  async read(name: string): Promise<{ readonly [K in keyof Stored]: Stored[K] | undefined }> {
    const [schedule, cursor] = await Promise.all([this.schedule(name), this.cursor(name)]);
    return { schedule, cursor };
  }

  /** The ops of an outcome. They fail if the tick has one already. */
  tickOps(name: string, { at, value }: Decided, revision: number): Op<SchedulesValue>[] {
    const key = tickKey(name, at);
    const tick: TickValue = { ...value, by: this.by, decided: this.clock.now(), revision };
    return [{ check: key, version: null }, ...outcomeOps(name, at, tick)];
  }

  /**
   * Writes outcomes, and the cursor behind them, if the schedule and the cursor are still as in `stored`.
   * Resolves to the new cursor; to `undefined` if they have changed.
   */
  async settle(stored: Stored, cursor: Cursor, ticks: readonly Decided[]): Promise<Versioned<Cursor> | undefined> {
    const put = { put: cursorKey(stored.schedule.value.name), value: cursor };
    const version = await this.write(stored, { cursor, ticks }, [put]);
    return version === undefined ? undefined : { value: cursor, version };
  }

  /**
   * Writes outcomes and more, if the schedule and the cursor are still as in `stored`. `moved.cursor`: the
   * cursor behind all of them. `others`: ops without checks on other channels. A tick that has an outcome
   * keeps it. Resolves to the version of the writes; to `undefined` if the schedule or the cursor has
   * changed.
   */
  async write(
    stored: Stored,
    moved: Moved,
    writes: readonly Op<SchedulesValue>[],
    others: readonly ChannelOps<unknown>[] = [],
  ): Promise<Version | undefined> {
    const { schedule } = stored;
    let { cursor } = stored;
    const versions = (): CheckedVersions => ({ schedule: schedule.version, cursor: cursor.version });
    const ticks = await this.undecided({ schedule: schedule.value, cursor: cursor.value }, moved.ticks);
    let left = ticks.toSorted((a, b) => a.at - b.at);
    while (left.length > MOST_TICKS) {
      const part = left.slice(0, MOST_TICKS);
      // The cursor moves with each part: if this process dies in between, the next one may have another
      // policy, and would decide these ticks again.
      const value = cursorBehind(cursor.value, part, moved.cursor);
      const put = { put: cursorKey(schedule.value.name), value };
      const version = await this.commit(schedule.value, versions(), part, [put]);
      if (version === undefined) return undefined;
      cursor = { value, version };
      left = left.slice(MOST_TICKS);
    }
    return this.commit(schedule.value, versions(), left, writes, others);
  }

  /** The outcomes of the ticks that have none in the store: without a cursor that was set back, all. */
  async undecided(
    { schedule, cursor }: { readonly schedule: StoredSchedule; readonly cursor: Cursor },
    ticks: readonly Decided[],
  ): Promise<readonly Decided[]> {
    if (cursor.ahead === undefined) return ticks;
    const passed = passedBefore(schedule, this.clock.now());
    const left: Decided[] = [];
    for (const tick of ticks) {
      const { at, value } = tick;
      const { until = at, count: _, more: __, calendar: of = {}, ...why } = value;
      if (until <= passed) continue;
      const known = await this.outcomesIn(schedule.name, Math.max(at, passed), until);
      if (until === at) {
        if (!known.some((outcome) => holds(outcome, at))) left.push(tick);
        continue;
      }
      const calendar = calendarOf(of);
      let from = at > passed ? at : calendar.next(passed);
      for (const { at: start, value } of known) {
        if (start > from) left.push(range(of, from, lastTick(calendar, from, start - 1), why as Why));
        from = Math.max(from, calendar.next(value.until ?? start));
      }
      if (from <= until) left.push(range(of, from, until, why as Why));
    }
    return left;
  }

  /** One commit of {@link write}: {@link MOST_TICKS} outcomes at most. */
  async commit(
    { name, revision }: StoredSchedule,
    { schedule, cursor }: CheckedVersions,
    ticks: readonly Decided[],
    writes: readonly Op<SchedulesValue>[],
    others: readonly ChannelOps<unknown>[] = [],
  ): Promise<Version | undefined> {
    const checks: Op<SchedulesValue>[] = [
      { check: scheduleKey(name), version: schedule },
      { check: cursorKey(name), version: cursor },
    ];
    let decided = ticks;
    for (;;) {
      const ops = decided.flatMap((tick) => this.tickOps(name, tick, revision));
      const result = await this.channel.commitWith<unknown[]>([...checks, ...ops, ...writes], others);
      if (result.ok) return result.version;
      const taken = result.failed.flatMap(({ key }) => tickOf(key));
      if (taken.length < result.failed.length) return undefined;
      // The cursor was lost or set back, and the ticks have outcomes: these stay.
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

/** An outcome in the store, the tick of its entry, and its remaining time to live, in ms. */
export interface FoundOutcome {
  readonly at: number;
  readonly value: TickValue;
  readonly version: Version;
  readonly expiresIn: number;
}

const holds = ({ at: first, value: { until = first } }: FoundOutcome, at: number): boolean =>
  at >= first && at <= until;

/** The ops that write a run in place of the tick's outcome. A range that contains the tick is cut in two. */
export function replaceOps(
  store: ScheduleStore,
  { name, at, found, run }: { name: string; at: number; found: FoundOutcome; run: StartingRun },
  more: { readonly [field: string]: JsonValue } = {},
): Op<SchedulesValue>[] {
  const { until, count: _, more: __, calendar: of, ...rest } = found.value;
  const calendar = until === undefined || of === undefined ? undefined : calendarOf(of);
  // A tick of a new calendar has had no outcome of its own before.
  const isOne = at === found.at || calendar?.next(at - 1) === at;
  const before = isOne && { before: { outcome: rest.outcome, ...(rest.reason && { reason: rest.reason }) } };
  const evidence = { ...more, ...before };
  const value = { outcome: "run", run: run.id, evidence } as const;
  const tick: TickValue = { ...value, by: store.by, decided: store.clock.now(), revision: rest.revision };
  const ops: Op<SchedulesValue>[] = [
    { check: tickKey(name, found.at), version: found.version },
    ...outcomeOps(name, at, tick),
    { delete: unrunKey(name, at) },
  ];
  if (until === undefined || of === undefined || calendar === undefined) return ops;
  const part = (first: number, last: number): Op<SchedulesValue>[] => {
    const { value } = range(of, first, last, rest as Why);
    return outcomeOps(name, first, { ...rest, ...value }, found.expiresIn);
  };
  if (found.at < at) {
    ops.push({ check: tickKey(name, at), version: null });
    ops.push(...part(found.at, lastTick(calendar, found.at, at - 1)));
  }
  const next = calendar.next(at);
  if (next <= until) ops.push(...part(next, until));
  return ops;
}

/**
 * After a cursor was set back, late ticks up to this time get no new outcome. If the store has no outcome for
 * them, they belong to an earlier definition or to the time before the schedule existed, or their outcome has
 * expired after 30 days.
 */
export function passedBefore({ since }: Pick<StoredSchedule, "since">, now: number): number {
  return Math.max(Math.min(since, now - LATE), now - TICK_TTL);
}

/**
 * The ops that write the outcome of a tick, or of a range that begins at it. Only a few of a thousand ticks
 * are not run, and people search for these: each has a mark, which lives as long as the outcome.
 */
export function outcomeOps(name: string, at: number, value: TickValue, ttl: number = TICK_TTL): Op<SchedulesValue>[] {
  const put: Op<SchedulesValue> = { put: tickKey(name, at), value, ttl };
  return value.outcome === "run" ? [put] : [put, { put: unrunKey(name, at), value: MARK, ttl }];
}

/**
 * Opens the entries of the schedulers in the store of a manager. `instance`: the name of the scheduler that
 * writes them.
 *
 * @throws ChannelError `NOT_SUPPORTED` if one commit cannot write locks and schedules; as `manager.channel`
 */
export async function openScheduleStore(manager: JobManager, clock: Clock, instance: string): Promise<ScheduleStore> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  if (!manager.channels.locks.joins(channel as never)) {
    const text =
      "this store has each channel on a node of its own: schedules need them on one. In a Redis Cluster, give a keyPrefix with a hash tag";
    throw new ChannelError("NOT_SUPPORTED", text);
  }
  const by = { host: hostname(), pid: process.pid, instance };
  return new ScheduleStore(manager, channel, clock, by);
}
