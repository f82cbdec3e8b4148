import type { Channel } from "../../channel/channel.js";
import { readable } from "../../channel/corrupt.js";
import type { Key, Version } from "../../channel/types.js";
import type { RecordRef } from "../../jobs/records/time-index.js";
import type { RunRecord, RunStatus } from "../../jobs/types.js";
import { fieldsOf, isCount, isSpan, isText, isTime } from "../../util/shape.js";

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** The furthest range of a rollup query, in ms: rollups reject more than 400 days of hours. */
export const FURTHEST_ROLLUP: number = 399 * DAY;

/*
 * The entries of the rollups. They share the channel of the index by start time.
 *
 *   ["day", begin, name]        the hours of a day
 *   ["hour", begin, name]       the minutes of an hour
 *   ["open", startTime, name]   a run that no cell counts: it was open when the fold passed it
 *   "fold"                      the progress of the fold
 */

/** The two lengths of an entry of cells, with the length of its cells. */
export const SPANS: { readonly day: number; readonly hour: number } = { day: DAY, hour: HOUR };
export type Span = keyof typeof SPANS;

/** How long a cell of an entry is, in ms, and how many cells an entry has. */
export const CELL: Readonly<Record<Span, number>> = { day: HOUR, hour: MINUTE };
export const PLACES: Readonly<Record<Span, number>> = { day: DAY / HOUR, hour: HOUR / MINUTE };

const OPEN = "open";

export const FOLD: Key = "fold";

/** The value of an open run. The key has all the information. */
export const NOTHING = 0;

export const cellsKey = (span: Span, time: number, name: string): Key => [span, floorTo(time, SPANS[span]), name];

export const openKey = ({ startTime, name }: RecordRef): Key => [OPEN, startTime, name];

/** The keys of the entries that have cells from `from` on, and begin before `to`. */
export function cellsRange(span: Span, from: number | undefined, to: number): { after: Key; before: Key } {
  return { after: from === undefined ? [span] : [span, floorTo(from, SPANS[span])], before: [span, to] };
}

/** The place of an entry of cells: the job, and the start of its first cell. */
export interface EntryPlace {
  readonly name: string;
  readonly at: number;
}

/** The job and the time in the key of an entry of cells, or of an open run. */
export function cellsPlace(key: Key): EntryPlace | undefined {
  const [, at, name] = Array.isArray(key) ? (key as readonly unknown[]) : [];
  return isTime(at) && isText(name) ? { at, name } : undefined;
}

/** The progress of the fold. */
export interface FoldState {
  /** Each run that began before is in a cell, or has an entry that marks it as open. A whole minute. */
  readonly cursor: number;
  /** The number of commits that changed cells before the cursor. A reader that sees it change reads again. */
  readonly repairs: number;
  /** The last check for late records: it saw all before `version`. The next one begins at `from`. */
  readonly near: { readonly from: number; readonly version: Version };
  /**
   * The check of all records, a part at a time: its position, if it has begun, the version at its start, and
   * that of the previous check.
   */
  readonly far: { readonly at?: number; readonly begun: Version; readonly version: Version };
}

/** A {@link FoldState} and its version. */
export interface FoldEntry {
  readonly state: FoldState | undefined;
  /** `null` if there is no entry. */
  readonly version: Version | null;
}

/** Reads the progress of the fold. An overwritten entry has a version, and no state. */
export async function readFold(times: Channel<unknown>): Promise<FoldEntry> {
  for await (const { key, value, version } of readable(times, { prefix: FOLD, limit: 1 })) {
    if (key === FOLD) return { state: foldStateOf(value), version };
  }
  return { state: undefined, version: null };
}

/** The progress of the fold, from its entry, with its unknown fields; `undefined` if that is damaged. */
export function foldStateOf(value: unknown): FoldState | undefined {
  const { cursor, repairs, near, far } = fieldsOf<FoldState>(value) ?? {};
  const { from, version } = fieldsOf<FoldState["near"]>(near) ?? {};
  const { at, begun, version: before } = fieldsOf<FoldState["far"]>(far) ?? {};
  if (!isTime(cursor) || !isCount(repairs) || !isTime(from)) return undefined;
  if (!isVersion(version) || !isVersion(begun) || !isVersion(before)) return undefined;
  if (at !== undefined && !isTime(at)) return undefined;
  const round = { begun, version: before };
  const known = { cursor, repairs, near: { from, version }, far: at === undefined ? round : { ...round, at } };
  return { ...fieldsOf<FoldState>(value), ...known };
}

function isVersion(value: unknown): value is Version {
  return isText(value) && /^\d+$/.test(value);
}

/** The runs from `from` to `to` (exclusive) that no cell counts, the newest first. */
export async function openRefs(
  times: Channel<unknown>,
  { from, to, signal }: { readonly from: number; readonly to: number; readonly signal: AbortSignal | undefined },
): Promise<RecordRef[]> {
  const found: RecordRef[] = [];
  const keys = { after: [OPEN, from], before: [OPEN, to], reverse: true, ...(signal && { signal }) };
  for await (const { key } of times.keys(keys)) {
    const place = cellsPlace(key);
    if (place !== undefined) found.push({ startTime: place.at, name: place.name });
  }
  return found;
}

