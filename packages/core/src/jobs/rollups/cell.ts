import { isCount, isSpan } from "../../util/shape.js";
import type { RunRecord, RunStatus } from "../types.js";

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** The statuses of a stored cell, in its order. Never change the order: it is in the stores of users. */
const ENDED = ["completed", "skipped", "failed", "timeout", "cancelled", "lost"] as const satisfies RunStatus[];

/**
 * A cell as it is stored: which part of its entry it is, `busy`, `longest`, and the number of runs of each
 * status. Zeros at its end are left out. Runs of a name do not overlap, so sixty cells stay below 4 KB.
 */
export type StoredCell = readonly number[];

const COUNTS = 3;

/** A cell that can be added to. */
export interface Cell {
  readonly runs: { [S in RunStatus]?: number };
  busy: number;
  longest: number;
}

/** The cells of an entry, by their place in it. */
export type Cells = Map<number, Cell>;

export const emptyCell = (): Cell => ({ runs: {}, busy: 0, longest: 0 });

/** The begin of the cell of `size` ms that a time is in. */
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

export function addCell(to: Cell, { runs, busy, longest }: Cell): void {
  for (const status of Object.keys(runs) as RunStatus[]) to.runs[status] = (to.runs[status] ?? 0) + (runs[status] ?? 0);
  to.busy += busy;
  to.longest = Math.max(to.longest, longest);
}

export function encodeCells(cells: Cells): StoredCell[] {
  const sorted = [...cells].toSorted(([a], [b]) => a - b);
  return sorted.map(([place, { runs, busy, longest }]) => {
    const stored = [place, busy, longest, ...ENDED.map((status) => runs[status] ?? 0)];
    while (stored.at(-1) === 0 && stored.length > COUNTS) stored.pop();
    return stored;
  });
}

/** The cells of an entry of `places` parts. Anybody can write to the store: what is no cell is left out. */
export function decodeCells(value: unknown, places: number): Cells {
  const cells: Cells = new Map();
  eachCell(value, places, (place, runs, busy, longest) => cells.set(place, { runs, busy, longest }));
  return cells;
}

/** Whether a value is that of an entry of cells. A later version of ojm may count more in each. */
export function isCells(value: unknown): boolean {
  const isCell = (cell: unknown): boolean => Array.isArray(cell) && cell.length >= COUNTS && cell.every(isSpan);
  return Array.isArray(value) && value.every(isCell);
}

/** Calls `see` with each cell of an entry and its place. */
export function eachCell(
  value: unknown,
  places: number,
  see: (place: number, runs: Cell["runs"], busy: number, longest: number) => void,
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
    see(place, runs, busy, longest);
  }
}

function isStored(value: unknown): value is StoredCell {
  if (!Array.isArray(value) || value.length < COUNTS || value.length > COUNTS + ENDED.length) return false;
  return (value as unknown[]).every((part, i) => (i === 1 || i === 2 ? isSpan(part) : isCount(part)));
}
