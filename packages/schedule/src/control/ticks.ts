import type { Holder, JsonValue, Key } from "@ojm/core";
import { type DamageCheck, entriesUnlessCorrupt, inBatches, readable, unlessCorrupt } from "@ojm/core/internal";
import { ScheduleError } from "../calendar/schedule.js";
import { isReadable, show } from "../definition/check.js";
import { CHANNEL, cursorKey, type TickOutcome, type TickReason, tickKey, unrunKey } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import {
  hasRequestFields,
  isCursor,
  isKnownTick,
  isMember,
  isMemberPart,
  isRequest,
  isSchedule,
  isTime,
  isWholeTick,
  schedulesOfPart,
} from "../store/valid.js";
import { instantOf } from "./pause.js";

/** The ticks to list. */
export interface TicksOptions {
  /** Only ticks at this time or later: in ms since 1970, or in ISO 8601. */
  readonly from?: number | string | Date;
  /** Only ticks before this time. */
  readonly to?: number | string | Date;
  /** Only ticks that have not run. An index finds them, however many ran in between. */
  readonly unrun?: boolean;
  /** The most entries. */
  readonly limit?: number;
}

/** The outcome of a tick, or of all ticks from `at` to `until`. Times are in ms since 1970. */
export interface ScheduleTick {
  readonly schedule: string;
  readonly at: number;
  /** `waiting`: it has no outcome yet, and its run begins when the earlier ones have ended. */
  readonly outcome: TickOutcome | "waiting";
  readonly reason?: TickReason;
  /** The evidence of the reason, such as the holder of the lock. */
  readonly evidence?: { readonly [field: string]: JsonValue };
  /** The id of the run. */
  readonly run?: string;
  /** The last tick and the number of ticks, if the entry covers several. With `more`, at least that many. */
  readonly until?: number;
  readonly count?: number;
  readonly more?: true;
  /** The process that decided, when, and by which revision of the definition. Absent while the tick waits. */
  readonly by?: Holder;
  readonly decided?: number;
  readonly revision?: number;
}

/** A tick with an outcome. */
export interface DecidedTick extends ScheduleTick {
  readonly outcome: TickOutcome;
  readonly by: Holder;
  readonly decided: number;
  readonly revision: number;
}

/** The number of ticks without a run that are read at once. */
const AT_ONCE = 100;

