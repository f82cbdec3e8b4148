import type { Channel } from "../../channel/channel.js";
import { isCorrupt, unlessCorrupt } from "../../channel/corrupt.js";
import type { Entry, Key, Op } from "../../channel/types.js";
import type { IndexedRef, RecordRef, TimeIndex } from "../../jobs/records/time-index.js";
import type { RunRecord } from "../../jobs/types.js";
import {
  addCell,
  addRun,
  type Cell,
  cellAt,
  cellsKey,
  DAY,
  decodeCells,
  emptyCell,
  encodeCells,
  FOLD,
  type FoldEntry,
  type FoldState,
  floorTo,
  HOUR,
  isUnfolded,
  MINUTE,
  NOTHING,
  openKey,
  PLACES,
} from "./entries.js";

/** The number of entries that one call reads. */
const ENTRIES_AT_ONCE = 500;

/** The output of a fold: the cells of a tally, and the runs that are no longer open. */
interface Folded {
  readonly tally: Tally;
  readonly closed: readonly RecordRef[];
}

/**
 * Writes the cells of a tally over those that are stored, and `next` as the state of the fold. Each commit
 * checks the state of the fold, so that no process writes stale data after another one continued. The last
 * commit has the new state; if there are several, the others repeat the old one.
 *
 * @returns the new entry of the state; `undefined` if another process continued
 */
export async function writeFolded(
  times: Channel<unknown>,
  { tally, closed }: Folded,
  entry: FoldEntry,
  next: FoldState,
): Promise<FoldEntry | undefined> {
  const ops = [
    ...(await cellOps(times, tally)),
    ...[...tally.open.values()].flat().map((ref) => ({ put: openKey(ref), value: NOTHING })),
    ...closed.map((ref) => ({ delete: openKey(ref) })),
  ];
  const room = times.supports.maxOps - 2;
  let current: FoldEntry | undefined = entry;
  for (let i = 0; current !== undefined && (i === 0 || i < ops.length); i += room) {
    const state: FoldState = i + room >= ops.length ? next : (entry.state ?? next);
    current = await writeState(times, current, state, ops.slice(i, i + room));
  }
  return current;
}

/** Writes the state of the fold, and `ops` with it, if it is unchanged since it was read. */
export async function writeState(
  times: Channel<unknown>,
  { version }: FoldEntry,
  state: FoldState,
  ops: readonly Op<unknown>[] = [],
): Promise<FoldEntry | undefined> {
  const own: Op<unknown>[] = [
    { check: FOLD, version },
    { put: FOLD, value: state },
  ];
  const result = await unlessCorrupt(times.commit([...own, ...ops]));
  return result?.ok === true ? { state, version: result.version } : undefined;
}

/** The puts of the hours and days that a tally changes. */
async function cellOps(times: Channel<unknown>, { cells }: Tally): Promise<Op<unknown>[]> {
  const hours = [...cells].flatMap(([name, minutes]) =>
    [...groupBy(minutes, HOUR)].map(([at, some]) => ({ name, at, minutes: some })),
  );
  const days = new Map<string, { readonly name: string; readonly at: number; readonly hours: Map<number, Cell> }>();
  for (const { name, at } of hours) {
    const day = floorTo(at, DAY);
    days.set(`${day} ${name}`, { name, at: day, hours: new Map() });
  }
  const keys = [
    ...hours.map(({ name, at }) => cellsKey("hour", at, name)),
    ...[...days.values()].map(({ name, at }) => cellsKey("day", at, name)),
  ];
  const stored = await entriesOf(times, keys);
  const ops: Op<unknown>[] = hours.map(({ name, at, minutes }, i) => {
    const merged = decodeCells(stored[i], PLACES.hour);
    for (const [minute, cell] of minutes) merged.set((minute - at) / MINUTE, cell);
    const sum = emptyCell();
    for (const cell of merged.values()) addCell(sum, cell);
    const day = floorTo(at, DAY);
    days.get(`${day} ${name}`)?.hours.set((at - day) / HOUR, sum);
    return { put: cellsKey("hour", at, name), value: encodeCells(merged) };
  });
  for (const [i, { name, at, hours: some }] of [...days.values()].entries()) {
    const merged = decodeCells(stored[hours.length + i], PLACES.day);
    for (const [place, cell] of some) merged.set(place, cell);
    ops.push({ put: cellsKey("day", at, name), value: encodeCells(merged) });
  }
  return ops;
}

function groupBy(minutes: ReadonlyMap<number, Cell>, size: number): Map<number, [number, Cell][]> {
  const groups = new Map<number, [number, Cell][]>();
  for (const one of minutes) {
    const at = floorTo(one[0], size);
    const group = groups.get(at) ?? [];
    groups.set(at, group);
    group.push(one);
  }
  return groups;
}

