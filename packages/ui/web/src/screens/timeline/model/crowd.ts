import type { Bar } from "../../../api/types.js";

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

/**
 * The index of the first number that is not less than `least`, by binary search: a lane may have a thousand
 * bars.
 */
function firstFrom(sorted: readonly number[], least: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