/** The statuses of a stored cell, in its order. Never change the order: it is in the stores of users. */
const ENDED = ["completed", "skipped", "failed", "timeout", "cancelled", "lost"] as const satisfies RunStatus[];

/**
 * A cell as it is stored: its place in the entry, `busy`, `longest`, and the number of runs of each status.
 * Trailing zeros are left out. Runs of a name do not overlap, so sixty cells stay below 4 KB. A later version
 * of ojm may append the numbers of its statuses.
 */
type StoredCell = readonly number[];

const COUNTS = 3;
const NONE: readonly number[] = [];

/**
 * Whether no cell counts a run: it is open, or a later version of ojm wrote its status. Such a run is marked
 * as open, so that queries count it by its record, and the fold of that version finds it.
 */
export function isUnfolded(record: Pick<RunRecord, "status"> | undefined): boolean {
  return record !== undefined && !(ENDED as readonly string[]).includes(record.status);
}

/** A cell to which runs can be added. */
export interface Cell {
  readonly runs: { [S in RunStatus]?: number };
  busy: number;
  longest: number;
  /** The numbers that a later version appended. */
  more?: readonly number[];
}

/** The cells of an entry, by their place in it. */
type Cells = Map<number, Cell>;

export const emptyCell = (): Cell => ({ runs: {}, busy: 0, longest: 0 });

/** The start of the cell of `size` ms that contains a time. */
export const floorTo = (time: number, size: number): number => Math.floor(time / size) * size;

/** The cell under a key, made if it is missing. */
export function cellAt<K>(cells: Map<K, Cell>, key: K): Cell {
  const cell = cells.get(key) ?? emptyCell();
  cells.set(key, cell);
  return cell;
}

export function addRun(cell: Cell, { status, duration = 0 }: Pick<RunRecord, "status" | "duration">): void {
  cell.runs[status] = (cell.runs[status] ?? 0) + 1;
  cell.busy += duration;
  cell.longest = Math.max(cell.longest, duration);
}

export function addCell(to: Cell, { runs, busy, longest, more }: Cell): void {
  for (const status of Object.keys(runs) as RunStatus[]) to.runs[status] = (to.runs[status] ?? 0) + (runs[status] ?? 0);
  to.busy += busy;
  to.longest = Math.max(to.longest, longest);
  const { more: before = [] } = to;
  if (more !== undefined)
    to.more = Array.from({ length: Math.max(more.length, before.length) }, (_, i) => (more[i] ?? 0) + (before[i] ?? 0));
}

export function encodeCells(cells: Cells): StoredCell[] {
  const sorted = [...cells].toSorted(([a], [b]) => a - b);
  return sorted.map(([place, { runs, busy, longest, more = [] }]) => {
    const stored = [place, busy, longest, ...ENDED.map((status) => runs[status] ?? 0), ...more];
    while (stored.at(-1) === 0 && stored.length > COUNTS) stored.pop();
    return stored;
  });
}

/**
 * The cells of an entry of `places` parts. Any program can write to the store: invalid cells are left out.
 */
export function decodeCells(value: unknown, places: number): Cells {
  const cells: Cells = new Map();
  eachCell(value, places, (place, runs, busy, longest, more) => {
    cells.set(place, { runs, busy, longest, ...(more.length > 0 && { more }) });
  });
  return cells;
}

/** Whether a value is a valid entry of cells. A later version of ojm may count more in each. */
export function isCells(value: unknown): boolean {
  const isCell = (cell: unknown): boolean => Array.isArray(cell) && cell.length >= COUNTS && cell.every(isSpan);
  return Array.isArray(value) && value.every(isCell);
}

/** Calls `see` with each cell of an entry and its place. */
export function eachCell(
  value: unknown,
  places: number,
  see: (place: number, runs: Cell["runs"], busy: number, longest: number, more: readonly number[]) => void,
): void {
  if (!Array.isArray(value)) return;
  for (const stored of value as unknown[]) {
    if (!isStored(stored)) continue;
    const [place = 0, busy = 0, longest = 0] = stored;
    if (place >= places) continue;
    const runs: Cell["runs"] = {};
    for (let i = COUNTS; i < stored.length; i++) {
      const status = ENDED[i - COUNTS];
      const count = stored[i] ?? 0;
      if (status !== undefined && count > 0) runs[status] = count;
    }
    see(place, runs, busy, longest, stored.length > COUNTS + ENDED.length ? stored.slice(COUNTS + ENDED.length) : NONE);
  }
}

function isStored(value: unknown): value is StoredCell {
  if (!Array.isArray(value) || value.length < COUNTS) return false;
  return (value as unknown[]).every((part, i) => (i === 1 || i === 2 ? isSpan(part) : isCount(part)));
}