/** The values under keys, several at once. An entry that ojm did not write counts as missing. */
export async function entriesOf(times: Channel<unknown>, keys: readonly Key[]): Promise<unknown[]> {
  const parts: Promise<unknown[]>[] = [];
  for (let i = 0; i < keys.length; i += ENTRIES_AT_ONCE)
    parts.push(valuesOf(times, keys.slice(i, i + ENTRIES_AT_ONCE)));
  return (await Promise.all(parts)).flat();
}

async function valuesOf(times: Channel<unknown>, keys: readonly Key[]): Promise<unknown[]> {
  try {
    return (await times.entriesUnder(keys)).map((entry) => entry?.value);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return Promise.all(keys.map((key) => unlessCorrupt(times.get(key))));
  }
}

/** The counts of the runs of some minutes, by name: the cells of ended runs, and the open runs. */
export class Tally {
  readonly cells: Map<string, Map<number, Cell>> = new Map();
  readonly open: Map<string, RecordRef[]> = new Map();

  add(record: RunRecord): void {
    const { name, startTime } = record;
    if (isUnfolded(record)) {
      put(this.open, name, [...(this.open.get(name) ?? []), { name, startTime }]);
      return;
    }
    const minutes = this.cells.get(name) ?? put(this.cells, name, new Map<number, Cell>());
    addRun(cellAt(minutes, floorTo(startTime, MINUTE)), record);
  }

  /** Adds records. Skips overwritten ones, and refs without a record. */
  addAll(entries: readonly (Entry<RunRecord> | undefined)[]): void {
    for (const entry of entries) if (entry !== undefined) this.add(entry.value);
  }

  /** Removes and returns the runs that began at this time or later, the start of a minute. */
  splitAt(time: number): Tally {
    const rest = new Tally();
    for (const [name, minutes] of this.cells) {
      for (const [at, cell] of minutes) {
        if (at < time) continue;
        minutes.delete(at);
        (rest.cells.get(name) ?? put(rest.cells, name, new Map<number, Cell>())).set(at, cell);
      }
    }
    for (const [name, refs] of this.open) {
      const later = refs.filter(({ startTime }) => startTime >= time);
      if (later.length === 0) continue;
      this.open.set(
        name,
        refs.filter(({ startTime }) => startTime < time),
      );
      rest.open.set(name, later);
    }
    return rest;
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value);
  return value;
}

/** The number of parallel reads. */
const READS_AHEAD = 4;

/**
 * Reads a value for each item, several ahead of the caller, in order: a store on a network answers the next
 * reads meanwhile. The caller must not rely on the time of a read.
 */
export async function* readAhead<T, R>(
  items: AsyncGenerator<T, void, undefined>,
  read: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const reading: Promise<{ readonly result: R } | undefined>[] = [];
  const begin = (): void => {
    const next = items.next().then(async ({ done, value }) => (done ? undefined : { result: await read(value as T) }));
    // The caller gets the error in its turn, or has stopped by then.
    next.catch(() => {});
    reading.push(next);
  };
  try {
    for (let i = 0; i < READS_AHEAD; i++) begin();
    for (;;) {
      const next = await reading.shift();
      if (next === undefined) return;
      begin();
      yield next.result;
    }
  } finally {
    await Promise.allSettled(reading);
    await items.return();
  }
}

/** The number of refs of the index that are read at once. */
export const PAGE = 500;

/**
 * The shortest and the first part of a range that is read at once, in ms, and the growth of further parts.
 */
const SHORTEST_SPAN = 60_000;
const FIRST_SPAN = 3_600_000;
const SPAN_GROWTH = 8;

/** A range of start times, and its direction. */
interface RefRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly reverse?: boolean;
  readonly signal?: AbortSignal | undefined;
  /**
   * Awaited after each page. A store in this process answers at once, and would leave no turn to other work.
   */
  pause?(): Promise<void>;
}

/**
 * The refs of a range, page by page, the oldest first, or the newest first. Reads one part of the range after
 * the other: to find the end of a range, etcd counts all of its keys.
 */
export async function* refPages(
  index: TimeIndex,
  { from, to, reverse = false, signal, pause }: RefRange,
): AsyncGenerator<readonly IndexedRef[], void, undefined> {
  let window = FIRST_SPAN;
  let [low, high] = [from, to];
  while (low < high) {
    const [after, before] = reverse ? [Math.max(low, high - window), high] : [low, Math.min(high, low + window)];
    let last: IndexedRef | undefined;
    let pages = 0;
    for (;;) {
      const begin = last === undefined ? {} : reverse ? { before: last } : { after: last };
      const page = await index.refs({ after, before, ...begin, reverse, limit: PAGE, signal });
      if (page.length > 0) yield page;
      await pause?.();
      last = page.at(-1);
      if (page.length < PAGE) break;
      pages++;
    }
    if (reverse) high = after;
    else low = before;
    window = pages === 0 ? window * SPAN_GROWTH : pages > SPAN_GROWTH ? Math.max(SHORTEST_SPAN, window / 2) : window;
  }
}
