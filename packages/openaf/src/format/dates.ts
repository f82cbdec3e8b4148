import type { Functions } from "../data/types.js";
import { leftPad } from "./numbers.js";

interface DateFields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
  /** Ahead of UTC, in minutes. */
  readonly offset: number;
  readonly date: Date;
  readonly zone: string | undefined;
}

/** The parts of a pattern of Java's SimpleDateFormat: letters that repeat, texts in quotes, and the rest. */
const TOKENS: RegExp = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/g;

/** Writes a date by a pattern: `fromDate(new Date(), "yyyy-MM-dd HH:mm:ss", "UTC")`. */
export function fromDate(date: Date | string | number, format: string, zone?: string): string {
  const given = date instanceof Date ? date : new Date(date);
  if (Number.isNaN(given.getTime())) throw new Error(`this is not a date: ${String(date)}`);
  const fields = fieldsOf(given, zone);
  return format.replace(TOKENS, (token, quoted: string | undefined, letter: string | undefined) => {
    if (quoted !== undefined) return quoted === "" ? "'" : quoted.replaceAll("''", "'");
    return letter === undefined ? token : write(letter, token.length, fields);
  });
}

function fieldsOf(date: Date, zone: string | undefined): DateFields {
  const offset = zone === undefined ? -date.getTimezoneOffset() : offsetOf(date, zone);
  const local = new Date(date.getTime() + offset * 60_000);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    ms: local.getUTCMilliseconds(),
    offset,
    date: local,
    zone,
  };
}

/** How far a time zone is ahead of UTC at a time, in minutes. */
function offsetOf(date: Date, zone: string): number {
  const fixed = /^(?:GMT|UTC)?([+-])(\d\d?):?(\d\d)?$/.exec(zone);
  if (fixed !== null) return (fixed[1] === "-" ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3] ?? 0));
  const shown = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).format(date);
  const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(shown) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}

function write(letter: string, count: number, of: DateFields): string {
  const pad = (value: number): string => String(value).padStart(count, "0");
  const name = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en-US", { ...options, timeZone: "UTC" }).format(of.date);
  switch (letter) {
    case "y":
    case "Y":
    case "u":
      if (letter === "u") return pad(of.date.getUTCDay() || 7);
      return count === 2 ? String(of.year % 100).padStart(2, "0") : pad(of.year);
    case "M":
    case "L":
      return count < 3 ? pad(of.month) : name({ month: count === 3 ? "short" : "long" });
    case "d":
      return pad(of.day);
    case "D":
      return pad(Math.floor((Date.UTC(of.year, of.month - 1, of.day) - Date.UTC(of.year, 0, 1)) / 86_400_000) + 1);
    case "E":
      return name({ weekday: count > 3 ? "long" : "short" });
    case "a":
      return of.hour < 12 ? "AM" : "PM";
    case "H":
      return pad(of.hour);
    case "k":
      return pad(of.hour || 24);
    case "K":
      return pad(of.hour % 12);
    case "h":
      return pad(of.hour % 12 || 12);
    case "m":
      return pad(of.minute);
    case "s":
      return pad(of.second);
    case "S":
      return pad(of.ms);
    case "z":
    case "Z":
    case "X":
      return zoneText(letter, count, of);
    case "G":
      return "AD";
    default:
      throw new Error(`the letter "${letter}" is not part of a date format that is known here`);
  }
}

function zoneText(letter: string, count: number, { offset, zone, date }: DateFields): string {
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
  #year = 1970;
  #month = 1;
  #day = 1;
  #hour = 0;
  #minute = 0;
  #second = 0;
  #ms = 0;
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
    switch (letter) {
      case "y":
      case "Y": {
        const year = digits(4);
        this.#year = count === 2 && year < 100 ? 2000 + year - (year > 70 ? 100 : 0) : year;
        return;
      }
      case "M":
      case "L":
        this.#month = count > 2 ? this.#monthName() : digits(2);
        return;
      case "d":
        this.#day = digits(2);
        return;
      case "H":
      case "k":
      case "K":
      case "h":
        this.#hour = digits(2) % (letter === "h" ? 12 : 24);
        return;
      case "m":
        this.#minute = digits(2);
        return;
      case "s":
        this.#second = digits(2);
        return;
      case "S":
        this.#ms = digits(3);
        return;
      case "a":
        this.#afternoon = this.#match(/[ap]m/iy, "AM or PM").toLowerCase() === "pm";
        return;
      case "E":
        this.#match(/[A-Za-z]+/y, "a day of the week");
        return;
      case "z":
      case "Z":
      case "X":
        this.#zone();
        return;
      default:
        throw new Error(`the letter "${letter}" is not part of a date format that can be read here`);
    }
  }

  date(zone: string | undefined): Date {
    const hour = this.#hour + (this.#afternoon ? 12 : 0);
    const utc = Date.UTC(this.#year, this.#month - 1, this.#day, hour, this.#minute, this.#second, this.#ms);
    if (this.#offset !== undefined) return new Date(utc - this.#offset * 60_000);
    if (zone === undefined) {
      return new Date(this.#year, this.#month - 1, this.#day, hour, this.#minute, this.#second, this.#ms);
    }
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
