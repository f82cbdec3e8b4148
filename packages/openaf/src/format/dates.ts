import type { Functions } from "../data/types.js";
import { leftPad } from "./numbers.js";

/** A date in its time zone. */
interface Local {
  /** Its fields in UTC are those of the time zone. */
  readonly date: Date;
  /** Ahead of UTC, in minutes. */
  readonly offset: number;
  readonly zone: string | undefined;
}

/** The parts of a pattern of Java's SimpleDateFormat: letters that repeat, texts in quotes, and the rest. */
const TOKENS: RegExp = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/g;

/** Writes a date by a pattern: `fromDate(new Date(), "yyyy-MM-dd HH:mm:ss", "UTC")`. */
export function fromDate(date: Date | string | number, format: string, zone?: string): string {
  const given = date instanceof Date ? date : new Date(date);
  if (Number.isNaN(given.getTime())) throw new Error(`this is not a date: ${String(date)}`);
  const offset = zone === undefined ? -given.getTimezoneOffset() : offsetOf(given, zone);
  const local = { date: new Date(given.getTime() + offset * 60_000), offset, zone };
  return format.replace(TOKENS, (token, quoted: string | undefined, letter: string | undefined) => {
    if (quoted !== undefined) return quoted === "" ? "'" : quoted.replaceAll("''", "'");
    if (letter === undefined) return token;
    if (/[zZX]/.test(letter)) return zoneText(letter, token.length, local);
    const field = FIELDS[letter]?.(local.date, token.length);
    if (field === undefined) throw new Error(`the letter "${letter}" is not part of a date format that is known here`);
    return typeof field === "string" ? field : String(field).padStart(token.length, "0");
  });
}

/** How far a time zone is ahead of UTC at a time, in minutes. */
function offsetOf(date: Date, zone: string): number {
  const fixed = /^(?:GMT|UTC)?([+-])(\d\d?):?(\d\d)?$/.exec(zone);
  if (fixed !== null) return (fixed[1] === "-" ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3] ?? 0));
  const shown = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).format(date);
  const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(shown) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}

const yearOf = (date: Date, count: number): number | string =>
  count === 2 ? String(date.getUTCFullYear() % 100).padStart(2, "0") : date.getUTCFullYear();

const monthOf = (date: Date, count: number): number | string =>
  count < 3 ? date.getUTCMonth() + 1 : nameIn(date, { month: count === 3 ? "short" : "long" });

function nameIn(date: Date, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en-US", { ...options, timeZone: "UTC" }).format(date);
}

/** A number, which is padded, or a text, by a letter and how often it is repeated. */
const FIELDS: Readonly<Record<string, (date: Date, count: number) => number | string>> = {
  y: yearOf,
  Y: yearOf,
  u: (date) => date.getUTCDay() || 7,
  M: monthOf,
  L: monthOf,
  d: (date) => date.getUTCDate(),
  D: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY) + 1,
  E: (date, count) => nameIn(date, { weekday: count > 3 ? "long" : "short" }),
  a: (date) => (date.getUTCHours() < 12 ? "AM" : "PM"),
  H: (date) => date.getUTCHours(),
  k: (date) => date.getUTCHours() || 24,
  K: (date) => date.getUTCHours() % 12,
  h: (date) => date.getUTCHours() % 12 || 12,
  m: (date) => date.getUTCMinutes(),
  s: (date) => date.getUTCSeconds(),
  S: (date) => date.getUTCMilliseconds(),
  G: () => "AD",
};

