import type { RateOptions } from "@ojm/core";
import { parseDuration, permitsProblem, rateProblem } from "@ojm/core/internal";
import { CommandError } from "../errors.js";
import { lastValue } from "./parse.js";
import type { Given } from "./spec.js";

/** The value of an option that is a duration, in ms; `undefined` if it was not given. */
export function spanOption(given: Given, option: string): number | undefined {
  const text = lastValue(given, option);
  if (text === undefined) return undefined;
  const span = parseDuration(text);
  if (span === undefined)
    throw new CommandError(`--${option} takes a duration with its unit, such as 90s, 10m, 2h or 30d, not "${text}"`);
  return span;
}

/**
 * The value of an option that is a time, in ms since 1970: in ISO 8601, local without a zone, a time of day
 * such as 02:00, or a duration from now. `sign`: -1 for a time in the past.
 */
export function timeOption(given: Given, option: string, now: number, sign: 1 | -1): number | undefined {
  const text = lastValue(given, option);
  if (text === undefined) return undefined;
  const span = parseDuration(text);
  if (span !== undefined) return now + sign * span;
  const clock = timeOfDay(text, now, sign);
  if (clock !== undefined) return clock;
  // A day starts at local midnight, like every time without a zone: JavaScript reads a date alone in UTC.
  const local = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(local) : Number.NaN;
  if (Number.isNaN(time))
    throw new CommandError(
      `--${option} takes a duration such as 2h, or a time such as 02:00 or 2026-11-25T02:00Z, not "${text}"`,
    );
  return time;
}

/** The last time of day before `now`, or the next one after it: `02:00` is local, `02:00Z` in UTC. */
function timeOfDay(text: string, now: number, sign: 1 | -1): number | undefined {
  const [, hour, minute, zone] = /^([01]\d|2[0-3]):([0-5]\d)(Z?)$/.exec(text) ?? [];
  if (hour === undefined || minute === undefined) return undefined;
  const time = new Date(now);
  if (zone === "Z") time.setUTCHours(Number(hour), Number(minute), 0, 0);
  else time.setHours(Number(hour), Number(minute), 0, 0);
  if (sign === -1 ? time.getTime() <= now : time.getTime() > now) return time.getTime();
  // Not 24 hours later or earlier: a day has 23 or 25 of them when the clocks are changed.
  if (zone === "Z") time.setUTCDate(time.getUTCDate() + sign);
  else time.setDate(time.getDate() + sign);
  return time.getTime();
}

/** The value of an option that is a time in the future, as {@link timeOption} reads it. */
export function futureOption(given: Given, option: string): number | undefined {
  const time = timeOption(given, option, Date.now(), 1);
  if (time !== undefined && time <= Date.now())
    throw new CommandError(`--${option} takes a time in the future: ${new Date(time).toISOString()} is over`);
  return time;
}

/**
 * The times of --since and --until, in ms since 1970.
 *
 * @throws CommandError if no time lies between them: an empty list would look like an answer
 */
export function rangeOptions(given: Given): { readonly from?: number; readonly to?: number } {
  const now = Date.now();
  const [from, to] = [timeOption(given, "since", now, -1), timeOption(given, "until", now, -1)];
  if (from !== undefined && to !== undefined && from >= to)
    throw new CommandError("--since must lie before --until: no time lies between them");
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/** The value of an option that is a positive whole number. */
export function countOption(given: Given, option: string): number | undefined {
  const text = lastValue(given, option);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new CommandError(`--${option} takes a whole number from 1 up, not "${text}"`);
  return Number(text);
}

/** The permits of --permit, which may be given several times. */
export function permitsOption({ values }: Given): { readonly [permit: string]: number } | undefined {
  const words = values["permit"];
  if (words === undefined) return undefined;
  const permits = words.map((word) => {
    const [, name, limit] = /^([^=,]+)=(\d+)$/.exec(word) ?? [];
    if (name === undefined)
      throw new CommandError(
        `--permit takes one name and its limit, such as stripe=10, not "${word}". For several, repeat the option: --permit stripe=10 --permit disk=2`,
      );
    return [name, Number(limit)] as const;
  });
  const names = permits.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new CommandError(`--permit gives two limits for "${twice}": give one`);
  const problem = permitsProblem(Object.fromEntries(permits));
  if (problem !== undefined) throw new CommandError(`--permit: ${problem}`);
  return Object.fromEntries(permits);
}

/** The named rate of --rate. */
export function rateOption(given: Given): RateOptions | undefined {
  if ((given.values["rate"]?.length ?? 0) > 1) throw new CommandError("--rate is given twice: a run has one rate");
  const word = lastValue(given, "rate");
  if (word === undefined) return undefined;
  const [, name, text = ""] = /^(.+)=(.+)$/.exec(word) ?? [];
  const terms = readRate(text);
  if (name === undefined || terms === undefined)
    throw new CommandError(`--rate takes a name, a number and a time, such as smtp=100/1m, not "${word}"`);
  const rate = { name, ...terms };
  const problem = rateProblem(rate);
  if (problem !== undefined) throw new CommandError(`--rate ${word}: ${problem}`);
  return rate;
}

/** Reads a number and a time, such as `100/1m` or `5/s`. */
export function readRate(text: string): { readonly max: number; readonly per: number } | undefined {
  const [, max, per = ""] = /^(\d{1,9})\/(.+)$/.exec(text) ?? [];
  const span = parseDuration(/^\d/.test(per) ? per : `1${per}`);
  return max !== undefined && span !== undefined && span > 0 ? { max: Number(max), per: span } : undefined;
}
