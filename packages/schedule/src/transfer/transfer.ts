import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import {
  type CallOptions,
  type Channel,
  ChannelError,
  type Clock,
  isChannelError,
  type JobManager,
  type Op,
} from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { type ImportCount, ImportCounter, type Items, isHolder, present } from "@ojm/core/internal";
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
import { type CheckedVersions, MOST_TICKS, outcomeOps, ScheduleStore, type Stored } from "../store/store.js";
import { isCursor, isSchedule, isTick, isTime } from "../store/valid.js";

/** A time after every tick. */
const END_OF_TIME = Number.MAX_VALUE;

/** The author of a reader, which writes nothing. */
const READER = { host: "", pid: 0, instance: "" };

type Parts = AsyncGenerator<ExportedSchedulePart, void, undefined>;

/**
 * The schedules of a store, each after the outcomes of its ticks, for the {@link openScheduleImport} of
 * another store. Schedulers may use the store meanwhile: each schedule is exported as of one moment.
 * Requests, such as an unfinished backfill, belong to their store: they are not exported.
 *
 * @throws ChannelError if the store fails
 */
export async function* exportedSchedules(
  manager: JobManager,
  options: ScheduleExportOptions & { readonly clock?: Clock } = {},
): Parts {
  const { name: only, clock = systemClock } = options;
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  const store = new ScheduleStore(manager, channel, clock, READER);
  const exported = new Set<string>();
  for await (const name of only === undefined ? namesUnder(channel, "schedule") : [only]) {
    exported.add(name);
    try {
      yield* scheduleOf(store, name, options);
    } catch (error) {
      // One damaged schedule must not end the export of the others.
      if (!isChannelError(error) || error.code !== "CORRUPT") throw error;
      yield { leftOut: { schedule: name, reason: "a schedule with a damaged entry" } };
    }
  }
  if (only !== undefined) return;
  // Removed schedules: their ticks are still in the store.
  for await (const name of namesUnder(channel, "tick")) if (!exported.has(name)) yield* ticksOf(store, name, options);
}

/** The names of the entries of one kind, skipping from one name to the next. */
async function* namesUnder(channel: Channel<SchedulesValue>, kind: "schedule" | "tick"): Items<string> {
  let last: string | undefined;
  for (;;) {
    const behind = last === undefined ? {} : { after: [kind, last, END_OF_TIME] };
    let name: unknown;
    for await (const { key } of channel.keys({ prefix: [kind], ...behind, limit: 1 }))
      name = Array.isArray(key) ? key[1] : undefined;
    if (typeof name !== "string") return;
    yield name;
    last = name;
  }
}

async function* scheduleOf(store: ScheduleStore, name: string, options: ScheduleExportOptions): Parts {
  let before = await readable(store, name);
  let from = options.from ?? Number.NEGATIVE_INFINITY;
  for (;;) {
    yield* ticksOf(store, name, { ...options, from });
    const after = await readable(store, name);
    if (after === undefined) return;
    // Some ticks may have got their outcome during the read: the cursor must not include others.
    if (after.cursor.version === before?.cursor.version) {
      yield { schedule: { ...after.schedule.value, cursor: after.cursor.value, read: store.clock.now() } };
      return;
    }
    if (before !== undefined) {
      // The first tick that may be without an outcome.
      const { at, waiting = [] } = before.cursor.value;
      from = Math.max(options.from ?? from, Math.min(at, ...waiting));
    }
    before = after;
  }
}

/** The schedule and its cursor; `undefined` unless a scheduler wrote both. */
async function readable(store: ScheduleStore, name: string): Promise<Stored | undefined> {
  const { schedule, cursor } = await store.read(name);
  return schedule && cursor && { schedule, cursor };
}

async function* ticksOf(
  store: ScheduleStore,
  name: string,
  { from = Number.NEGATIVE_INFINITY, to, signal }: ScheduleExportOptions,
): Parts {
  const before = to === undefined ? undefined : tickKey(name, to);
  const range = { prefix: ["tick", name], ...present({ before, signal }) };
  // A range of ticks that reaches to `from` may have begun earlier.
  const first = async (): Promise<number> => (await store.outcomeAt(name, from))?.at ?? from;
  const begin = from === Number.NEGATIVE_INFINITY ? {} : { after: tickKey(name, (await first()) - 1) };
  for await (const { key, value } of store.channel.entries({ ...range, ...begin })) {
    const [, , at] = key as readonly unknown[];
    if (isTime(at) && isTick(value)) yield { tick: { schedule: name, at, ...value } };
  }
}

/** Options of {@link exportedSchedules}. */
export interface ScheduleExportOptions extends CallOptions {
  /** Only the schedule of this name. */
  readonly name?: string;
  /** Only the outcomes of ticks at this time or later, in ms since 1970. */
  readonly from?: number;
  /** Only the outcomes of ticks before this time, in ms since 1970. */
  readonly to?: number;
}

/** The outcome of a tick, or of several, as in the store. */
export interface ExportedTick extends TickValue {
  readonly schedule: string;
  /** In ms since 1970. */
  readonly at: number;
}

/** A schedule as in the store. */
export interface ExportedSchedule extends StoredSchedule {
  /** The cursor: which of its ticks have their outcome. */
  readonly cursor: Cursor;
  /** When it was read, in ms since 1970. */
  readonly read: number;
}

/** A part of an export by {@link exportedSchedules}: plain JSON. A schedule comes after its ticks. */
export type ExportedSchedulePart =
  | { readonly tick: ExportedTick }
  | { readonly schedule: ExportedSchedule }
  /** A schedule of which an entry is damaged. Some of its ticks may have been exported. */
  | { readonly leftOut: { readonly schedule: string; readonly reason: string } };

