import { isCorrupt, unlessCorrupt } from "../../../channel/calls/corrupt.js";
import type { Channel } from "../../../channel/channel.js";
import type { Key, Op } from "../../../channel/types.js";
import type { RecordRef } from "../../records/time-index.js";
import { addCell, type Cell, DAY, decodeCells, emptyCell, encodeCells, floorTo, HOUR, MINUTE } from "../cell.js";
import { cellsKey, FOLD, type FoldEntry, type FoldState, NOTHING, openKey, PLACES } from "../entries.js";
import type { Tally } from "./tally.js";

/** How many entries one call reads. */
const AT_ONCE = 500;

/** What a fold writes: the cells of a tally, and which runs are not open any more. */
export interface Folded {
  readonly tally: Tally;
  readonly closed: readonly RecordRef[];
}

/**
 * Writes the cells of a tally over those that are stored, and `next` as the state of the fold. Each commit
 * checks the state of the fold, so that nobody writes what it read before another process went on. The last
 * commit has the new state; of several, the others repeat the old one.
 *
 * @returns the new entry of the state; `undefined` if another process went on
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

/** Writes the state of the fold, and `ops` with it, if it is as it was read. */
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

/** The values under keys, some at once. An entry that ojm did not write counts as missing. */
export async function entriesOf(times: Channel<unknown>, keys: readonly Key[]): Promise<unknown[]> {
  const parts: Promise<unknown[]>[] = [];
  for (let i = 0; i < keys.length; i += AT_ONCE) parts.push(valuesOf(times, keys.slice(i, i + AT_ONCE)));
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
