import type { TickView } from "../../contract/now.js";
import { comingTick, decidedTick } from "../now/ticks.js";
import type { Source } from "../source.js";

/** The most ticks of one lane, of those to come and of those that were not run. */
const TICKS = 100;

/** Among how many decided ticks those are looked for that were not run: the newest. */
const LOOKS = 1_500;

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
  const decided: TickView[] = [];
  let looks = 0;
  for await (const tick of scheduler.ticks(name, { from, to })) {
    if (tick.outcome !== "run") decided.push(decidedTick(tick));
    if (decided.length === TICKS || ++looks === LOOKS) break;
  }
  const coming =
    to <= now
      ? []
      : (await scheduler.next(name, { limit: TICKS }))
          .filter(({ due }) => due >= from && due < to)
          .map((tick) => comingTick(name, tick));
  return [...decided.reverse(), ...sparse(coming, (to - from) / px)];
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