/** The counts of an import of schedules. */
export interface ScheduleImportCounts {
  readonly schedules: ImportCount;
  readonly ticks: ImportCount;
}

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
  return new ScheduleImport(new ScheduleStore(manager, channel, clock, by));
}

/** Imports the export of another store: see {@link openScheduleImport}. Not for two callers at once. */
export class ScheduleImport {
  readonly #store: ScheduleStore;
  readonly #schedules: ImportCounter = new ImportCounter();
  readonly #ticks: ImportCounter = new ImportCounter();
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
    else if ("schedule" in part) await this.#addSchedule(checkedSchedule(part.schedule));
  }

  /**
   * Writes all buffered parts. Call it after the last part.
   *
   * @throws ChannelError if the store fails
   */
  async flush(): Promise<void> {
    const ticks = this.#waiting;
    this.#waiting = [];
    if (ticks.length > 0) await this.#addTicks(ticks);
  }

  async #addTick(tick: ExportedTick): Promise<void> {
    const last = this.#waiting.at(-1);
    const continues = last === undefined || (last.schedule === tick.schedule && last.at < tick.at);
    if (!continues || this.#waiting.length >= MOST_TICKS) await this.flush();
    this.#waiting.push(tick);
  }

  /** Writes outcomes of one schedule, in order, unless the store has one, alone or in a range. */
  async #addTicks(ticks: readonly ExportedTick[]): Promise<void> {
    const now = this.#store.clock.now();
    const [{ schedule = "", at: first = 0 } = {}] = ticks;
    const last = Math.max(...ticks.map(({ at, until = at }) => until));
    const known = await this.#store.outcomesIn(schedule, first, last);
    const added: ExportedTick[] = [];
    for (const tick of ticks) {
      const own = known.filter(({ at, value: { until = at } }) => at <= (tick.until ?? tick.at) && until >= tick.at);
      const isSame = own.some(({ at, value }) => at === tick.at && isDeepStrictEqual(value, outcomeOf(tick)));
      if (isSame) this.#ticks.present++;
      else if (own.length > 0) this.#ticks.leaveOut(DECIDED);
      else if (tick.decided + TICK_TTL <= now) this.#ticks.leaveOut("it is older than 30 days");
      else added.push(tick);
    }
    await this.#put(added, now);
  }

  async #put(ticks: readonly ExportedTick[], now: number): Promise<void> {
    let left = ticks;
    while (left.length > 0) {
      const ops = left.flatMap((tick): Op<SchedulesValue>[] => {
        const key = tickKey(tick.schedule, tick.at);
        // By the clock of its original store, the tick may have been decided in the future.
        const ttl = Math.min(TICK_TTL, tick.decided + TICK_TTL - now);
        return [{ check: key, version: null }, ...outcomeOps(tick.schedule, tick.at, outcomeOf(tick), ttl)];
      });
      const result = await this.#store.channel.commit(ops).catch((error: unknown) => {
        if (!isChannelError(error) || error.code !== "TOO_LARGE") throw error;
        return undefined;
      });
      if (result === undefined) return this.#ticks.leaveOut("it is too large for this store", left.length);
      if (result.ok) {
        this.#ticks.imported += left.length;
        return;
      }
      const taken = new Set(result.failed.map(({ key }) => (key as readonly unknown[])[2]));
      this.#ticks.leaveOut(DECIDED, taken.size);
      left = left.filter(({ at }) => !taken.has(at));
    }
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
      const removed = (await this.#store.channel.get(removedKey(name))) as RemovedValue | undefined;
      if (removed === undefined || removed.at < read) return this.#begin(value, cursor);
      this.#schedules.leaveOut("it was removed from this store since");
    } else if (own.schedule === undefined || own.cursor === undefined) {
      this.#schedules.leaveOut("the store has only a part of it: start its scheduler first");
    } else if (own.schedule.value.hash !== hash) {
      this.#schedules.leaveOut("the store has another definition of it");
    } else if (own.cursor.value.at < Math.min(cursor.at, now) && own.cursor.value.waiting === undefined) {
      return this.#moveOn({ schedule: own.schedule, cursor: own.cursor }, cursor);
    } else this.#schedules.present++;
    return true;
  }

  async #begin(value: StoredSchedule, cursor: Cursor): Promise<boolean> {
    const { name } = value;
    const moved = await this.#settled(value, cursor);
    return this.#commit(value, { schedule: null, cursor: null }, moved.ticks, [
      { put: scheduleKey(name), value },
      { put: cursorKey(name), value: moved.cursor },
      { delete: removedKey(name) },
    ]);
  }

  async #moveOn({ schedule, cursor: own }: Stored, cursor: Cursor): Promise<boolean> {
    const moved = await this.#settled(schedule.value, cursor);
    const versions = { schedule: schedule.version, cursor: own.version };
    const put = { put: cursorKey(schedule.value.name), value: moved.cursor };
    return this.#commit(schedule.value, versions, moved.ticks, [put]);
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
    schedule: StoredSchedule,
    versions: CheckedVersions,
    ticks: readonly Decided[],
    writes: readonly Op<SchedulesValue>[],
  ): Promise<boolean> {
    let left = ticks;
    for (; left.length > MOST_TICKS; left = left.slice(MOST_TICKS)) {
      const part = left.slice(0, MOST_TICKS);
      if ((await this.#store.commit(schedule, versions, part, [])) === undefined) return false;
    }
    if ((await this.#store.commit(schedule, versions, left, writes)) === undefined) return false;
    this.#schedules.imported++;
    return true;
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

const DECIDED = "the store has an outcome for this tick";

function outcomeOf({ schedule: _, at: __, ...value }: ExportedTick): TickValue {
  return value;
}