/** A range of the outcomes of one schedule. */
interface TickRange {
  readonly after?: Key;
  readonly before?: Key;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** The outcomes of the ticks of a schedule, and the ticks that wait for their run, newest first. */
export async function* ticksOf(
  { channel }: Pick<ScheduleStore, "channel">,
  name: string,
  { from, to, unrun = false, limit = Number.POSITIVE_INFINITY }: TicksOptions,
): AsyncGenerator<ScheduleTick, void, undefined> {
  if (!(limit >= 0)) throw new ScheduleError("INVALID", `"limit" is a number from 0 up, not ${show(limit)}`, "limit");
  const first = from === undefined ? undefined : instantOf("from", from);
  const end = to === undefined ? undefined : instantOf("to", to);
  if (limit === 0) return;
  // Read the cursor first: a tick whose run begins meanwhile is listed twice then, but not lost.
  const waiting = (await waitingIn(channel, name))
    .filter((at) => at >= (first ?? at) && at < (end ?? Number.POSITIVE_INFINITY))
    .toReversed();
  let left = limit;
  for await (const tick of merged(name, waiting, decidedIn(channel, name, { first, end, unrun, limit }))) {
    yield tick;
    if (--left <= 0) return;
  }
}

/** The ticks of a schedule that wait for their run, oldest first. */
async function waitingIn(channel: ScheduleStore["channel"], name: string): Promise<readonly number[]> {
  const cursor = await unlessCorrupt(channel.get(cursorKey(name)));
  return isCursor(cursor) ? (cursor.waiting ?? []) : [];
}

/** Inserts waiting ticks between the decided ones, newest first. A decided tick does not wait any more. */
async function* merged(
  schedule: string,
  waiting: readonly number[],
  decided: AsyncIterable<DecidedTick>,
): AsyncGenerator<ScheduleTick, void, undefined> {
  const left = [...waiting];
  for await (const tick of decided) {
    while (left[0] !== undefined && left[0] > tick.at) yield waitingTick(schedule, left.shift() as number);
    if (left[0] === tick.at) left.shift();
    yield tick;
  }
  for (const at of left) yield waitingTick(schedule, at);
}

const waitingTick = (schedule: string, at: number): ScheduleTick => ({ schedule, at, outcome: "waiting" });

/** The outcomes to read. */
interface DecidedRange extends Pick<TicksOptions, "unrun"> {
  readonly first?: number | undefined;
  readonly end?: number | undefined;
  readonly limit: number;
}

/** The ticks with an outcome, newest first. */
export async function* decidedIn(
  channel: ScheduleStore["channel"],
  name: string,
  { first, end, unrun = false, limit }: DecidedRange,
): AsyncGenerator<DecidedTick, void, undefined> {
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
  // An earlier range may reach into the time.
  const earlier = { reverse: true, before: keyOf(name, Math.min(first, end ?? first)), limit: 1 };
  for await (const tick of ticks(channel, name, earlier)) if ((tick.until ?? tick.at) >= first) yield tick;
}

/** The outcomes in a range of the store. */
export async function* ticksIn(
  channel: ScheduleStore["channel"],
  name: string,
  { limit = Number.POSITIVE_INFINITY, ...range }: TickRange,
): AsyncGenerator<DecidedTick, void, undefined> {
  let left = limit;
  let last: Key | undefined;
  while (left > 0) {
    const [asked, behind] = [left, last === undefined ? {} : range.reverse ? { before: last } : { after: last }];
    let seen = 0;
    for await (const { key, value } of readable(channel, {
      prefix: ["tick", name],
      ...range,
      ...behind,
      limit: asked,
    })) {
      seen++;
      last = key;
      const tick = tickOf(name, key, value);
      if (tick === undefined) continue;
      left--;
      yield tick;
    }
    // Entries that no scheduler wrote do not count: continue behind them.
    if (seen < asked) return;
  }
}

/** The outcomes without a run in a range, by their marks. */
async function* unrunIn(
  channel: ScheduleStore["channel"],
  name: string,
  { limit = Number.POSITIVE_INFINITY, ...range }: TickRange,
): AsyncGenerator<DecidedTick, void, undefined> {
  const marks = channel.keys({ prefix: ["unrun", name], ...range });
  for await (const some of inBatches(marks, Math.min(limit, AT_ONCE))) {
    const ats = some.map(({ key }) => (key as readonly unknown[])[2]);
    const keys = ats.filter(isTime).map((at) => tickKey(name, at));
    yield* await unrunUnder(channel, name, keys);
  }
}

/** The outcomes of marked ticks, without those that a backfill has run since their marks were read. */
async function unrunUnder(channel: ScheduleStore["channel"], name: string, keys: Key[]): Promise<DecidedTick[]> {
  const entries = await entriesUnlessCorrupt(channel, keys);
  const ticks = entries.map((entry) => entry && tickOf(name, entry.key, entry.value));
  return ticks.filter((tick) => tick !== undefined && tick.outcome !== "run") as DecidedTick[];
}

function tickOf(name: string, key: Key, value: unknown): DecidedTick | undefined {
  const [, , at] = key as readonly unknown[];
  if (!isTime(at) || !isWholeTick(value)) return undefined;
  const { calendar: _, ...tick } = value;
  return { schedule: name, at, ...tick };
}

function isDamaged({ key, value }: Parameters<DamageCheck["isDamaged"]>[0]): boolean {
  const [kind, name, part, ...more] = (Array.isArray(key) ? key : []) as readonly unknown[];
  if (typeof name !== "string" || more.length > 0) return false;
  switch (kind) {
    case "schedule":
      return part === undefined && !isSchedule(value, name);
    case "cursor":
      return part === undefined && !isCursor(value);
    case "tick":
      return typeof part === "number" && !(isTime(part) && isWholeTick(value));
    case "member":
      return part === undefined ? !isMember(value) : !isMemberPart(value);
    case "request":
      return part !== undefined && !hasRequestFields(value);
    default:
      return false;
  }
}

function isUnknown({ key, value }: Parameters<DamageCheck["isDamaged"]>[0]): boolean {
  const [kind, name, part] = (Array.isArray(key) ? key : []) as readonly unknown[];
  switch (kind) {
    case "schedule":
      return part === undefined && isSchedule(value, String(name)) && !isReadable(value.definition);
    case "tick":
      return isWholeTick(value) && !isKnownTick(value);
    case "member":
      return isMemberPart(value) && schedulesOfPart(value).length < value.schedules.length;
    case "request":
      return hasRequestFields(value) && !isRequest(value);
    default:
      return false;
  }
}

/** Finds the damaged entries of the schedulers. */
export const scheduleDamage: DamageCheck = {
  channel: CHANNEL,
  isDamaged,
  isUnknown,
  prefixes: ["schedule", "cursor", "member", "request", "tick"].map((kind) => [kind]),
};
