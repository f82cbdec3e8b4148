import type { Status } from "../../contract/common.js";
import type { Bar } from "../../contract/timeline.js";

/** The worst first: it wins the colour of a bar of several runs. */
const WORST: readonly Status[] = ["lost", "failed", "timeout", "cancelled", "running", "completed", "skipped"];

/** A run, as it is drawn. */
export interface Drawn {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly status: Status;
}

/**
 * The bars of the runs of one name, which are in the order of their start. Runs that would be drawn less than
 * a pixel apart become one bar, but for runs that are wider than a pixel and end otherwise.
 */
export function barsOf(runs: Iterable<Drawn>, pixel: number): Bar[] {
  const bars: Merging[] = [];
  for (const run of runs) {
    const last = bars.at(-1);
    if (last !== undefined && isNear(last, run, pixel)) add(last, run);
    else bars.push({ ...run, count: 1 });
  }
  return bars.map(({ start, end, status, count, id }) =>
    count === 1 ? [start, end, status, count, id] : [start, end, status, count],
  );
}

interface Merging {
  readonly id: string;
  readonly start: number;
  end: number;
  status: Status;
  count: number;
}

function isNear(last: Merging, run: Drawn, pixel: number): boolean {
  if (run.start - last.end >= pixel) return false;
  const areWide = last.end - last.start >= pixel && run.end - run.start >= pixel;
  return !areWide || last.status === run.status;
}

function add(bar: Merging, run: Drawn): void {
  bar.end = Math.max(bar.end, run.end);
  bar.count++;
  if (WORST.indexOf(run.status) < WORST.indexOf(bar.status)) bar.status = run.status;
}
