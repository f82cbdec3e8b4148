import type { RollupCell } from "@ojm/core/internal";
import type { Counts, Status } from "../../contract/types.js";
import { type Drawn, WORST } from "./bars.js";

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
export function drawnCells(cells: readonly RollupCell[], going: GoingOn | undefined, range: CellRange): Drawn[] {
  const { from, to, now, size } = range;
  const drawn: Drawn[] = [];
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as RollupCell;
    const { at, longest } = cell;
    const goes = going !== undefined && going.startTime >= at && going.startTime < at + size;
    if (goes && going.startTime < from) {
      // All others of this cell ended before it began, so before what is drawn.
      drawn.push(goingOn(going, now));
      continue;
    }
    const sum = summed(cell, goes);
    if (sum.count > 0) {
      const start = Math.max(at, from);
      // Runs of a name follow one another, so a long one ends before the next cell that has any.
      const next = goes ? going.startTime : (cells[i + 1]?.at ?? to);
      const end = Math.max(start, Math.min(at + Math.max(size, longest), next, to, now));
      drawn.push({ ...sum, start, end });
    }
    if (goes) drawn.push(goingOn(going, now));
  }
  return drawn;
}

/**
 * How many runs a cell has, of which status, and the worst one of these. The run that `goes` on is left out.
 */
function summed(
  { runs }: RollupCell,
  goes: boolean,
): Required<Pick<Drawn, "count" | "status">> & Pick<Drawn, "counts"> {
  const numberOf = (status: Status): number => (runs[status] ?? 0) - (goes && status === "running" ? 1 : 0);
  let count = 0;
  let worst: Status | undefined;
  for (const status of WORST) {
    const own = numberOf(status);
    if (own <= 0) continue;
    worst ??= status;
    count += own;
  }
  const status = worst ?? "completed";
  if (count === 0 || count === numberOf(status)) return { count, status };
  const all = WORST.map((each): [Status, number] => [each, numberOf(each)]).filter(([, own]) => own > 0);
  return { count, status, counts: Object.fromEntries(all) as Counts };
}

function goingOn({ id, startTime }: GoingOn, now: number): Drawn {
  return { id, start: startTime, end: Math.max(now, startTime), status: "running" };
}
