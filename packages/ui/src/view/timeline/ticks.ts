import type { NextTick, ScheduleView } from "@ojm/schedule";
import { overdueEntry, type ScheduleState } from "@ojm/schedule/operator";
import type { TickView } from "../../contract/types.js";
import { comingTick, tickView } from "../now/ticks.js";
import { type Source, take } from "../source.js";
import type { DrawnRange } from "./drawn.js";

/** The most coming ticks of one lane, and the most that were not run or wait: 100 wait at most. */
const TICKS = 100;
const UNRUN = 2 * TICKS;

/** The drawn range, and its width. */
export interface TickRange extends DrawnRange {
  readonly px: number;
}

/** The ticks that were not run or wait, the undecided ones, and the coming ones, oldest first. */
export async function ticksOf(
  source: Source,
  { schedule, unattended, overdue: late }: ScheduleState,
  { from, to, px, now }: TickRange,
): Promise<TickView[]> {
  const { name } = schedule;
  const decided = await source.hub.reads.get(`ticks ${from} ${to} ${name}`, [name], () =>
    take(source.scheduler.ticks(name, { from, to, unrun: true, limit: UNRUN }), UNRUN),
  );
  const isAlone = unattended !== undefined;
  const coming = upcoming(schedule, { from: Math.max(from, now), to, px }).map((tick) =>
    comingTick(name, tick, isAlone),
  );
  const overdue = late !== undefined && late.until >= from && late.at < to ? overdueEntry(name, late) : [];
  return [...[...decided.toReversed(), ...overdue].map((tick) => tickView(tick, source)), ...coming];
}

/**
 * The coming ticks up to the end of the range: as many as a reader can distinguish, and at most `TICKS`.
 * Without gaps between them, the ticks of a job that is due each second would end after a minute.
 */
function upcoming(schedule: ScheduleView, { from, to, px }: Omit<TickRange, "now">): NextTick[] {
  const gap = Math.max((3 * (to - from)) / px, (to - from) / TICKS);
  const ticks: NextTick[] = [];
  for (let tick = schedule.upcoming(from - 1); tick !== undefined && tick.due < to; ) {
    // The first tick already reports the waiting ones.
    const { waiting: _, ...rest } = tick;
    if (tick.due >= from) ticks.push(ticks.length === 0 ? tick : rest);
    tick = schedule.upcoming(Math.max(tick.at, Math.floor(tick.at + gap) - 1));
  }
  return ticks;
}
