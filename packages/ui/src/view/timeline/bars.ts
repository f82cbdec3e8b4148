import type { Status } from "../../contract/common.js";
import type { Bar } from "../../contract/timeline.js";

/** The worst first: it wins the colour of a bar of several runs. */
const WORST: readonly Status[] = ["lost", "failed", "timeout", "cancelled", "running", "completed", "skipped"];

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

/** The status that a bar of all these has. */
export function worstOf(statuses: readonly Status[]): Status {
  return WORST.find((status) => statuses.includes(status)) ?? "completed";
}

/**
 * The bars of the runs of one name, which are in the order of their start. Runs that would be drawn less than
 * a pixel apart become one bar. Those that ended otherwise stay apart once either is a pixel wide: one
 * failure must not paint a crowded day in its colour.
 */
export function barsOf(runs: Iterable<Drawn>, pixel: number): Bar[] {
  const bars: Merging[] = [];
  for (const run of runs) {
    const last = bars.at(-1);
    if (last !== undefined && isNear(last, run, pixel)) add(last, run);
    else bars.push({ count: 1, ...run });
  }
  return bars.map(({ start, end, status, count, id }) =>
    count === 1 && id !== undefined ? [start, end, status, count, id] : [start, end, status, count],
  );
}

interface Merging {
  readonly id?: string;
  readonly start: number;
  end: number;
  status: Status;
  count: number;
}

function isNear(last: Merging, run: Drawn, pixel: number): boolean {
  if (run.start - last.end >= pixel) return false;
  const areNarrow = last.end - last.start < pixel && run.end - run.start < pixel;
  return areNarrow || last.status === run.status;
}

function add(bar: Merging, run: Drawn): void {
  bar.end = Math.max(bar.end, run.end);
  bar.count += run.count ?? 1;
  bar.status = worstOf([bar.status, run.status]);
}
