import { readable } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import type { Key, Version } from "../../channel/types.js";
import { fieldsOf, isCount, isText, isTime } from "../../util/shape.js";
import type { RecordRef } from "../records/time-index.js";
import { DAY, floorTo, HOUR, MINUTE } from "./cell.js";

/*
 * The entries of the rollups. They are in the channel of the index by start time, beside it.
 *
 *   ["day", begin, name]        the hours of a day
 *   ["hour", begin, name]       the minutes of an hour
 *   ["open", startTime, name]   a run that was open when the fold passed it: no cell counts it
 *   "fold"                      how far the fold is
 */

/** The two lengths of an entry of cells, with the length of its cells. */
export const SPANS: { readonly day: number; readonly hour: number } = { day: DAY, hour: HOUR };
export type Span = keyof typeof SPANS;

/** How long a cell of an entry is, in ms, and how many cells an entry has. */
export const CELL: Readonly<Record<Span, number>> = { day: HOUR, hour: MINUTE };
export const PLACES: Readonly<Record<Span, number>> = { day: DAY / HOUR, hour: HOUR / MINUTE };

const OPEN = "open";

export const FOLD: Key = "fold";

/** The value of a run that is open: its key says all. */
export const NOTHING = 0;

export const cellsKey = (span: Span, time: number, name: string): Key => [span, floorTo(time, SPANS[span]), name];

export const openKey = ({ startTime, name }: RecordRef): Key => [OPEN, startTime, name];

/** A time or a record, as the end of a range of keys. */
const bound = (kind: string, time: number): Key => [kind, time];

/** The keys of the entries that have cells from `from` on, and begin before `to`. */
export function cellsRange(
  span: Span,
  from: number | undefined,
  to: number,
): { readonly after: Key; readonly before: Key } {
  return { after: from === undefined ? [span] : bound(span, floorTo(from, SPANS[span])), before: bound(span, to) };
}

/** Where an entry of cells belongs: the job, and when its first cell begins. */
export interface EntryPlace {
  readonly name: string;
  readonly at: number;
}

/** What the key of an entry of cells says. */
export function cellsPlace(key: Key): EntryPlace | undefined {
  const [, at, name] = Array.isArray(key) ? (key as readonly unknown[]) : [];
  return isTime(at) && isText(name) ? { at, name } : undefined;
}

/** How far the fold is. */
export interface FoldState {
  /** Each run that began before is in a cell, or has an entry that says that it is open. A whole minute. */
  readonly cursor: number;
  /** How many commits changed what is before the cursor. A reader that sees it change reads again. */
  readonly repairs: number;
  /** The last look for late records: all before `version` were seen. The next one begins at `from`. */
  readonly near: { readonly from: number; readonly version: Version };
  /**
   * The look at all records, a part at a time: how far it is, if it has begun, the version at its begin, and
   * that of the look before.
   */
  readonly far: { readonly at?: number; readonly begun: Version; readonly version: Version };
}

/** A {@link FoldState} and its version. */
export interface FoldEntry {
  readonly state: FoldState | undefined;
  /** `null` if there is no entry. */
  readonly version: Version | null;
}

/** Reads how far the fold is. An entry that somebody overwrote has a version, and no state. */
export async function readFold(times: Channel<unknown>): Promise<FoldEntry> {
  for await (const { key, value, version } of readable(times, { prefix: FOLD, limit: 1 })) {
    if (key === FOLD) return { state: foldStateOf(value), version };
  }
  return { state: undefined, version: null };
}

/** How far the fold is, by its entry; `undefined` if that is damaged. */
export function foldStateOf(value: unknown): FoldState | undefined {
  const { cursor, repairs, near, far } = fieldsOf<FoldState>(value) ?? {};
  const { from, version } = fieldsOf<FoldState["near"]>(near) ?? {};
  const { at, begun, version: before } = fieldsOf<FoldState["far"]>(far) ?? {};
  if (!isTime(cursor) || !isCount(repairs) || !isTime(from)) return undefined;
  if (!isVersion(version) || !isVersion(begun) || !isVersion(before)) return undefined;
  if (at !== undefined && !isTime(at)) return undefined;
  const round = { begun, version: before };
  return { cursor, repairs, near: { from, version }, far: at === undefined ? round : { ...round, at } };
}

function isVersion(value: unknown): value is Version {
  return isText(value) && /^\d+$/.test(value);
}

/** The runs from `from` to `to` (exclusive) that no cell counts, the newest first. */
export async function openRefs(
  times: Channel<unknown>,
  range: { readonly from: number; readonly to: number; readonly limit?: number; readonly signal?: AbortSignal },
): Promise<RecordRef[]> {
  const { from, to, limit = Number.POSITIVE_INFINITY, signal } = range;
  const found: RecordRef[] = [];
  const keys = { after: bound(OPEN, from), before: bound(OPEN, to), reverse: true, limit, ...(signal && { signal }) };
  for await (const { key } of times.keys(keys)) {
    const [, startTime, name] = Array.isArray(key) ? (key as readonly unknown[]) : [];
    if (isTime(startTime) && isText(name)) found.push({ startTime, name });
  }
  return found;
}
