import type { Bar, Lane, Running, TickView } from "../../../api/types.js";
import type { Range } from "./window.js";

/** Something in a lane that the cursor can be at. */
export type Item =
  | { readonly kind: "bar"; readonly lane: string; readonly at: number; readonly end: number; readonly bar: Bar }
  | {
      readonly kind: "tick";
      readonly lane: string;
      readonly at: number;
      readonly end: number;
      readonly tick: TickView;
    };

/** A lane with what is live in it. */
export interface LiveLane extends Lane {
  readonly live: readonly Running[];
}

/** Puts what runs now into the lanes; a job whose first run goes on gets a lane. */
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

/** The bars of a lane, with those that are live in place of what the server drew of them. */
export function barsOf({ bars, live }: LiveLane, now: number): readonly Bar[] {
  const isLive = (id: string | undefined): boolean => live.some((run) => run.id === id);
  const past = bars.filter(([, , , , id]) => !isLive(id));
  return [...past, ...live.map((run): Bar => [run.startTime, Math.max(now, run.startTime), "running", 1, run.id])];
}

/** All of a lane that is in a range, in order. */
export function itemsOf(lane: LiveLane, { from, to }: Range, now: number): readonly Item[] {
  const bars = barsOf(lane, now)
    .filter(([start, end]) => end >= from && start <= to)
    .map((bar): Item => ({ kind: "bar", lane: lane.name, at: bar[0], end: bar[1], bar }));
  const ticks = lane.ticks
    .filter(({ due, until = due }) => until >= from && due <= to)
    .map((tick): Item => ({ kind: "tick", lane: lane.name, at: tick.due, end: tick.until ?? tick.due, tick }));
  return [...bars, ...ticks].sort((a, b) => a.at - b.at);
}
