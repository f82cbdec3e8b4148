import type { Functions } from "../data/types.js";
import { fromDate } from "./dates.js";
import { leftPad } from "./numbers.js";
import { toDate } from "./read-date.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;
const YEAR = 365 * DAY;

/** How {@link elapsedTime4ms} writes a time. */
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
  // As OpenAF writes it.
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

/** The date of a text of ISO 8601, or the text itself if it is none. */
export function fromISODate(text: string): Date | string {
  // Java takes a point without digits behind it, and up to nine of them.
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

/** The functions of `ow.format` that deal with times. */
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
