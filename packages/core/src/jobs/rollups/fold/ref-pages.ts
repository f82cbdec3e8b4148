import type { IndexedRef, TimeIndex } from "../../records/time-index.js";

/** How many refs of the index are read at once. */
export const PAGE = 500;

/** The shortest part of a range that is read at once, in ms, and how much longer each next one is. */
const SHORTEST = 60_000;
const FIRST = 3_600_000;
const LONGER = 8;

/** A range of start times, and in which direction it is read. */
export interface RefRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly reverse?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Awaited after each page. A store in this process answers at once, and nobody else would have a turn. */
  pause?(): Promise<void>;
}

/**
 * The refs of a range, page by page, the oldest first, or the newest first. Reads one part of the range after
 * the other: to find the end of a range, etcd counts all of its keys.
 */
export async function* refPages(
  index: TimeIndex,
  { from, to, reverse = false, signal, pause }: RefRange,
): AsyncGenerator<readonly IndexedRef[], void, undefined> {
  let window = FIRST;
  let [low, high] = [from, to];
  while (low < high) {
    const [after, before] = reverse ? [Math.max(low, high - window), high] : [low, Math.min(high, low + window)];
    let last: IndexedRef | undefined;
    let pages = 0;
    for (;;) {
      const begin = last === undefined ? {} : reverse ? { before: last } : { after: last };
      const page = await index.refs({ after, before, ...begin, reverse, limit: PAGE, signal });
      if (page.length > 0) yield page;
      await pause?.();
      last = page.at(-1);
      if (page.length < PAGE) break;
      pages++;
    }
    if (reverse) high = after;
    else low = before;
    window = pages === 0 ? window * LONGER : pages > LONGER ? Math.max(SHORTEST, window / 2) : window;
  }
}
