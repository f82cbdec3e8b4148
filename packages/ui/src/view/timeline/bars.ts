import type { Status } from "../../contract/common.js";
import type { Bar } from "../../contract/timeline.js";

/** The worst first: it wins the colour of a bar of several runs. */
export const WORST: readonly Status[] = ["lost", "failed", "timeout", "cancelled", "running", "completed", "skipped"];

/** A run as it is drawn, or several of which only their number is known. */
export interface Drawn {
  /** The id of the run; absent for several. */
  readonly id?: string;
  /** How many runs. Default: 1. */
  readonly count?: number;
  readonly start: number;
  readonly end: number;
  readonly status: Status;
}

/**
 * The bars of the runs of one name, which are in the order of their start. Runs that would be drawn less than
 * a pixel apart become one bar. Those that ended otherwise stay apart once either is a pixel wide: one
 * failure must not paint a crowded day in its colour.
 */
export function barsOf(runs: Iterable<Drawn>, pixel: number): Bar[] {
  const bars: GrowingBar[] = [];
  let last: GrowingBar | undefined;
  for (const run of runs) {
    if (last !== undefined && isNear(last, run, pixel)) add(last, run);
    else {
      last = barOf(run);
      bars.push(last);
    }
  }
  return bars;
}

/** A bar to which runs are added. There are thousands: another object for each would cost as much again. */
type GrowingBar =
  | [start: number, end: number, status: Status, count: number]
  | [start: number, end: number, status: Status, count: number, id: string];

function barOf({ id, start, end, status, count = 1 }: Drawn): GrowingBar {
  return count === 1 && id !== undefined ? [start, end, status, count, id] : [start, end, status, count];
}

function isNear([start, end, status]: GrowingBar, run: Drawn, pixel: number): boolean {
  if (run.start - end >= pixel) return false;
  const areNarrow = end - start < pixel && run.end - run.start < pixel;
  return areNarrow || status === run.status;
}

function add(bar: GrowingBar, { end, status, count = 1 }: Drawn): void {
  bar[1] = Math.max(bar[1], end);
  if (WORST.indexOf(status) < WORST.indexOf(bar[2])) bar[2] = status;
  bar[3] += count;
  // It is not one run any more.
  if (bar.length === 5) bar.pop();
}
