import type { Duration } from "@ojm/core";
import { durationOf } from "@ojm/core/internal";

/** The ticks of a job. Instants are in ms since 1970 in UTC, as from `Date.now()`. */
export interface Schedule {
  /** The first tick after this instant, never the instant itself; `Infinity` if there is none. */
  next(after: number): number;
}

/**
 * Why a schedule cannot be used.
 *
 * - `INVALID`: a definition or an argument is wrong; `setting` names it.
 * - `UNKNOWN`: the store has no schedule of this name.
 * - `REFUSED`: a request was rejected; the message names the reason.
 * - `CLOSED`: the scheduler was closed.
 */
export type ScheduleErrorCode = "INVALID" | "UNKNOWN" | "REFUSED" | "CLOSED";

const BRAND = Symbol.for("ojm.ScheduleError");

/** A schedule cannot be used. The message names the reason and the valid values. */
export class ScheduleError extends Error {
  override readonly name: string = "ScheduleError";
  readonly code: ScheduleErrorCode;
  /** The wrong setting, such as `cron` or `timeZone`; with `INVALID` only. */
  readonly setting: string | undefined;

  constructor(code: ScheduleErrorCode, message: string, setting?: string) {
    super(message);
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.setting = setting;
  }
}

/** Whether `error` is a {@link ScheduleError}, from this copy of the package or another. */
export function isScheduleError(error: unknown): error is ScheduleError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/**
 * Ticks once per `every` of real time; setting a clock changes nothing. The first tick is one interval
 * after `start`, and all others count from there, so a late check does not shift them.
 *
 * @throws ScheduleError if the interval is not a duration of at least 1 ms
 */
export function intervalSchedule(every: Duration, start: number): Schedule {
  const interval = durationOf(every, 1);
  if (interval === undefined) {
    const text = `"timeInterval" must be a number of milliseconds, 1 or more, not ${every}.`;
    throw new ScheduleError("INVALID", text, "timeInterval");
  }
  return {
    next(after) {
      const ticks = Math.max(1, Math.floor((after - start) / interval) + 1);
      const tick = start + ticks * interval;
      // With a fractional interval, rounding may yield `after` itself, and that tick would be due twice.
      return tick > after ? tick : start + (ticks + 1) * interval;
    },
  };
}

/** The last tick up to `to`, starting from the tick `tick`. Without a walk: years may have passed. */
export function lastTick(schedule: Schedule, tick: number, to: number): number {
  const second = schedule.next(tick);
  if (second > to) return tick;
  let low = second - 1;
  let high = to;
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (schedule.next(middle) <= to) low = middle;
    else high = middle;
  }
  return schedule.next(low);
}

/** Ticks are usually counted up to this number. A backfill may have as many. */
export const MOST_COUNTED = 10_000;

/** The number of ticks from the tick `from` up to `to`, exclusive. Counts no further than `most`. */
export function countTicks(schedule: Schedule, from: number, to: number, most: number): number {
  let ticks = 0;
  for (let at = from; at < to && ticks < most; at = schedule.next(at)) ticks++;
  return ticks;
}

/** The `most` newest ticks from the tick `first` to the tick `last`, in order. Years may lie between. */
export function newestTicks(schedule: Schedule, first: number, last: number, most: number): number[] {
  const ticks: number[] = [];
  for (let at = last; ticks.length < most; at = lastTick(schedule, first, at - 1)) {
    ticks.unshift(at);
    if (at <= first) break;
  }
  return ticks;
}
