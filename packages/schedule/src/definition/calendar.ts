import { cronSchedule } from "../calendar/cron.js";
import { intervalSchedule } from "../calendar/interval.js";
import type { Schedule } from "../calendar/schedule.js";
import { hash32 } from "./hash.js";
import type { Calendar, ScheduleDefinition } from "./types.js";

/** How many read calendars are kept. One takes some 80 KB, and ten thousand schedules must fit in memory. */
const KEPT = 64;

const kept = new Map<string, Schedule>();

/** What decides when a definition is due: two definitions of equal calendar keys have the same ticks. */
export function calendarKey({ cron, timeZone, every }: Calendar): string {
  return cron === undefined ? `every ${every}` : `${timeZone ?? "UTC"} ${cron}`;
}

/** The calendar of a definition. */
export function calendarIn({ cron, timeZone, every }: Calendar): Calendar {
  if (cron === undefined) return every === undefined ? {} : { every };
  return timeZone === undefined ? { cron } : { cron, timeZone };
}

/** The ticks of a definition. */
export function calendarOf(definition: Calendar): Schedule {
  const key = calendarKey(definition);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const { cron, timeZone, every = 0 } = definition;
  const schedule = cron === undefined ? intervalSchedule(every, 0) : cronSchedule(cron, timeZone);
  const [oldest] = kept.keys();
  if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
  kept.set(key, schedule);
  return schedule;
}

/**
 * When the tick `at` is due: later by its jitter, and never past the next tick. The same in every process.
 */
export function dueTime(name: string, definition: ScheduleDefinition, at: number): number {
  const { jitter = 0 } = definition;
  if (jitter === 0) return at;
  const gap = calendarOf(definition).next(at) - at;
  return at + (hash32(`${name} ${at}`) % Math.max(1, Math.min(jitter, gap)));
}
