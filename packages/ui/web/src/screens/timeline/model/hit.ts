import { second } from "../../../format/clock.js";
import { LANE } from "../canvas/picture.js";
import { crowdOf } from "./crowd.js";
import { barsOf, type Item, itemsOf, type LiveLane } from "./items.js";
import { shown } from "./window.js";

/** How near the pointer must be, in px. */
const NEAR = 6;

/** Half the width of the mark of a tick, in px, and of a small one. */
const MARK = 7;
const SMALL = 4;

/** From here down in a lane, the pointer selects small marks; above that, bars. */
const LOW = LANE - 12;

interface Point {
  readonly lanes: readonly LiveLane[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** The item at a place of the chart. */
export function hitTest({ lanes, x, y, width }: Point): Item | undefined {
  const lane = y < 0 ? undefined : lanes[Math.floor(y / LANE)];
  if (lane === undefined) return undefined;
  const range = shown.peek();
  const px = (at: number): number => ((at - range.from) / (range.to - range.from)) * width;
  const isCrowded = crowdOf(barsOf(lane, second.peek()), px);
  const isLow = y % LANE >= LOW;
  let [best, least] = [undefined as Item | undefined, NEAR];
  for (const item of itemsOf(lane, range, second.peek())) {
    const fromMark = Math.abs(px(item.at) - x);
    // Marks are drawn above bars, which are often wider: the pointer can select the bar beside the mark.
    const isSmall = item.kind === "tick" && isCrowded(px(item.at));
    if (isSmall && !isLow) continue;
    const half = isSmall ? SMALL : MARK;
    const isOnMark = item.kind === "tick" && fromMark <= half;
    const away = isOnMark ? fromMark - half : Math.max(0, px(item.at) - x, x - px(item.end));
    // If two items are equally near, the later one was drawn on top.
    if (away <= least) [best, least] = [item, away];
  }
  return best;
}

/** The item that a key moves to. */
export function stepFrom(lanes: readonly LiveLane[], at: Item | undefined, key: string): Item | undefined {
  const range = shown.peek();
  const now = second.peek();
  const items = (row: number): readonly Item[] => {
    const lane = lanes[row];
    return lane === undefined ? [] : itemsOf(lane, range, now);
  };
  const row = at === undefined ? -1 : lanes.findIndex(({ name }) => name === at.lane);
  if (key === "ArrowDown" || key === "ArrowUp") {
    const step = key === "ArrowDown" ? 1 : -1;
    for (let next = row + step; next >= 0 && next < lanes.length; next += step) {
      const near = nearest(items(next), at?.at ?? now);
      if (near !== undefined) return near;
    }
    return at;
  }
  if (at === undefined)
    return key.startsWith("Arrow") ? items(lanes.findIndex((_, i) => items(i).length > 0)).at(-1) : undefined;
  const all = items(row);
  const index = all.findIndex((item) => item.at === at.at && item.kind === at.kind);
  if (key === "ArrowRight") return all[index + 1] ?? at;
  if (key === "ArrowLeft") return index === -1 ? all.at(-1) : (all[index - 1] ?? at);
  if (key === "Home") return all[0];
  return key === "End" ? all.at(-1) : undefined;
}

function nearest(items: readonly Item[], time: number): Item | undefined {
  let best: Item | undefined;
  for (const item of items) {
    if (best === undefined || Math.abs(item.at - time) < Math.abs(best.at - time)) best = item;
  }
  return best;
}
