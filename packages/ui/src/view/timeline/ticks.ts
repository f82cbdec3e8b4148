import type { TickView } from "../../contract/now.js";
import { comingTick, decidedTick } from "../now/ticks.js";
import { type Source, take } from "../source.js";

/** The most ticks of one lane, of those to come and of those that were not run. */
const TICKS = 100;

/** The range that is drawn, and how wide. */
export interface TickRange {
  readonly from: number;
  readonly to: number;
  readonly px: number;
}

/** The ticks that were not run, and those to come, oldest first. */
export async function ticksOf(
  { scheduler }: Source,
  name: string,
  { from, to, px }: TickRange,
  now: number,
): Promise<TickView[]> {
  const decided = await take(scheduler.ticks(name, { from, to, unrun: true, limit: TICKS }), TICKS);
  const coming =
    to <= now
      ? []
      : (await scheduler.next(name, { limit: TICKS }))
          .filter(({ due }) => due >= from && due < to)
          .map((tick) => comingTick(name, tick));
  return [...decided.map(decidedTick).reverse(), ...sparse(coming, (to - from) / px)];
}

/** One tick for each few pixels: more cannot be told apart. */
function sparse(ticks: readonly TickView[], pixel: number): TickView[] {
  let last = Number.NEGATIVE_INFINITY;
  return ticks.filter(({ due }) => {
    if (due - last < 3 * pixel) return false;
    last = due;
    return true;
  });
}
