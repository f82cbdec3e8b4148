import { lastTick } from "../calendar/search.js";
import { calendarOf, dueTime } from "../definition/calendar.js";
import type { CheckedDefinition } from "../definition/types.js";

/** The ticks of a schedule that are due and not decided. */
export interface DueTicks {
  readonly first: number;
  readonly last: number;
  /** The tick before the last; `undefined` if there is only one. */
  readonly beforeLast: number | undefined;
  /** When the last one was due, by its jitter. */
  readonly due: number;
}

/** The ticks after `after` that are due at `now`; or when the next one is. */
export function dueTicks(
  name: string,
  definition: CheckedDefinition,
  after: number,
  now: number,
): DueTicks | { readonly next: number } {
  const schedule = calendarOf(definition);
  const first = schedule.next(after);
  const firstDue = dueTime(name, definition, first);
  if (firstDue > now) return { next: firstDue };
  let last = lastTick(schedule, first, now);
  let due = dueTime(name, definition, last);
  if (due > now) {
    // Its jitter is not over. No jitter goes past the next tick, so the one before it is due.
    last = lastTick(schedule, first, last - 1);
    due = dueTime(name, definition, last);
  }
  const beforeLast = last === first ? undefined : lastTick(schedule, first, last - 1);
  return { first, last, beforeLast, due };
}
