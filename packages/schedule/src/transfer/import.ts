import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import {
  type Channel,
  ChannelError,
  type Clock,
  isChannelError,
  type JobManager,
  type Op,
  type Version,
} from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import type { ImportCount } from "@ojm/core/internal";
import { ScheduleError } from "../calendar/schedule.js";
import { settleAll } from "../decide/decide.js";
import { cursorAt, type Decided, type Moved, type Why } from "../decide/outcomes.js";
import { checkDefinition } from "../definition/check.js";
import {
  CHANNEL,
  type Cursor,
  cursorKey,
  type RemovedValue,
  removedKey,
  type SchedulesValue,
  type StoredSchedule,
  scheduleKey,
  TICK_TTL,
  type TickValue,
  tickKey,
} from "../store/schema.js";
import { notesOf, outcomeOps, ScheduleStore, type Stored } from "../store/store.js";
import { isCursor, isHolder, isSchedule, isTick } from "../store/valid.js";
import type { ExportedSchedule, ExportedSchedulePart, ExportedTick, ScheduleImportCounts } from "./export.js";

/** The most ticks that one commit writes; each is a check and a write. */
const MOST_TICKS = 40;

/**
 * Imports the export of another store by {@link exportedSchedules}. It never changes a schedule of this
 * store, with one exception: if it has the same definition, and has decided fewer ticks, its cursor moves on.
 *
 * A tick that was due before the import is not run again. The outcomes come before their schedule. A tick
 * that became due since the export gets the outcome `missed`, with the reason `imported`: the other store may
 * have run it.
 *
 * @throws ChannelError if the store fails
 * @example
 * const target = await openScheduleImport(to);
 * for await (const part of exportedSchedules(from)) await target.add(part);
 * await target.flush();
 */
export async function openScheduleImport(
  manager: JobManager,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<ScheduleImport> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  if (!manager.channels.locks.joins(channel as unknown as Channel<unknown>)) {
    const text = "this store has each channel on a node of its own: schedules need them on one";
    throw new ChannelError("NOT_SUPPORTED", text);
  }
  const by = { host: hostname(), pid: process.pid, instance: `import-${clock.random(8)}` };
  return new ScheduleImport(new ScheduleStore(channel, clock, by, notesOf(manager)));
}

/** Imports the export of another store: see {@link openScheduleImport}. Not for two callers at once. */
export class ScheduleImport {
  readonly #store: ScheduleStore;
  readonly #schedules: Counter = new Counter();
  readonly #ticks: Counter = new Counter();
  #waiting: ExportedTick[] = [];

  /** @internal */
  constructor(store: ScheduleStore) {
    this.#store = store;
  }

