import type { ScheduleView } from "@ojm/schedule";
import type { TickView } from "../../contract/now.js";
import { comingTick, decidedTick, overdueTick } from "../now/ticks.js";
import { nobodyRuns, overdueTicks, type Schedules } from "../schedules.js";
import { type Source, take } from "../source.js";

/** The most ticks of one lane, of those to come, and of those that were not run or wait: 100 wait at most. */
const TICKS = 100;
const UNRUN = 2 * TICKS;

/** The range that is drawn, and how wide. */
export interface TickRange {
  readonly from: number;
  readonly to: number;
  readonly px: number;
}

/** A schedule, and the processes that are there. */
export interface Ticking extends Pick<Schedules, "schedulers"> {
  readonly schedule: ScheduleView;
  readonly now: number;
}

/** The ticks that were not run or wait, those that nobody has decided on, and those to come, oldest first. */
export async function ticksOf(
  { scheduler }: Source,
  { schedule, schedulers, now }: Ticking,
  { from, to, px }: TickRange,
): Promise<TickView[]> {
  const { name } = schedule;
  const decided = await take(scheduler.ticks(name, { from, to, unrun: true, limit: UNRUN }), UNRUN);
  const coming =
    to <= now
      ? []
      : (await scheduler.next(name, { limit: TICKS }))
          .filter(({ due }) => due >= from && due < to)
          .map((tick) => comingTick(name, tick, nobodyRuns(schedule, schedulers) !== undefined));
  const late = overdueTicks(schedule, now);
  const overdue = late !== undefined && late.until >= from && late.at < to ? [overdueTick(name, late)] : [];
  return [...decided.map(decidedTick).reverse(), ...overdue, ...sparse(coming, (to - from) / px)];
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
