import type { Holder, JsonValue, Key } from "@ojm/core";
import { ScheduleError } from "../calendar/schedule.js";
import { type TickOutcome, type TickReason, tickKey, unrunKey } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { isTick } from "../store/valid.js";
import { instantOf } from "./pause.js";

/** Which ticks are listed. */
export interface TicksOptions {
  /** Only ticks at this time or later: in ms since 1970, or in ISO 8601. */
  readonly from?: number | string | Date;
  /** Only ticks before this time. */
  readonly to?: number | string | Date;
  /** Only ticks that were not run. They are found by an index, however many were run in between. */
  readonly unrun?: boolean;
  /** The most entries. */
  readonly limit?: number;
}

/** What became of a tick, or of all ticks from `at` to `until`. Times are in ms since 1970. */
export interface ScheduleTick {
  readonly schedule: string;
  readonly at: number;
  readonly outcome: TickOutcome;
  readonly reason?: TickReason;
  /** What the reason rests on, such as the holder of the lock. */
  readonly evidence?: { readonly [field: string]: JsonValue };
  /** The id of the run. */
  readonly run?: string;
  /** The last tick, and how many there are, if the entry is about several. With `more`, at least so many. */
  readonly until?: number;
  readonly count?: number;
  readonly more?: true;
  /** The process that decided, when, and by which revision of the definition. */
  readonly by: Holder;
  readonly decided: number;
  readonly revision: number;
}

/** How many ticks that were not run are read at once. */
const AT_ONCE = 100;

/** A range of the outcomes of one schedule. */
interface TickRange {
  readonly after?: Key;
  readonly before?: Key;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** The outcomes of the ticks of a schedule, newest first. */
export async function* ticksOf(
  { channel }: ScheduleStore,
  name: string,
  { from, to, unrun = false, limit = Number.POSITIVE_INFINITY }: TicksOptions,
): AsyncGenerator<ScheduleTick, void, undefined> {
  if (!(limit >= 0)) throw new ScheduleError("INVALID", `"limit" is a number from 0 up, not ${String(limit)}`, "limit");
  const first = from === undefined ? undefined : instantOf("from", from);
  const end = to === undefined ? undefined : instantOf("to", to);
  const ticks = unrun ? unrunIn : ticksIn;
  const keyOf = unrun ? unrunKey : tickKey;
  const before = end === undefined ? {} : { before: keyOf(name, end) };
  const after = first === undefined ? {} : { after: keyOf(name, first - 1) };
  let left = limit;
  for await (const tick of ticks(channel, name, { reverse: true, ...after, ...before, limit })) {
    if (left-- <= 0) return;
    yield tick;
  }
  if (first === undefined || left <= 0) return;
  // A range that began before may reach into the time.
  const earlier = { reverse: true, before: keyOf(name, Math.min(first, end ?? first)), limit: 1 };
  for await (const tick of ticks(channel, name, earlier)) if ((tick.until ?? tick.at) >= first) yield tick;
}

/** The outcomes in a range of the store. */
export async function* ticksIn(
  channel: ScheduleStore["channel"],
  name: string,
  { limit = Number.POSITIVE_INFINITY, ...range }: TickRange,
): AsyncGenerator<ScheduleTick, void, undefined> {
  let left = limit;
  let last: Key | undefined;
  while (left > 0) {
    const [asked, behind] = [left, last === undefined ? {} : range.reverse ? { before: last } : { after: last }];
    let seen = 0;
    for await (const { key, value } of channel.entries({ prefix: ["tick", name], ...range, ...behind, limit: asked })) {
      seen++;
      last = key;
      const tick = tickOf(name, key, value);
      if (tick === undefined) continue;
      left--;
      yield tick;
    }
    // What no scheduler wrote does not count: read on behind it.
    if (seen < asked) return;
  }
}

/** The outcomes in a range that are no run, by their marks. */
async function* unrunIn(
  channel: ScheduleStore["channel"],
  name: string,
  { limit = Number.POSITIVE_INFINITY, ...range }: TickRange,
): AsyncGenerator<ScheduleTick, void, undefined> {
  const most = Math.min(limit, AT_ONCE);
  let keys: Key[] = [];
  for await (const { key } of channel.keys({ prefix: ["unrun", name], ...range })) {
    const [, , at] = key as readonly unknown[];
    if (typeof at === "number") keys.push(tickKey(name, at));
    if (keys.length < most) continue;
    yield* await unrunUnder(channel, name, keys);
    keys = [];
  }
  yield* await unrunUnder(channel, name, keys);
}

/** A backfill may have run a tick since its mark was read. */
async function unrunUnder(
  channel: ScheduleStore["channel"],
  name: string,
  keys: readonly Key[],
): Promise<ScheduleTick[]> {
  const entries = await channel.entriesUnder(keys);
  const ticks = entries.map((entry) => entry && tickOf(name, entry.key, entry.value));
  return ticks.filter((tick) => tick !== undefined && tick.outcome !== "run") as ScheduleTick[];
}

function tickOf(name: string, key: Key, value: unknown): ScheduleTick | undefined {
  const [, , at] = key as readonly unknown[];
  if (typeof at !== "number" || !isTick(value)) return undefined;
  const { calendar: _, ...tick } = value;
  return { schedule: name, at, ...tick };
}