function zoneText(letter: string, count: number, { offset, zone, date }: Local): string {
  const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0");
  const minutes = String(Math.abs(offset) % 60).padStart(2, "0");
  const sign = offset < 0 ? "-" : "+";
  if (letter === "Z") return sign + hours + minutes;
  if (letter === "X") {
    if (offset === 0) return "Z";
    return sign + hours + (count === 1 ? "" : count === 2 ? minutes : `:${minutes}`);
  }
  const options = {
    timeZoneName: count > 3 ? "long" : "short",
    ...(zone !== undefined && { timeZone: zone }),
  } as const;
  const at = new Date(date.getTime() - offset * 60_000);
  const parts = new Intl.DateTimeFormat("en-US", options).formatToParts(at);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/** Reads a date by a pattern. Fields that the pattern lacks are those of 1970-01-01. */
export function toDate(text: string, format: string, zone?: string): Date {
  const read = new DateReader(String(text));
  const tokens = [...format.matchAll(TOKENS)];
  tokens.forEach(([token, quoted, letter], i) => {
    if (quoted !== undefined) read.literal(quoted === "" ? "'" : quoted.replaceAll("''", "'"));
    else if (letter === undefined) read.literal(token);
    else read.field(letter, token.length, tokens[i + 1]?.[2] !== undefined);
  });
  return read.date(zone);
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Reads a text by the parts of a pattern, one after the other. */
class DateReader {
  readonly #text: string;
  #at = 0;
  /** The year, the month from 1, the day, the hour, the minute, the second and the ms. */
  readonly #fields: [number, number, number, number, number, number, number] = [1970, 1, 1, 0, 0, 0, 0];
  #afternoon: boolean | undefined;
  #offset: number | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  literal(text: string): void {
    if (!this.#text.startsWith(text, this.#at)) this.#fail(JSON.stringify(text));
    this.#at += text.length;
  }

  /** A number that is not followed by a separator has as many digits as the pattern has letters. */
  field(letter: string, count: number, isAdjacent: boolean): void {
    const digits = (most: number): number => this.#number(isAdjacent ? count : most);
    if (/[yY]/.test(letter)) {
      const year = digits(4);
      this.#fields[0] = count === 2 && year < 100 ? 2000 + year - (year > 70 ? 100 : 0) : year;
    } else if (/[ML]/.test(letter)) this.#fields[1] = count > 2 ? this.#monthName() : digits(2);
    else if (letter === "d") this.#fields[2] = digits(2);
    else if (/[HkKh]/.test(letter)) this.#fields[3] = digits(2) % (letter === "h" ? 12 : 24);
    else if (letter === "m") this.#fields[4] = digits(2);
    else if (letter === "s") this.#fields[5] = digits(2);
    else if (letter === "S") this.#fields[6] = digits(3);
    else if (letter === "a") this.#afternoon = this.#match(/[ap]m/iy, "AM or PM").toLowerCase() === "pm";
    else if (letter === "E") this.#match(/[A-Za-z]+/y, "a day of the week");
    else if (/[zZX]/.test(letter)) this.#zone();
    else throw new Error(`the letter "${letter}" is not part of a date format that can be read here`);
  }

  date(zone: string | undefined): Date {
    const [year, month, day, hour, ...rest] = this.#fields;
    const fields = [year, month - 1, day, hour + (this.#afternoon ? 12 : 0), ...rest] as const;
    const utc = Date.UTC(...fields);
    if (this.#offset !== undefined) return new Date(utc - this.#offset * 60_000);
    if (zone === undefined) return new Date(...fields);
    // The offset depends on the time, which depends on the offset: near a change of clocks, it is computed
    // twice.
    const guess = new Date(utc - offsetOf(new Date(utc), zone) * 60_000);
    return new Date(utc - offsetOf(guess, zone) * 60_000);
  }

  #number(most: number): number {
    return Number(this.#match(new RegExp(`-?\\d{1,${most}}`, "y"), "a number"));
  }

  #monthName(): number {
    const name = this.#match(/[A-Za-z]+/y, "a month")
      .slice(0, 3)
      .toLowerCase();
    const index = MONTHS.indexOf(name);
    return index < 0 ? this.#fail("a month") : index + 1;
  }

  #zone(): void {
    const text = this.#match(/Z|(?:GMT|UTC)?[+-]\d\d?:?(?:\d\d)?|[A-Za-z/_]+/y, "a time zone");
    this.#offset = text === "Z" ? 0 : offsetOf(new Date(), text);
  }

  #match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return this.#fail(what);
    this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    const found = this.#text.slice(this.#at, this.#at + 10);
    throw new Error(`"${this.#text}" is not a date of that format: ${expected} is expected, not "${found}"`);
  }
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;
const YEAR = 365 * DAY;

interface ElapsedFormat {
  readonly maxLeft?: number;
  readonly maxRight?: number;
  readonly sep?: string;
  readonly colon?: boolean;
  readonly abrev?: boolean;
  readonly full?: boolean;
  readonly pad?: boolean;
}

/** A time in ms as `1 hour, 2 minutes, 3 seconds`. Months are of 30 days. */
function elapsedTime4ms(time: number, format: ElapsedFormat = {}): string {
  if (Number(time) === 0) return "~0 ms";
  // The spelling of OpenAF.
  if (time < 1) return ">1 ms";
  const ms = Math.abs(time);
  const parts: [string, number][] = [
    ["year", ms / YEAR],
    ["month", (ms % YEAR) / MONTH],
    ["day", (ms % MONTH) / DAY],
    ["hour", (ms % DAY) / HOUR],
    ["minute", (ms % HOUR) / MINUTE],
    ["second", (ms % MINUTE) / SECOND],
    ["ms", ms % SECOND],
  ];
  const { maxLeft = 7, maxRight = 7, colon, abrev, full, pad } = format;
  const separator = format.sep ?? (colon ? ":" : abrev ? "" : ", ");
  return parts
    .map(([name, value], i) => ({ name, value: Math.floor(value), i }))
    .filter(({ value, i }) => (full || value > 0) && maxLeft > i && 6 - i <= maxRight)
    .map(({ name, value }) => {
      const shown = pad && name !== "year" ? leftPad(value, name === "ms" ? 3 : 2) : String(value);
      if (colon) return shown;
      const short = name === "month" ? "M" : name === "ms" ? name : name.slice(0, 1);
      return abrev ? shown + short : `${shown} ${name}${value === 1 || name === "ms" ? "" : "s"}`;
    })
    .join(separator);
}

/** How long ago a date was: `3 hours ago`. */
export function timeago(date: Date | string | number, short?: unknown): string {
  const seconds = Math.floor((Date.now() - new Date(date).getTime()) / SECOND);
  const units: [number, string, string][] = [
    [31_536_000, "yrs", "years"],
    [2_592_000, "mths", "months"],
    [86_400, "days", "days"],
    [3_600, "hrs", "hours"],
    [60, "mins", "minutes"],
  ];
  const found = units.find(([length]) => Math.floor(seconds / length) > 1);
  if (found !== undefined) return `${Math.floor(seconds / found[0])}${short ? found[1] : ` ${found[2]} ago`}`;
  if (seconds === 0) return short ? "now" : "Just now";
  return `${seconds}${short ? "secs" : " seconds ago"}`;
}

/** The date of a text of ISO 8601, or the text itself if it is not such a date. */
export function fromISODate(text: string): Date | string {
  // Java accepts a point without digits after it, and up to nine digits.
  const date = new Date(
    String(text).replace(/\.(\d{0,3})\d*(?=Z|[+-]\d\d)/, (_, ms: string) => (ms === "" ? "" : `.${ms}`)),
  );
  return Number.isNaN(date.getTime()) ? text : date;
}

type When = Date | string;

/** Whole units between two dates, the second by default now. With `round` a text that is rounded. */
function difference(unit: number): (from: When, to?: When, round?: unknown) => number | string {
  return (from, to = new Date(), round) => {
    const units = (new Date(to).getTime() - new Date(from).getTime()) / unit;
    return round ? units.toFixed(0) : Math.trunc(units);
  };
}

const months = (date: When): number => new Date(date).getFullYear() * 12 + new Date(date).getMonth();

export const TIMES: Functions = {
  fromDate,
  toDate,
  elapsedTime4ms,
  elapsedTime: (from: number | Date, to: number | Date, format?: ElapsedFormat): string =>
    elapsedTime4ms(Number(to) - Number(from), format),
  timeago,
  fromUnixDate: (seconds: unknown): Date => new Date(Number(seconds) * SECOND),
  toUnixDate: (date: Date): string => (date.getTime() / SECOND).toFixed(0),
  fromISODate,
  dateTimeZones: (): string[] => Intl.supportedValuesOf("timeZone"),
  dateDiff: {
    inSeconds: difference(SECOND),
    inMinutes: difference(MINUTE),
    inHours: difference(HOUR),
    inDays: difference(DAY),
    inWeeks: difference(7 * DAY),
    inMonths: (from: When, to: When = new Date()): number => months(to) - months(from),
    inYears: (from: When, to: When = new Date()): number => new Date(to).getFullYear() - new Date(from).getFullYear(),
  },
};
