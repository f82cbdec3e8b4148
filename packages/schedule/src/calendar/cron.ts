import { Cron, CronPattern } from "croner";
import { type Schedule, ScheduleError } from "./schedule.js";
import { type ClockChange, openZone, type Zone } from "./timetable.js";

/** Croner finds no time after the year 2999 for an expression without years. */
const END = Date.UTC(3_000, 0);

/** More than any change of clocks, in ms: Pacific/Apia once left out a day. */
const TWO_DAYS = 48 * 3_600_000;

/** A point from which to continue a search. */
interface Position {
  readonly instant: number;
  readonly offset: number;
  /** The time of day up to which all ticks are done. */
  readonly done: number;
}

/**
 * The ticks of a cron expression: 5 fields (minute, hour, day of month, month, day of week), or 6 with the
 * second first, or a nickname such as `@daily`. If day of month and day of week are both restricted, a day
 * that matches either counts; with a `+` before the day of week (`0 9 1-7 * +MON`) it must match both.
 *
 * When clocks change:
 * - A time that the clocks skip in spring is due at the first instant after the gap. Several such times make
 *   one run.
 * - A time that comes twice in autumn is due at the first occurrence only.
 * - If the second, minute or hour is `*` or has a step, it is due at both: the job continues through the
 *   repeated hour.
 * - If the hour is `*`, skipped times are not made up for: each hour that exists has its runs.
 *
 * After the year 2999, an expression has no tick: `next` returns `Infinity`.
 *
 * @param zone a name of the IANA list, or `local` for the zone of this machine.
 * @throws ScheduleError if the expression is wrong or never matches, or the zone is unknown.
 */
export function cronSchedule(text: string, zone: string = "UTC"): Schedule {
  const expression = readExpression(text);
  const clocks = openZone(zone);
  return {
    next(after) {
      // Near the last instant of a `Date`, an offset makes it NaN.
      if (after >= END + TWO_DAYS) return Number.POSITIVE_INFINITY;
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
  // In an hour that the clocks repeat, its times are already done.
  return { ...here, done: Math.max(here.done, change.at + change.before - 1) };
}

/** The tick, or the next point to search from. */
function advance(position: Position, expression: Expression, clocks: Zone): number | Position {
  const time = expression.next(position.done);
  if (time === Number.POSITIVE_INFINITY) return time;
  const due = time - position.offset;
  const near = position.instant + TWO_DAYS;
  const change = clocks.change(position.instant, Math.min(due, near));
  if (change !== undefined) return passChange(change, time, expression);
  if (due <= near) return due;
  // No tick can be in between: everything that a change of clocks repeats or skips is within two days of it.
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

/** How an expression is applied when clocks change; see `cronSchedule`. */
type ClockRule = "once" | "interval" | "clock";

/**
 * A cron expression without time zones. An instant here stands for a clock time, as if the clock were in UTC.
 */
interface Expression {
  readonly rule: ClockRule;
  /** The first matching time of day after this one; `Infinity` if there is none before {@link END}. */
  next(after: number): number;
}

interface Field {
  readonly name: string;
  readonly takes: string;
}

const NUMBERS = "as *, a list (1,15), a range (10-20) or a step (*/5, 10-20/5)";
const SECOND: Field = { name: "second", takes: `0 to 59, ${NUMBERS}` };
const FIELDS: readonly Field[] = [
  { name: "minute", takes: `0 to 59, ${NUMBERS}` },
  { name: "hour", takes: `0 to 23, ${NUMBERS}` },
  {
    name: "day of month",
    takes: `1 to 31, ${NUMBERS}, ?, L (the last day), LW or 15W (the working day nearest to it)`,
  },
  { name: "month", takes: `1 to 12 or JAN to DEC, ${NUMBERS}` },
  {
    name: "day of week",
    takes: `0 to 7 or SUN to SAT (0 and 7 are Sunday), ${NUMBERS}, ?, MON#2 (the second Monday) or MONL (the last)`,
  },
];
const NICKNAMES = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/**
 * Reads a cron expression of 5 fields, or 6 with the second first, or a nickname such as `@daily`.
 *
 * @throws ScheduleError that names the wrong field and its valid values, or reports that the expression never
 * matches.
 */
export function readExpression(text: string): Expression {
  const pattern = parse(text);
  const calendar = new Cron(pattern.pattern, { utcOffset: 0 });
  const find = (after: number): number | undefined =>
    after < END ? calendar.nextRun(new Date(after))?.getTime() : undefined;
  // The calendar repeats itself every 400 years: a search that fails from one day fails from any.
  if (find(0) === undefined) throw wrong(`cron "${text}" never fires: there is no such day in any year.`);
  return { rule: clockRule(pattern), next: (after) => find(after) ?? Number.POSITIVE_INFINITY };
}

function clockRule(pattern: CronPattern): ClockRule {
  if (pattern.hour.every(Boolean)) return "clock";
  return pattern.isFixedTime ? "once" : "interval";
}

function parse(text: string): CronPattern {
  const fields = text.trim().split(/\s+/);
  if (text.trim().startsWith("@")) {
    if (!NICKNAMES.includes(text.trim().toLowerCase()))
      throw wrong(`cron "${text}" is not a known nickname: there are ${NICKNAMES.join(", ")}.`);
  } else if (fields.length === 5) checkFields(text, fields, FIELDS);
  else if (fields.length === 6) checkFields(text, fields, [SECOND, ...FIELDS]);
  else throw wrong(wrongCount(text, text.trim() === "" ? 0 : fields.length));
  return new CronPattern(text.trim(), undefined, { fixedTimeRule: "no-wildcard" });
}

function wrongCount(text: string, count: number): string {
  const fields = count === 1 ? "1 field" : `${count || "no"} fields`;
  const order = FIELDS.map((field) => field.name).join(", ");
  return `cron "${text}" has ${fields}: it takes 5 (${order}), or 6 with the second first.`;
}

/** Tries each field alone: croner's messages name a field by its number, and show shifted values. */
function checkFields(text: string, values: readonly string[], fields: readonly Field[]): void {
  for (const [index, field] of fields.entries()) {
    const value = values[index] ?? "";
    const alone = fields.map((_, other) => (other === index ? value : "*")).join(" ");
    if (isPattern(alone)) continue;
    throw wrong(`the ${field.name} "${value}" of cron "${text}" cannot be read: it takes ${field.takes}.`);
  }
}

/** The fields that were tried. Thousands of expressions have a few hundred different fields. */
const tried = new Map<string, boolean>();
const MOST_TRIED = 1_000;

function isPattern(text: string): boolean {
  const known = tried.get(text);
  if (known !== undefined) return known;
  const answer = isPatternByTrial(text);
  if (tried.size >= MOST_TRIED) tried.clear();
  tried.set(text, answer);
  return answer;
}

function isPatternByTrial(text: string): boolean {
  try {
    return !text.includes("@") && new CronPattern(text) !== undefined;
  } catch {
    return false;
  }
}

function wrong(message: string): ScheduleError {
  return new ScheduleError("INVALID", message, "cron");
}
