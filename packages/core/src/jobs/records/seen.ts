import { unlessCorrupt } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import type { Key, Version } from "../../channel/types.js";
import { fieldsOf, isText, isTime } from "../../util/shape.js";
import type { RecordRef } from "./time-index.js";

const DAY = 86_400_000;

/** How late a look may be before another process does it, in times to live. */
const LATE = 3;

/** The most open runs that are remembered from one look to the next. */
const MOST_OPEN = 500;

/** How far the clocks of two machines may differ before only a full look finds a record, in ms. */
export const MARGIN: number = DAY;

/** What the last look for orphans saw, so that the next one need not begin anew. Times in ms since 1970. */
export interface SeenValue {
  /** The start of the look. It saw all records that were written before {@link SeenValue.version}. */
  readonly until: number;
  readonly version: Version;
  /** The start of the last look at all records. */
  readonly full: number;
  /** The open runs, as `[startTime, name]`. Each had its lock. */
  readonly open: readonly (readonly [number, string])[];
  /** When the next look is due. */
  readonly due: number;
}

export const SEEN: Key = "seen";
export const LOOK: Key = "look";

/** Reads what the last look saw; `undefined` if there was none, or if somebody overwrote the entry. */
export async function readSeen(channel: Channel<unknown>): Promise<SeenValue | undefined> {
  return seenIn(await unlessCorrupt(channel.get(SEEN)));
}

/** What the last look saw, by its entry; `undefined` if that is damaged. */
export function seenIn(value: unknown): SeenValue | undefined {
  const { until, version, full, open, due } = fieldsOf<SeenValue>(value) ?? {};
  if (!isTime(until) || !isTime(full) || !isTime(due)) return undefined;
  if (!isText(version) || !/^\d+$/.test(version) || !Array.isArray(open)) return undefined;
  const isRef = (ref: unknown): boolean => Array.isArray(ref) && isTime(ref[0]) && isText(ref[1]);
  return open.every(isRef) ? { until, version, full, open, due } : undefined;
}

export async function writeSeen(channel: Channel<unknown>, seen: SeenValue): Promise<void> {
  await channel.set(SEEN, seen);
}

/** Whether nobody seems to look: the next look is late, or its time comes from a wrong clock. */
export function isStale(seen: SeenValue | undefined, now: number, ttl: number): boolean {
  return seen === undefined || now > seen.due + LATE * ttl || now < seen.due - DAY;
}

/** Whether a look must see all records: the last such look is a day old, or the clock was set back since. */
export function isFullLookDue({ until, full }: SeenValue, now: number): boolean {
  return now < until || now < full || now >= full + DAY;
}

/** What a look saw that began at `until`; `open`: the runs that are open and have a lock. */
export function seenNow(
  open: readonly RecordRef[],
  { until, version, full }: Pick<SeenValue, "until" | "version" | "full">,
): Omit<SeenValue, "due"> {
  if (open.length <= MOST_OPEN)
    return { until, version, full, open: open.map(({ startTime, name }) => [startTime, name]) };
  // The next look reads them all by itself: every record from the oldest of them on.
  const oldest = open.reduce((least, { startTime }) => Math.min(least, startTime), until);
  return { until: oldest, version: "0", full, open: [] };
}

/** Marks the begin of a look. Everything that is written later has a higher version than the result. */
export async function markBegin(channel: Channel<unknown>, at: number): Promise<Version> {
  return channel.set(LOOK, at);
}
