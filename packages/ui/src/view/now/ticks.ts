import type { NextTick, Scheduler, ScheduleSummary, ScheduleTick } from "@ojm/schedule";
import { isScheduleError, whyNotRun } from "@ojm/schedule";
import type { TickView } from "../../contract/now.js";
import { isOwn, mapSome, type Source } from "../source.js";

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

/** The next ticks of all schedules within a day, the soonest first. */
export async function comingTicks(
  { scheduler }: Source,
  schedules: readonly ScheduleSummary[],
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<TickView[]> {
  // The ticks of only those are computed whose first one is among the soonest: a cron costs time.
  const soonest = schedules
    .filter(({ name, next: [first] }) => !isOwn(name) && first !== undefined && first.due <= now + DAY)
    .sort((a, b) => (a.next[0]?.due ?? 0) - (b.next[0]?.due ?? 0))
    .slice(0, limit);
  const all = await mapSome(soonest, async ({ name }) =>
    (await nextOf(scheduler, name, limit)).map((tick) => comingTick(name, tick)),
  );
  return all
    .flat()
    .filter(({ due }) => due <= now + DAY)
    .sort((a, b) => a.due - b.due)
    .slice(0, limit);
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
