import { type Schedule, ScheduleError } from "./schedule.js";

/**
 * Ticks every `interval` ms of real time; setting a clock changes nothing. The first tick is one interval
 * after `start`, and all others count from there, so a late look does not shift them.
 *
 * @throws ScheduleError if the interval is no number of at least 1.
 */
export function intervalSchedule(interval: number, start: number): Schedule {
  if (!Number.isFinite(interval) || interval < 1) {
    const text = `"timeInterval" must be a number of milliseconds, 1 or more, not ${interval}.`;
    throw new ScheduleError("INVALID", text, "timeInterval");
  }
  return {
    next(after) {
      const ticks = Math.max(1, Math.floor((after - start) / interval) + 1);
      const tick = start + ticks * interval;
      // The division of a fraction may be rounded up to the tick before. That tick would be due twice.
      return tick > after ? tick : start + (ticks + 1) * interval;
    },
  };
}