  /** The counts so far. Buffered parts are not counted yet. */
  get counts(): ScheduleImportCounts {
    return { schedules: this.#schedules, ticks: this.#ticks };
  }

  /**
   * Adds a part, in the order in which it was exported.
   *
   * @throws ScheduleError `INVALID` for a part that ojm did not export; ChannelError if the store fails
   */
  async add(part: ExportedSchedulePart): Promise<void> {
    if ("tick" in part) await this.#addTick(checkedTick(part.tick));
    else await this.#addSchedule(checkedSchedule(part.schedule));
  }

  /**
   * Writes all buffered parts. Call it after the last part.
   *
   * @throws ChannelError if the store fails
   */
  async flush(): Promise<void> {
    const ticks = this.#waiting;
    this.#waiting = [];
    if (ticks.length > 0) await addTicks(this.#store.channel, ticks, this.#store.clock.now(), this.#ticks);
  }

  async #addTick(tick: ExportedTick): Promise<void> {
    const last = this.#waiting.at(-1);
    const goesOn = last === undefined || (last.schedule === tick.schedule && last.at < tick.at);
    if (!goesOn || this.#waiting.length >= MOST_TICKS) await this.flush();
    this.#waiting.push(tick);
  }

  async #addSchedule(exported: ExportedSchedule): Promise<void> {
    await this.flush();
    while (!(await this.#attempt(exported))) {}
  }

  /** Resolves to false if the schedule changed meanwhile. */
  async #attempt({ cursor, read, ...value }: ExportedSchedule): Promise<boolean> {
    const { name, hash } = value;
    const own = await this.#store.read(name);
    const now = this.#store.clock.now();
    if (own.schedule === undefined && own.cursor === undefined) {
      if (await this.#wasRemoved(name, read)) this.#schedules.leaveOut("it was removed from this store since");
      else return this.#begin(value, cursor);
    } else if (own.schedule === undefined || own.cursor === undefined) {
      this.#schedules.leaveOut("the store has only a part of it: start its scheduler first");
    } else if (own.schedule.value.hash !== hash) {
      this.#schedules.leaveOut("the store has another definition of it");
    } else if (own.cursor.value.at < Math.min(cursor.at, now) && own.cursor.value.waiting === undefined) {
      return this.#moveOn({ schedule: own.schedule, cursor: own.cursor }, cursor);
    } else this.#schedules.present++;
    return true;
  }

  async #wasRemoved(name: string, read: number): Promise<boolean> {
    const removed = (await this.#store.channel.get(removedKey(name))) as RemovedValue | undefined;
    return removed !== undefined && removed.at >= read;
  }

  async #begin(value: StoredSchedule, cursor: Cursor): Promise<boolean> {
    const { name } = value;
    const moved = await this.#settled(value, cursor);
    return this.#commit(value, moved.ticks, { schedule: null, cursor: null }, [
      { put: scheduleKey(name), value },
      { put: cursorKey(name), value: moved.cursor },
      { delete: removedKey(name) },
    ]);
  }

  async #moveOn({ schedule, cursor: own }: Stored, cursor: Cursor): Promise<boolean> {
    const moved = await this.#settled(schedule.value, cursor);
    const versions = { schedule: schedule.version, cursor: own.version };
    const put = { put: cursorKey(schedule.value.name), value: moved.cursor };
    return this.#commit(schedule.value, moved.ticks, versions, [put]);
  }

  /** All ticks up to now get an outcome: the other store may have run them since. */
  async #settled(schedule: StoredSchedule, cursor: Cursor): Promise<Moved> {
    const now = this.#store.clock.now();
    const why: Why = { outcome: "missed", reason: "imported" };
    const { cursor: moved, ticks } = settleAll({ schedule, cursor, now, began: now }, why);
    const left = await this.#store.undecided({ schedule, cursor }, ticks);
    return { cursor: cursorAt(cursor, Math.max(moved.at, cursor.at)), ticks: left };
  }

  async #commit(
    { name, revision }: StoredSchedule,
    ticks: readonly Decided[],
    versions: { readonly schedule: Version | null; readonly cursor: Version | null },
    writes: readonly Op<SchedulesValue>[],
  ): Promise<boolean> {
    const checks: Op<SchedulesValue>[] = [
      { check: scheduleKey(name), version: versions.schedule },
      { check: cursorKey(name), version: versions.cursor },
    ];
    let left = ticks;
    for (;;) {
      const [some, rest] = [left.slice(0, MOST_TICKS), left.slice(MOST_TICKS)];
      const ops = some.flatMap((tick) => this.#store.tickOps(name, tick, revision));
      const result = await this.#store.channel.commit([...checks, ...ops, ...(rest.length === 0 ? writes : [])]);
      if (result.ok && rest.length > 0) left = rest;
      else if (result.ok) {
        this.#schedules.imported++;
        return true;
      } else {
        const taken = result.failed.map(({ key }) => key as readonly unknown[]);
        if (taken.some(([kind]) => kind !== "tick")) return false;
        // A tick that already has an outcome here keeps it.
        left = left.filter(({ at }) => !taken.some((key) => key[2] === at));
      }
    }
  }
}

function checkedTick(tick: ExportedTick): ExportedTick {
  const { schedule, at, until, by, revision } = tick ?? {};
  const isWhole = typeof schedule === "string" && schedule !== "" && Number.isSafeInteger(at) && isTick(tick);
  const isRange = until === undefined || (Number.isSafeInteger(until) && until >= at);
  if (isWhole && isRange && isHolder(by) && Number.isSafeInteger(revision)) return tick;
  throw new ScheduleError("INVALID", "the outcome of a tick is damaged");
}

