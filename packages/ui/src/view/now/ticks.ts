import { isScheduleError, type NextTick, type Scheduler, type ScheduleTick, type ScheduleView } from "@ojm/schedule";
import { type OverdueTick, type ScheduleState, tickText } from "@ojm/schedule/operator";
import type { TickView } from "../../contract/types.js";
import { pick, type Source } from "../source.js";

const DAY = 86_400_000;

/** A tick with its outcome, or one that waits or is overdue. */
export function tickView(tick: ScheduleTick | OverdueTick, { mask }: Pick<Source, "mask">): TickView {
  const { at, reason, evidence = {} } = tick;
  const text = tickText(tick);
  const other = reason === undefined ? undefined : evidence["run"];
  return {
    ...pick(tick, "schedule", "at", "outcome", "reason", "run", "until", "count"),
    due: at,
    ...(text !== undefined && { text: mask(text) }),
    ...(typeof other === "string" && { other }),
  };
}

/** A coming tick; with `isAlone`, one of an unattended schedule. */
export function comingTick(schedule: string, tick: NextTick, isAlone: boolean): TickView {
  return { schedule, ...tick, ...(isAlone && { unattended: true }) };
}

/** The next ticks of a schedule. The first one says how many wait. */
export function upcomingTicks(schedule: ScheduleView | undefined, now: number, limit: number): NextTick[] {
  const ticks: NextTick[] = [];
  let next = schedule?.upcoming(now);
  while (next !== undefined && ticks.length < limit) {
    const { waiting: _, ...tick } = next;
    ticks.push(ticks.length === 0 ? next : tick);
    next = schedule?.upcoming(next.at);
  }
  return ticks;
}

/** Up to this many waiting ticks are listed one by one. */
const MAX_LISTED = 5;

/** Waiting ticks, newest first; many of them as one entry. */
export function waitingTicks(ticks: readonly ScheduleTick[], source: Pick<Source, "mask">): TickView[] {
  const views = ticks.map((tick) => tickView(tick, source));
  const [last, first] = [views[0], views.at(-1)];
  if (views.length <= MAX_LISTED || first === undefined || last === undefined) return views;
  return [{ ...first, until: last.at, count: views.length }];
}

/** The most jobs, and the most ticks unless there are more jobs. */
const JOBS = 200;
const TICKS = 50;

/** A schedule, a tick of it, and whether it is unattended. */
export interface Due {
  readonly schedule: ScheduleView;
  readonly tick: NextTick;
  readonly isAlone: boolean;
}

/**
 * The next ticks within a day, the soonest first: the first one of each job, then the soonest further ones. A
 * job that is due each second must not hide the others. `firsts`: the soonest of the first ticks. Reads
 * nothing.
 */
export function comingTicks(
  schedules: readonly ScheduleState[],
  now: number,
): { readonly next: TickView[]; readonly firsts: readonly Due[] } {
  const end = now + DAY;
  const firsts = schedules
    .flatMap(({ schedule, unattended, next: tick }): Due[] =>
      tick === undefined || tick.due > end ? [] : [{ schedule, tick, isAlone: unattended !== undefined }],
    )
    .sort(bySoonest)
    .slice(0, JOBS);
  const others = soonestBehind(firsts.slice(0, TICKS), end, Math.max(0, TICKS - firsts.length));
  const next = [...firsts, ...others]
    .sort(bySoonest)
    .map(({ schedule, tick, isAlone }) => comingTick(schedule.name, tick, isAlone));
  return { next, firsts: firsts.slice(0, TICKS) };
}

const bySoonest = (a: Due, b: Due): number => a.tick.due - b.tick.due;

/** The tick after another one, if it is due by `end`. */
function dueUntil(end: number, { schedule, tick: { at }, isAlone }: Due): Due[] {
  const tick = schedule.upcoming(at);
  return tick === undefined || tick.due > end ? [] : [{ schedule, tick, isAlone }];
}

/** The soonest ticks after those. Computes only as many as needed: a cron costs time. */
function soonestBehind(firsts: readonly Due[], end: number, limit: number): Due[] {
  const found: Due[] = [];
  if (limit === 0) return found;
  const heads = firsts.flatMap((first) => dueUntil(end, first));
  while (found.length < limit) {
    const [soonest] = heads.toSorted(bySoonest);
    if (soonest === undefined) break;
    found.push(soonest);
    heads.splice(heads.indexOf(soonest), 1, ...dueUntil(end, soonest));
  }
  return found;
}

/** The next ticks of a schedule; empty if the schedule does not exist. */
export async function nextOf(scheduler: Scheduler, name: string, limit: number): Promise<NextTick[]> {
  try {
    return await scheduler.next(name, { limit });
  } catch (error) {
    if (isScheduleError(error) && error.code === "UNKNOWN") return [];
    throw error;
  }
}

const SLOTS = 48;
const SLOT = DAY / SLOTS;

/** How long an answer is reused, in ms: a thirtieth of a slot. */
const SLOTS_LIFE = 60_000;

/** The last computed slots, the schedules they are for, and when. */
const cache = new WeakMap<Source, { readonly of: string; readonly at: number; readonly slots: readonly number[] }>();

/**
 * How many jobs are due in each half hour of the next day. `firsts`: their first ticks. Computed once a
 * minute: a tick of a cron takes a tenth of a millisecond, and fifty jobs have up to 2,400.
 */
export function aheadOf(source: Source, firsts: readonly Due[], now: number): readonly number[] {
  const of = JSON.stringify(firsts.map(({ schedule: { name, hash, paused } }) => [name, hash, paused]));
  const last = cache.get(source);
  if (last?.of === of && now - last.at < SLOTS_LIFE) return last.slots;
  const slots = slotsOf(firsts, now);
  cache.set(source, { of, at: now, slots });
  return slots;
}

/** Computes one tick in each slot, so that a job that is due each second is cheap. */
function slotsOf(firsts: readonly Due[], now: number): number[] {
  const slots = Array.from({ length: SLOTS }, () => 0);
  for (const { schedule, tick: first } of firsts) {
    let tick: NextTick | undefined = first;
    while (tick !== undefined && tick.due < now + DAY) {
      const slot = Math.floor((tick.due - now) / SLOT);
      if (tick.skipped === undefined) slots[slot] = (slots[slot] ?? 0) + 1;
      tick = schedule.upcoming(Math.max(tick.at, now + (slot + 1) * SLOT - 1));
    }
  }
  return slots;
}
