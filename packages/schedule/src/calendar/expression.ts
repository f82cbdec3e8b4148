import { Cron, CronPattern } from "croner";
import { ScheduleError } from "./schedule.js";

/** How an expression is read where clocks change; see `cronSchedule`. */
export type ClockRule = "once" | "interval" | "clock";

/**
 * A cron expression without time zones. An instant here stands for what a clock shows, as if the clock showed
 * UTC.
 */
export interface Expression {
  readonly rule: ClockRule;
  /** The first fitting time of day after this one. */
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
 * @throws ScheduleError that names the field that is wrong and what it takes, or says that the expression
 * never fits.
 */
export function readExpression(text: string): Expression {
  const pattern = parse(text);
  const calendar = new Cron(pattern.pattern, { utcOffset: 0 });
  const find = (after: number): number | undefined => calendar.nextRun(new Date(after))?.getTime();
  // The calendar repeats itself every 400 years: a search that fails from one day fails from any.
  if (find(0) === undefined) throw wrong(`cron "${text}" never fires: there is no such day in any year.`);
  const next = (after: number): number => {
    const found = find(after);
    if (found === undefined) throw wrong(`cron "${text}" has no time after ${new Date(after).toISOString()}.`);
    return found;
  };
  return { rule: clockRule(pattern), next };
}

function clockRule(pattern: CronPattern): ClockRule {
  if (pattern.hour.every(Boolean)) return "clock";
  return pattern.isFixedTime ? "once" : "interval";
}

function parse(text: string): CronPattern {
  const fields = text.trim().split(/\s+/);
  if (text.trim().startsWith("@")) checkNickname(text);
  else if (fields.length === 5) checkFields(text, fields, FIELDS);
  else if (fields.length === 6) checkFields(text, fields, [SECOND, ...FIELDS]);
  else throw wrong(wrongCount(text, text.trim() === "" ? 0 : fields.length));
  return new CronPattern(text.trim(), undefined, { fixedTimeRule: "no-wildcard" });
}

function checkNickname(text: string): void {
  if (NICKNAMES.includes(text.trim().toLowerCase())) return;
  throw wrong(`cron "${text}" is no nickname that is known: there are ${NICKNAMES.join(", ")}.`);
}

function wrongCount(text: string, count: number): string {
  const fields = count === 1 ? "1 field" : `${count || "no"} fields`;
  const order = FIELDS.map((field) => field.name).join(", ");
  return `cron "${text}" has ${fields}: it takes 5 (${order}), or 6 with the second first.`;
}

/**
 * Tries each field by itself: messages of croner name fields by number, and values after a shift.
 */
function checkFields(text: string, values: readonly string[], fields: readonly Field[]): void {
  for (const [index, field] of fields.entries()) {
    const value = values[index] ?? "";
    const alone = fields.map((_, other) => (other === index ? value : "*")).join(" ");
    if (isPattern(alone)) continue;
    throw wrong(`the ${field.name} "${value}" of cron "${text}" cannot be read: it takes ${field.takes}.`);
  }
}

/** The fields that were tried: thousands of expressions have a few hundred fields. */
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