function checkedSchedule(schedule: ExportedSchedule): ExportedSchedule {
  const { name, definition, since, cursor, read } = schedule ?? {};
  const isWhole = isSchedule(schedule, name) && isCursor(cursor) && Number.isFinite(read) && Number.isFinite(since);
  if (!isWhole) throw new ScheduleError("INVALID", "a schedule is damaged");
  checkDefinition(name, definition);
  return schedule;
}

/** Counts the outcomes of parts. */
class Counter implements ImportCount {
  imported = 0;
  present = 0;
  readonly leftOut: Record<string, number> = {};

  leaveOut(reason: string, count = 1): void {
    this.leftOut[reason] = (this.leftOut[reason] ?? 0) + count;
  }
}

const DECIDED = "the store has an outcome for this tick";

/**
 * Writes outcomes of ticks of one schedule, in order, if the store has none: neither under the same tick, nor
 * as part of a range.
 */
async function addTicks(
  channel: Channel<SchedulesValue>,
  ticks: readonly ExportedTick[],
  now: number,
  counter: Counter,
): Promise<void> {
  const known = await decidedAround(channel, ticks);
  const added: ExportedTick[] = [];
  for (const tick of ticks) {
    const own = known.get(tick.at);
    if (own !== undefined && isDeepStrictEqual(own, outcomeOf(tick))) counter.present++;
    else if (isDecided(known, tick)) counter.leaveOut(DECIDED);
    else if (tick.decided + TICK_TTL <= now) counter.leaveOut("it is older than 30 days");
    else added.push(tick);
  }
  await put(channel, added, now, counter);
}

async function put(
  channel: Channel<SchedulesValue>,
  ticks: readonly ExportedTick[],
  now: number,
  counter: Counter,
): Promise<void> {
  let left = ticks;
  while (left.length > 0) {
    const ops = left.flatMap((tick): Op<SchedulesValue>[] => {
      const key = tickKey(tick.schedule, tick.at);
      // By the clock of its original store, the tick may have been decided in the future.
      const ttl = Math.min(TICK_TTL, tick.decided + TICK_TTL - now);
      return [{ check: key, version: null }, ...outcomeOps(tick.schedule, tick.at, outcomeOf(tick), ttl)];
    });
    const result = await channel.commit(ops).catch((error: unknown) => {
      if (!isChannelError(error) || error.code !== "TOO_LARGE") throw error;
      return undefined;
    });
    if (result === undefined) {
      counter.leaveOut("it is too large for this store", left.length);
      return;
    }
    if (result.ok) {
      counter.imported += left.length;
      return;
    }
    const taken = new Set(result.failed.map(({ key }) => (key as readonly unknown[])[2]));
    counter.leaveOut(DECIDED, taken.size);
    left = left.filter(({ at }) => !taken.has(at));
  }
}

/** The outcomes in the store from the first of these ticks to the last, and the previous one. */
async function decidedAround(
  channel: Channel<SchedulesValue>,
  ticks: readonly ExportedTick[],
): Promise<Map<number, TickValue>> {
  const known = new Map<number, TickValue>();
  const [first] = ticks;
  if (first === undefined) return known;
  const { schedule: name } = first;
  const last = Math.max(...ticks.map(({ at, until = at }) => until));
  const prefix = ["tick", name];
  const before = { prefix, before: tickKey(name, first.at), reverse: true, limit: 1 };
  const within = { prefix, after: tickKey(name, first.at - 1), before: tickKey(name, last + 1) };
  for (const range of [before, within]) {
    for await (const { key, value } of channel.entries(range)) {
      const [, , at] = key as readonly unknown[];
      if (typeof at === "number" && isTick(value)) known.set(at, value);
    }
  }
  return known;
}

function isDecided(known: ReadonlyMap<number, TickValue>, { at, until = at }: ExportedTick): boolean {
  for (const [first, { until: last = first }] of known) if (first <= until && last >= at) return true;
  return false;
}

function outcomeOf({ schedule: _, at: __, ...value }: ExportedTick): TickValue {
  return value;
}
