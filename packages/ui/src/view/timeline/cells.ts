import type { RollupCell } from "@ojm/core";
import type { Status } from "../../contract/common.js";
import { type Drawn, worstOf } from "./bars.js";

/** Which cells are drawn, and when. */
export interface CellRange {
  readonly from: number;
  readonly to: number;
  readonly now: number;
  /** The length of a cell, in ms. */
  readonly size: number;
}

/** A run that goes on. Its cell counts it, but it is drawn by itself. */
export interface GoingOn {
  readonly id: string;
  readonly startTime: number;
}

/** The cells of one name as they are drawn, the oldest first, with the run that goes on. */
export function drawnCells(
  cells: readonly RollupCell[],
  going: GoingOn | undefined,
  { from, to, now, size }: CellRange,
): Drawn[] {
  const drawn: Drawn[] = [];
  for (const [i, { at, runs, longest }] of cells.entries()) {
    const goes = going !== undefined && going.startTime >= at && going.startTime < at + size;
    if (goes && going.startTime < from) {
      // All others of this cell ended before it began, so before what is drawn.
      drawn.push(goingOn(going, now));
      continue;
    }
    const counts = goes ? { ...runs, running: Math.max(0, (runs.running ?? 0) - 1) } : runs;
    const statuses = (Object.keys(counts) as Status[]).filter((status) => (counts[status] ?? 0) > 0);
    let count = 0;
    for (const status of statuses) count += counts[status] ?? 0;
    if (count > 0) {
      const start = Math.max(at, from);
      // Runs of a name follow one another, so a long one ends before the next cell that has any.
      const next = goes ? going.startTime : (cells[i + 1]?.at ?? to);
      const end = Math.max(start, Math.min(at + Math.max(size, longest), next, to, now));
      drawn.push({ count, start, end, status: worstOf(statuses) });
    }
    if (goes) drawn.push(goingOn(going, now));
  }
  return drawn;
}

function goingOn({ id, startTime }: GoingOn, now: number): Drawn {
  return { id, start: startTime, end: Math.max(now, startTime), status: "running" };
}
