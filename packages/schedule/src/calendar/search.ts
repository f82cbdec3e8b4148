import type { Schedule } from "./schedule.js";

/**
 * The last tick up to `to`, starting from the tick `tick`. It is found without a walk, for years may have
 * passed.
 */
export function lastTick(schedule: Schedule, tick: number, to: number): number {
  const second = schedule.next(tick);
  if (second > to) return tick;
  let low = second - 1;
  let high = to;
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (schedule.next(middle) <= to) low = middle;
    else high = middle;
  }
  return schedule.next(low);
}

/** How many ticks there are from the tick `from` up to `to`, exclusive. Counts no further than `most`. */
export function countTicks(schedule: Schedule, from: number, to: number, most: number): number {
  let ticks = 0;
  for (let at = from; at < to && ticks < most; at = schedule.next(at)) ticks++;
  return ticks;
}

/**
 * The newest ticks from the tick `first` to the tick `last`, in order, at most `most` of them. Years may lie
 * between the two.
 */
export function newestTicks(schedule: Schedule, first: number, last: number, most: number): number[] {
  const ticks: number[] = [];
  for (let at = last; ticks.length < most; at = lastTick(schedule, first, at - 1)) {
    ticks.unshift(at);
    if (at <= first) break;
  }
  return ticks;
}
