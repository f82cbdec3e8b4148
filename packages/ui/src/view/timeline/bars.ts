import type { Bar, Counts, Lane, Status } from "../../contract/types.js";

/** The worst first: a bar of several runs has the status of the worst one. */
export const WORST: readonly Status[] = ["lost", "failed", "timeout", "cancelled", "running", "completed", "skipped"];

/** The place of a status in this order. One that only a later version of ojm knows is the last. */
const rankOf = (status: Status): number => (WORST.includes(status) ? WORST.indexOf(status) : WORST.length);

/** A run to draw, or several runs of which only the number is known. */
export interface Drawn {
  /** The id of the run; absent for several. */
  readonly id?: string;
  /** How many runs. Default: 1. */
  readonly count?: number;
  /** How many have each status, if statuses differ. */
  readonly counts?: Counts;
  readonly start: number;
  readonly end: number;
  readonly status: Status;
}

/**
 * The bars of the runs of one name, which are in the order of their start. Runs less than a pixel apart are
 * merged into one bar. Runs with different statuses stay apart once either is a pixel wide: one failure must
 * not paint a crowded day in its colour.
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

/** A bar to which runs are added. A tuple, because there are thousands: objects would double the cost. */
type GrowingBar = [start: number, end: number, status: Status, count: number, more?: string | Counts];

function barOf({ id, start, end, status, count = 1, counts }: Drawn): GrowingBar {
  const more = counts ?? id;
  return more === undefined ? [start, end, status, count] : [start, end, status, count, more];
}

function isNear([start, end, status]: GrowingBar, run: Drawn, pixel: number): boolean {
  if (run.start - end >= pixel) return false;
  const areNarrow = end - start < pixel && run.end - run.start < pixel;
  return areNarrow || status === run.status;
}

function add(bar: GrowingBar, { end, status, count = 1, counts }: Drawn): void {
  const [, , worst, number, more] = bar;
  const known = typeof more === "object" ? more : undefined;
  // It is more than one run now.
  bar.length = 4;
  if (status !== worst || known !== undefined || counts !== undefined) {
    bar.push(sumOf(known ?? { [worst]: number }, counts ?? { [status]: count }));
  }
  bar[1] = Math.max(bar[1], end);
  if (rankOf(status) < rankOf(worst)) bar[2] = status;
  bar[3] += count;
}

function sumOf(a: Counts, b: Counts): Counts {
  const sum = { ...a };
  for (const [status, count] of Object.entries(b) as [Status, number][]) sum[status] = (sum[status] ?? 0) + count;
  return sum;
}

/** The length of a time, and of a date in the id of a run, as JSON. */
const TIME = 13;
const DATE = 24;

/** The length of a lane as JSON. Serializing thousands of bars twice would take as long as reading them. */
export function sizeOf({ name, bars, ticks, marks }: Lane): number {
  const named = JSON.stringify(name).length;
  let size = marks === undefined ? 0 : `,"marks":${JSON.stringify(marks)}`.length;
  size += named + JSON.stringify(ticks).length + '{"lane":{"name":,"bars":[],"ticks":}},'.length;
  for (const [, , status, count, more] of bars) {
    size += 2 * TIME + status.length + String(count).length + '[,,"",],'.length;
    if (typeof more === "string") size += named + DATE + 2;
    else if (more !== undefined) size += JSON.stringify(more).length + 1;
  }
  return size;
}
