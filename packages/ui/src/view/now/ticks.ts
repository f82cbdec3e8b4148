import type { NextTick, OverdueTicks, Scheduler, SchedulerView, ScheduleTick, ScheduleView } from "@ojm/schedule";
import { isScheduleError, whyNotRun } from "@ojm/schedule";
import type { TickView } from "../../contract/now.js";
import { nobodyRuns } from "../schedules.js";
import { isOwn } from "../source.js";

const DAY = 86_400_000;

/** What became of a tick, or that it waits. */
export function decidedTick(tick: ScheduleTick): TickView {
  const { schedule, at, outcome, reason, run, until, count } = tick;
  return {
    schedule,
    at,
    due: at,
    outcome,
    ...(reason !== undefined && { reason, text: whyNotRun(tick) ?? reason }),
    ...(outcome === "waiting" && { text: "it waits for its run, behind those before it" }),
    ...(run !== undefined && { run }),
    ...(until !== undefined && { until }),
    ...(count !== undefined && { count }),
  };
}

/** A tick that is to come; with `isAlone`, of a schedule that nobody runs. */
export function comingTick(schedule: string, { at, due, skipped, waiting }: NextTick, isAlone: boolean): TickView {
  return {
    schedule,
    at,
    due,
    ...(skipped !== undefined && { skipped }),
    ...(isAlone && { nobody: true }),
    ...(waiting !== undefined && { waiting }),
  };
}

/** Ticks that are due, and that nobody has decided on; as one entry, in the words of `ojm ticks`. */
export function overdueTick(schedule: string, { at, until, count }: OverdueTicks): TickView {
  const text = "no process has decided on it so far";
  return { schedule, at, due: at, outcome: "overdue", text, ...(count > 1 && { until, count }) };
}

/** How many jobs and ticks are told. */
interface Coming {
  readonly now: number;
  readonly schedulers: readonly SchedulerView[];
  readonly jobs: number;
  readonly ticks: number;
}

/**
 * The next ticks within a day, the soonest first: the first one of each job, and then the soonest of the
 * others. A job that is due each second must not hide the others. Reads nothing.
 */
export function comingTicks(schedules: readonly ScheduleView[], { now, schedulers, jobs, ticks }: Coming): TickView[] {
  const end = now + DAY;
  const view = (schedule: ScheduleView, tick: NextTick): TickView =>
    comingTick(schedule.name, tick, nobodyRuns(schedule, schedulers) !== undefined);
  const firsts = schedules
    .filter(({ name }) => !isOwn(name))
    .flatMap((schedule) => {
      const first = schedule.upcoming(now);
      return first === undefined || first.due > end ? [] : [{ schedule, first }];
    })
    .sort((a, b) => a.first.due - b.first.due)
    .slice(0, jobs);
  const limit = Math.max(0, ticks - firsts.length);
  // The ticks of only those are computed whose first one is among the soonest: a cron costs time.
  const others = firsts
    .slice(0, limit)
    .flatMap(({ schedule, first }) => ticksBehind(schedule, first, { end, limit }).map((tick) => view(schedule, tick)))
    .sort((a, b) => a.due - b.due)
    .slice(0, limit);
  return [...firsts.map(({ schedule, first }) => view(schedule, first)), ...others].sort((a, b) => a.due - b.due);
}

function ticksBehind(
  schedule: ScheduleView,
  first: NextTick,
  { end, limit }: { readonly end: number; readonly limit: number },
): NextTick[] {
  const ticks: NextTick[] = [];
  let tick = schedule.upcoming(first.at);
  while (tick !== undefined && ticks.length < limit) {
    if (tick.due <= end) ticks.push(tick);
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
