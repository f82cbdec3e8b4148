import type { Bar, Counts, Lane, Mark, Missing, Running, TickView } from "../../../api/types.js";

/** A range of time, in ms since 1970. */
export type Range = Missing;

/** An item in a lane that the cursor can select. */
export type Item = { readonly lane: string; readonly at: number; readonly end: number } & (
  | { readonly kind: "bar"; readonly bar: Bar }
  | { readonly kind: "tick"; readonly tick: TickView }
  | { readonly kind: "mark"; readonly mark: Mark }
);

/** The id of the run of a bar, if it is one run that is fully known. */
export const idOf = ([, , , , more]: Bar): string | undefined => (typeof more === "string" ? more : undefined);

/** How many runs of a bar have each status. */
export const countsOf = ([, , status, count, more]: Bar): Counts =>
  typeof more === "object" ? more : { [status]: count };

/**
 * The range after a click on a bar of several runs: a quarter of the shown range around the clicked time, and
 * not more than the bar.
 */
export function closerTo([start, end]: Bar, { from, to }: Range, at: number): Range {
  const quarter = (to - from) / 4;
  const margin = Math.min(quarter, end - start) / 20;
  const length = Math.min(quarter, end - start + 2 * margin);
  const first = Math.max(start - margin, Math.min(at - length / 2, end + margin - length));
  return { from: first, to: first + length };
}

/** A lane with its running runs. */
export interface LiveLane extends Lane {
  readonly live: readonly Running[];
}

/** Adds the running runs to the lanes. With `adds`, a job whose first run is running gets a lane. */
export function withRunning(lanes: readonly Lane[], running: Iterable<Running>, adds: boolean): readonly LiveLane[] {
  const byName = new Map<string, Running[]>();
  for (const run of running) byName.set(run.name, [...(byName.get(run.name) ?? []), run]);
  const known = lanes.map((lane): LiveLane => {
    const live = byName.get(lane.name) ?? [];
    byName.delete(lane.name);
    return { ...lane, live };
  });
  if (!adds || byName.size === 0) return known;
  const added = [...byName].map(([name, live]): LiveLane => ({ name, bars: [], ticks: [], live }));
  return [...known, ...added].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The bars of a lane, with the running runs in place of the bars from the server. */
export function barsOf({ bars, live }: LiveLane, now: number): readonly Bar[] {
  const isLive = (id: string | undefined): boolean => live.some((run) => run.id === id);
  const past = bars.filter((bar) => !isLive(idOf(bar)));
  return [...past, ...live.map((run): Bar => [run.startTime, Math.max(now, run.startTime), "running", 1, run.id])];
}

/** All items of a lane that are in a range, in order. */
export function itemsOf(lane: LiveLane, { from, to }: Range, now: number): readonly Item[] {
  const bars = barsOf(lane, now)
    .filter(([start, end]) => end >= from && start <= to)
    .map((bar): Item => ({ kind: "bar", lane: lane.name, at: bar[0], end: bar[1], bar }));
  const ticks = lane.ticks
    .filter(({ due, until = due }) => until >= from && due <= to)
    .map((tick): Item => ({ kind: "tick", lane: lane.name, at: tick.due, end: tick.until ?? tick.due, tick }));
  const marks = (lane.marks ?? [])
    .filter(({ at }) => at >= from && at <= to)
    .map((mark): Item => ({ kind: "mark", lane: lane.name, at: mark.at, end: mark.at, mark }));
  return [...bars, ...ticks, ...marks].sort((a, b) => a.at - b.at);
}

/** How far the mark of a tick extends to each side, with its background, in px. */
const REACH = 9;

/** The least width of a bar, in px. */
export const LEAST = 3;

/**
 * Where the mark of a tick would hide runs: bars under the mark that are narrower than it. There the mark is
 * small, and below them.
 *
 * @param xOf where a time is, in px
 */
export function crowdOf(bars: readonly Bar[], xOf: (at: number) => number): (x: number) => boolean {
  const middles = bars
    .flatMap(([start, end]) => {
      const [x, wide] = [xOf(start), Math.max(LEAST, xOf(end) - xOf(start))];
      return wide < 2 * REACH ? [x + wide / 2] : [];
    })
    .sort((a, b) => a - b);
  return (x) => (middles[firstFrom(middles, x - REACH)] ?? Number.POSITIVE_INFINITY) <= x + REACH;
}

/** The index of the first number from `least` on, by binary search: a lane may have a thousand bars. */
function firstFrom(sorted: readonly number[], least: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
