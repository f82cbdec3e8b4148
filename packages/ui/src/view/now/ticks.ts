import type { NextTick, Scheduler, ScheduleTick, ScheduleView } from "@ojm/schedule";
import { isScheduleError, whyNotRun } from "@ojm/schedule";
import type { TickView } from "../../contract/now.js";
import { isOwn } from "../source.js";

const DAY = 86_400_000;

/** What became of a tick. */
export function decidedTick(tick: ScheduleTick): TickView {
  const { schedule, at, outcome, reason, run, until, count } = tick;
  return {
    schedule,
    at,
    due: at,
    outcome,
    ...(reason !== undefined && { reason, text: whyNotRun(tick) ?? reason }),
    ...(run !== undefined && { run }),
    ...(until !== undefined && { until }),
    ...(count !== undefined && { count }),
  };
}

/** A tick that is to come. */
export function comingTick(schedule: string, { at, due, skipped }: NextTick): TickView {
  return { schedule, at, due, ...(skipped !== undefined && { skipped }) };
}

/** The next ticks of all schedules within a day, the soonest first. Reads nothing. */
export function comingTicks(
  schedules: readonly ScheduleView[],
  { now, limit }: { readonly now: number; readonly limit: number },
): TickView[] {
  const end = now + DAY;
  // The ticks of only those are computed whose first one is among the soonest: a cron costs time.
  const soonest = schedules
    .filter(({ name }) => !isOwn(name))
    .flatMap((schedule) => {
      const first = schedule.upcoming(now);
      return first === undefined || first.due > end ? [] : [{ schedule, first }];
    })
    .sort((a, b) => a.first.due - b.first.due)
    .slice(0, limit);
  return soonest
    .flatMap(({ schedule, first }) => upcoming(schedule, first, { end, limit }))
    .sort((a, b) => a.due - b.due)
    .slice(0, limit);
}

function upcoming(
  schedule: ScheduleView,
  first: NextTick,
  { end, limit }: { readonly end: number; readonly limit: number },
): TickView[] {
  const ticks: TickView[] = [];
  for (let tick: NextTick | undefined = first; tick !== undefined && ticks.length < limit; ) {
    if (tick.due <= end) ticks.push(comingTick(schedule.name, tick));
    else if (tick.at > end) break;
    tick = schedule.upcoming(tick.at);
  }
  return ticks;
}

/** The next ticks of a schedule; none if there is no such schedule. */
export async function nextOf(scheduler: Scheduler, name: string, limit: number): Promise<NextTick[]> {
  try {
    return await scheduler.next(name, { limit });
  } catch (error) {
    if (isScheduleError(error) && error.code === "UNKNOWN") return [];
    throw error;
  }
}
