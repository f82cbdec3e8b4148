import { isOwn } from "@ojm/core/internal";
import type { NextTick, OverdueTicks, Scheduler, SchedulerView, ScheduleTick, ScheduleView } from "@ojm/schedule";
import { isScheduleError, whyBackfilled, whyNotRun } from "@ojm/schedule";
import type { TickView } from "../../contract/now.js";
import { nobodyRuns } from "../schedules.js";
import type { Source } from "../source.js";

const DAY = 86_400_000;

/** What became of a tick, or that it waits. */
export function decidedTick(tick: ScheduleTick, { mask }: Pick<Source, "mask">): TickView {
  const { schedule, at, outcome, reason, run, until, count, evidence = {} } = tick;
  const late = whyBackfilled(tick);
  const other = reason === undefined ? undefined : evidence["run"];
  return {
    schedule,
    at,
    due: at,
    outcome,
    ...(reason !== undefined && { reason, text: mask(whyNotRun(tick) ?? reason) }),
    ...(typeof other === "string" && { other }),
    ...(late !== undefined && { text: mask(late) }),
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

/** So many ticks that wait are told one by one. */
const FEW = 5;

/** Ticks that wait, newest first; many of them as one entry. */
export function waitingTicks(ticks: readonly ScheduleTick[], source: Pick<Source, "mask">): TickView[] {
  const views = ticks.map((tick) => decidedTick(tick, source));
  const [last, first] = [views[0], views.at(-1)];
  if (views.length <= FEW || first === undefined || last === undefined) return views;
  return [{ ...first, until: last.at, count: views.length }];
}

/** How many jobs and ticks are told. */
interface Coming {
  readonly now: number;
  readonly schedulers: readonly SchedulerView[];
  readonly jobs: number;
  readonly ticks: number;
}

/** A schedule, and a tick of it. */
export interface Due {
  readonly schedule: ScheduleView;
  readonly tick: NextTick;
}

/**
 * The next ticks within a day, the soonest first: the first one of each job, and then the soonest of the
 * others. A job that is due each second must not hide the others. `firsts`: the soonest of the first ones.
 * Reads nothing.
 */
export function comingTicks(
  schedules: readonly ScheduleView[],
  { now, schedulers, jobs, ticks }: Coming,
): { readonly next: TickView[]; readonly firsts: readonly Due[] } {
  const end = now + DAY;
  const firsts = schedules
    .filter(({ name }) => !isOwn(name))
    .flatMap((schedule) => dueUntil(end, schedule, now))
    .sort(bySoonest)
    .slice(0, jobs);
  const others = soonestBehind(firsts.slice(0, ticks), end, Math.max(0, ticks - firsts.length));
  const next = [...firsts, ...others]
    .sort(bySoonest)
    .map(({ schedule, tick }) => comingTick(schedule.name, tick, nobodyRuns(schedule, schedulers) !== undefined));
  return { next, firsts: firsts.slice(0, ticks) };
}

const bySoonest = (a: Due, b: Due): number => a.tick.due - b.tick.due;

/** The first tick of a schedule after `after`, if it is due by `end`. */
function dueUntil(end: number, schedule: ScheduleView, after: number): Due[] {
  const tick = schedule.upcoming(after);
  return tick === undefined || tick.due > end ? [] : [{ schedule, tick }];
}

/** The soonest ticks behind those. No more of them are computed than needed: a cron costs time. */
function soonestBehind(firsts: readonly Due[], end: number, limit: number): Due[] {
  const found: Due[] = [];
  if (limit === 0) return found;
  const heads = firsts.flatMap(({ schedule, tick }) => dueUntil(end, schedule, tick.at));
  while (found.length < limit) {
    const [soonest] = heads.toSorted(bySoonest);
    if (soonest === undefined) break;
    found.push(soonest);
    heads.splice(heads.indexOf(soonest), 1, ...dueUntil(end, soonest.schedule, soonest.tick.at));
  }
  return found;
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
