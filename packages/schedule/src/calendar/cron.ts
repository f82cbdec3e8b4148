import { type Expression, readExpression } from "./expression.js";
import type { Schedule } from "./schedule.js";
import { type ClockChange, openZone, type Zone } from "./zone.js";

/** More than any change of clocks, in ms: Pacific/Apia once left out a day. */
const TWO_DAYS = 48 * 3_600_000;

/** A point from which to search on. */
interface Position {
  readonly instant: number;
  readonly offset: number;
  /** The time of day up to which all ticks are done. */
  readonly done: number;
}

/**
 * The ticks of a cron expression: 5 fields (minute, hour, day of month, month, day of week), or 6 with the
 * second first, or a nickname such as `@daily`. Where day of month and day of week are both restricted, a day
 * that fits either counts; with a `+` before the day of week (`0 9 1-7 * +MON`) it must fit both.
 *
 * Where clocks are changed:
 * - A time that the clocks leave out in spring is due at the first instant after the gap. Several such times
 * make one run.
 * - A time that comes twice in autumn is due at the first occurrence only.
 * - Where the second, minute or hour is `*` or has a step, it is due at both: the job goes on through the
 * hour that is repeated.
 * - Where the hour is `*`, times that are left out are not made up for: each hour that there is has its runs.
 *
 * @param zone a name of the IANA list, or `local` for the zone of this machine.
 * @throws ScheduleError if the expression is wrong or never fits, or the zone is unknown.
 */
export function cronSchedule(text: string, zone: string = "UTC"): Schedule {
  const expression = readExpression(text);
  const clocks = openZone(zone);
  return {
    next(after) {
      let position: Position = startAt(after, expression, clocks);
      for (;;) {
        const step = advance(position, expression, clocks);
        if (typeof step === "number") return step;
        position = step;
      }
    },
  };
}

function startAt(instant: number, expression: Expression, clocks: Zone): Position {
  const offset = clocks.offset(instant);
  const here = { instant, offset, done: instant + offset };
  const change = clocks.change(instant - TWO_DAYS, instant);
  if (change === undefined || expression.rule !== "once") return here;
  // In an hour that the clocks repeat, its times are done already.
  return { ...here, done: Math.max(here.done, change.at + change.before - 1) };
}

/** The tick, or the next point to search from. */
function advance(position: Position, expression: Expression, clocks: Zone): number | Position {
  const time = expression.next(position.done);
  const due = time - position.offset;
  const near = position.instant + TWO_DAYS;
  const change = clocks.change(position.instant, Math.min(due, near));
  if (change !== undefined) return passChange(change, time, expression);
  if (due <= near) return due;
  // No tick can be in between: all that a change of clocks repeats or leaves out is within two days of it.
  const instant = Math.max(near, due - TWO_DAYS);
  const offset = clocks.offset(instant);
  return { instant, offset, done: expression.rule === "once" ? time - 1 : instant + offset };
}

/** `time` is the next time of day by the clocks before the change. */
function passChange(change: ClockChange, time: number, expression: Expression): number | Position {
  const resumed = change.at + change.after;
  const leftOut = time < resumed && expression.rule !== "clock";
  if (leftOut || time === resumed) return change.at;
  const repeats = change.after < change.before && expression.rule === "once";
  return { instant: change.at, offset: change.after, done: repeats ? time - 1 : resumed - 1 };
}
