import type { Bar, Counts, Lane, Running, TickView } from "../../../api/types.js";

/** A range of time, in ms since 1970. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** An item in a lane that the cursor can select. */
export type Item =
  | { readonly kind: "bar"; readonly lane: string; readonly at: number; readonly end: number; readonly bar: Bar }
  | {
      readonly kind: "tick";
      readonly lane: string;
      readonly at: number;
      readonly end: number;
      readonly tick: TickView;
    };

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
  return [...bars, ...ticks].sort((a, b) => a.at - b.at);
}
