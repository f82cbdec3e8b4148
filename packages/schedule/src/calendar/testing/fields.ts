/*
 * Cron expressions as our documents have them, read without croner: what a fuzz target compares it with.
 */

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split(" ");
const NICKNAMES: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * SUN",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const DAY = 86_400_000;

type FitsDay = (day: Date) => boolean;

/** The times of an expression, without time zones. */
export interface Times {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly fitsDay: FitsDay;
}

/** The meaning of an expression; `undefined` if our documents do not allow it. */
export function timesOf(text: string): Times | undefined {
  const trimmed = text.trim();
  const fields = (NICKNAMES[trimmed.toLowerCase()] ?? trimmed).replaceAll("?", "*").split(/\s+/);
  if (fields.length === 5) fields.unshift("0");
  const [second = "", minute = "", hour = "", ofMonth = "", month = "", ofWeek = ""] = fields;
  const [seconds, minutes, hours] = [setOf(second, 0, 59), setOf(minute, 0, 59), setOf(hour, 0, 23)];
  const months = setOf(named(month, MONTHS, 1), 1, 12);
  const fitsDay = dayOf(ofMonth, named(ofWeek, WEEKDAYS, 0));
  if (fields.length !== 6 || !seconds || !minutes || !hours || !months || !fitsDay) return undefined;
  return {
    ...{ seconds: sorted(seconds), minutes: sorted(minutes), hours: sorted(hours) },
    fitsDay: (day) => months.has(day.getUTCMonth() + 1) && fitsDay(day),
  };
}

/** The first time after `after`, which counts as UTC, within so many days; `undefined` without one. */
export function timeAfter(
  { seconds, minutes, hours, fitsDay }: Times,
  after: number,
  days: number,
): number | undefined {
  const today = Math.floor(after / DAY) * DAY;
  for (let day = today; day <= today + days * DAY; day += DAY) {
    if (!fitsDay(new Date(day))) continue;
    for (const hour of hours) {
      for (const minute of minutes) {
        for (const second of seconds) {
          const time = day + ((hour * 60 + minute) * 60 + second) * 1_000;
          if (time > after) return time;
        }
      }
    }
  }
  return undefined;
}

const sorted = (values: ReadonlySet<number>): number[] => [...values].sort((a, b) => a - b);

/** A field with numbers instead of names, which stand alone. At the end of a range, Sunday is 7. */
function named(text: string, names: readonly string[], first: number): string {
  return text.replace(/(?<![a-z\d/#])[a-z]{3}(?![a-km-z\d])/gi, (name, at: number) => {
    const number = names.indexOf(name.toUpperCase()) + first;
    if (number < first) return name;
    return String(number === 0 && text[at - 1] === "-" ? 7 : number);
  });
}

/** The values of a list; `undefined` if it cannot be read. */
function setOf(text: string, low: number, high: number): Set<number> | undefined {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const all = valuesOf(item, low, high);
    if (all === undefined) return undefined;
    for (const value of all) values.add(value);
  }
  return values;
}

/** The values of a number, a range, a step or all. */
function valuesOf(item: string, low: number, high: number): number[] | undefined {
  const parts = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(item);
  if (parts === null) return undefined;
  const [, from, to = from, step = "1"] = parts;
  const isAll = from === undefined;
  // A step of one number: 5/10.
  if (!isAll && item.includes("/") && !item.includes("-")) return undefined;
  const [first, last] = isAll ? [low, high] : [Number(from), Number(to)];
  if (first < low || last > high || first > last || Number(step) < 1 || Number(step) > high + 1) return undefined;
  const values: number[] = [];
  for (let value = first; value <= last; value += Number(step)) values.push(value);
  return values;
}

/** Which days two fields mean together: either counts if both are restricted, or both with a plus. */
function dayOf(ofMonth: string, ofWeek: string): FitsDay | undefined {
  const both = ofWeek.startsWith("+");
  const week = both ? ofWeek.slice(1) : ofWeek;
  const [fitsMonth, fitsWeek] = [monthDayOf(ofMonth), weekdayOf(week)];
  if (fitsMonth === undefined || fitsWeek === undefined) return undefined;
  if (both || ofMonth === "*" || week === "*") return (day) => fitsMonth(day) && fitsWeek(day);
  return (day) => fitsMonth(day) || fitsWeek(day);
}

function anyOf(fits: readonly (FitsDay | undefined)[]): FitsDay | undefined {
  if (fits.some((one) => one === undefined)) return undefined;
  return (day) => fits.some((one) => one?.(day));
}

function monthDayOf(text: string): FitsDay | undefined {
  if (/^LW$/i.test(text)) return (day) => day.getUTCDate() === workingDay(day, lastOf(day));
  return anyOf(
    text.split(",").map((item): FitsDay | undefined => {
      if (/^L$/i.test(item)) return (day) => day.getUTCDate() === lastOf(day);
      const [, near] = /^(\d+)W$/i.exec(item) ?? [];
      const values = setOf(near ?? item, 1, 31);
      if (values === undefined) return undefined;
      if (near === undefined) return (day) => values.has(day.getUTCDate());
      return (day) => Number(near) <= lastOf(day) && day.getUTCDate() === workingDay(day, Number(near));
    }),
  );
}

function weekdayOf(text: string): FitsDay | undefined {
  return anyOf(
    text.split(",").map((item): FitsDay | undefined => {
      const [, rest = "", mark] = /^(.*?)(#0*[1-5]|#?L)?$/i.exec(item) ?? [];
      if (mark !== undefined && rest.startsWith("*") && !rest.includes("/")) return undefined;
      const values = rest.startsWith("*") ? setOf(rest, 0, 6) : setOf(rest, 0, 7);
      if (values === undefined) return undefined;
      const isDay: FitsDay = (day) => values.has(day.getUTCDay()) || (day.getUTCDay() === 0 && values.has(7));
      if (mark === undefined) return isDay;
      if (/L$/i.test(mark)) return (day) => isDay(day) && day.getUTCDate() > lastOf(day) - 7;
      return (day) => isDay(day) && Math.ceil(day.getUTCDate() / 7) === Number(mark.slice(1));
    }),
  );
}

function lastOf(day: Date): number {
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
}

/** The working day that is nearest to a day of the month, within the month. */
function workingDay(day: Date, date: number): number {
  const weekday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), date)).getUTCDay();
  if (weekday === 6) return date === 1 ? 3 : date - 1;
  if (weekday === 0) return date === lastOf(day) ? date - 2 : date + 1;
  return date;
}
