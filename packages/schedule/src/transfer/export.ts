import type { CallOptions, Channel, Clock, JobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import type { ImportCount } from "@ojm/core/internal";
import {
  CHANNEL,
  type Cursor,
  type SchedulesValue,
  type StoredSchedule,
  type TickValue,
  tickKey,
} from "../store/schema.js";
import { notesOf, ScheduleStore, type Stored } from "../store/store.js";
import { isCursor, isSchedule, isTick } from "../store/valid.js";

/** A time after every tick. */
const END_OF_TIME = Number.MAX_VALUE;

/** The author of a reader, which writes nothing. */
const NOBODY = { host: "", pid: 0, instance: "" };

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
  const store = new ScheduleStore(channel, clock, NOBODY, notesOf(manager));
  const told = new Set<string>();
  for await (const name of only === undefined ? namesUnder(channel, "schedule") : [only]) {
    told.add(name);
    yield* scheduleOf(store, name, options);
  }
  if (only !== undefined) return;
  // Removed schedules: their ticks are still in the store.
  for await (const name of namesUnder(channel, "tick")) if (!told.has(name)) yield* ticksOf(channel, name, options);
}

/** The names of the entries of one kind, skipping from one name to the next. */
async function* namesUnder(
  channel: Channel<SchedulesValue>,
  kind: "schedule" | "tick",
): AsyncGenerator<string, void, undefined> {
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
    yield* ticksOf(store.channel, name, { ...options, from });
    const after = await readable(store, name);
    if (after === undefined) return;
    // Some ticks may have got their outcome during the read: the cursor must not include others.
    if (after.cursor.version === before?.cursor.version) {
      yield { schedule: { ...after.schedule.value, cursor: after.cursor.value, read: store.clock.now() } };
      return;
    }
    if (before !== undefined) from = Math.max(options.from ?? from, firstOpen(before.cursor.value));
    before = after;
  }
}

/** The first tick that may be without an outcome. */
function firstOpen({ at, waiting = [] }: Cursor): number {
  return Math.min(at, ...waiting);
}

/** The schedule and its cursor; `undefined` unless a scheduler wrote both. */
async function readable({ channel }: ScheduleStore, name: string): Promise<Stored | undefined> {
  const [schedule, cursor] = await Promise.all([channel.entry(["schedule", name]), channel.entry(["cursor", name])]);
  if (schedule === undefined || !isSchedule(schedule.value, name)) return undefined;
  if (cursor === undefined || !isCursor(cursor.value)) return undefined;
  const value: StoredSchedule = schedule.value;
  return {
    schedule: { value, version: schedule.version },
    cursor: { value: cursor.value, version: cursor.version },
  };
}

async function* ticksOf(
  channel: Channel<SchedulesValue>,
  name: string,
  { from = Number.NEGATIVE_INFINITY, to, signal }: ScheduleExportOptions,
): Parts {
  const range = {
    prefix: ["tick", name],
    ...(to !== undefined && { before: tickKey(name, to) }),
    ...(signal && { signal }),
  };
  const begin =
    from === Number.NEGATIVE_INFINITY ? {} : { after: tickKey(name, await firstReaching(channel, name, from)) };
  for await (const { key, value } of channel.entries({ ...range, ...begin })) {
    const [, , at] = key as readonly unknown[];
    if (typeof at === "number" && isTick(value)) yield { tick: { schedule: name, at, ...value } };
  }
}

/** A time before the first entry that reaches to `from`: a range of ticks may have begun earlier. */
async function firstReaching(channel: Channel<SchedulesValue>, name: string, from: number): Promise<number> {
  const earlier = { prefix: ["tick", name], before: tickKey(name, from), reverse: true, limit: 1 };
  for await (const { key, value } of channel.entries(earlier)) {
    const [, , at] = key as readonly unknown[];
    if (typeof at === "number" && isTick(value) && (value.until ?? at) >= from) return at - 1;
  }
  return from - 1;
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
export type ExportedSchedulePart = { readonly tick: ExportedTick } | { readonly schedule: ExportedSchedule };

/** The counts of an import of schedules. */
export interface ScheduleImportCounts {
  readonly schedules: ImportCount;
  readonly ticks: ImportCount;
}
