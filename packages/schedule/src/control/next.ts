import { ScheduleError } from "../calendar/schedule.js";
import { windowAt } from "../definition/blackout.js";
import { calendarOf, dueTime } from "../definition/calendar.js";
import type { StoredSchedule } from "../store/schema.js";

/** The most ticks that are looked ahead. */
const MOST = 10_000;

/** A tick that is to come. */
export interface NextTick {
  /** In ms since 1970. */
  readonly at: number;
  /** `at`, and the delay by its jitter. */
  readonly due: number;
  /** Why it will not be run, as it is now. */
  readonly skipped?: "paused" | "blackout";
}

/** The next `limit` ticks of a schedule after `now`. */
export function nextTicks({ name, definition, paused }: StoredSchedule, now: number, limit: number): NextTick[] {
  if (!Number.isInteger(limit) || limit < 0 || limit > MOST) {
    throw new ScheduleError("INVALID", `"limit" is a whole number from 0 to ${MOST}, not ${String(limit)}`, "limit");
  }
  const schedule = calendarOf(definition);
  const ticks: NextTick[] = [];
  for (let at = schedule.next(now); ticks.length < limit; at = schedule.next(at)) {
    const due = dueTime(name, definition, at);
    const isPaused = paused !== undefined && (paused.until === undefined || at < paused.until);
    const skipped = isPaused ? "paused" : windowAt(definition.blackout, at) === undefined ? undefined : "blackout";
    ticks.push(skipped === undefined ? { at, due } : { at, due, skipped });
  }
  return ticks;
}
