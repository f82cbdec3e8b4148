/*
 * Durations, as people read and write them. The pages of the UI use this file as well: it imports nothing.
 */

/**
 * A duration: a number of ms, or a text of numbers with their units (`ms`, `s`, `m` or `min`, `h`, `d`, `w`),
 * such as `"90s"`, `"10m"`, `"1h30m"` or `"30d"`.
 */
export type Duration = number | string;

/** Options in which each {@link Duration} is a number of ms. */
export type InMs<T> = {
  [K in keyof T]: Duration extends T[K] ? (T[K] extends Duration | undefined ? Exclude<T[K], string> : T[K]) : T[K];
};

const SIZES: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** The units of {@link durationText} from a second up, the largest first. */
const SHOWN = ["d", "h", "min", "s"] as const;

const PART = / ?(\d+(?:\.\d+)?) ?(ms|min|s|m|h|d|w)/y;

/** The ms of a text such as `90s`, `1h30m` or `1 h 30 min`, in whole ms; `undefined` for any other text. */
export function parseDuration(text: string): number | undefined {
  if (/^0+$/.test(text)) return 0;
  let total = 0;
  PART.lastIndex = 0;
  do {
    const [, count, unit = ""] = PART.exec(text) ?? [];
    if (count === undefined) return undefined;
    total += Number(count) * (SIZES[unit] ?? 0);
  } while (PART.lastIndex < text.length);
  return Number.isFinite(total) ? Math.round(total) : undefined;
}

/** The ms of a {@link Duration} from `least` to `most`; `undefined` for any other value. */
export function durationOf(value: unknown, least = 0, most: number = Number.MAX_VALUE): number | undefined {
  const ms = typeof value === "string" ? parseDuration(value) : value;
  return typeof ms === "number" && ms >= least && ms <= most ? ms : undefined;
}

/**
 * The ms of the {@link Duration} that is the option `what`. Calls `refuse` with a message for any other
 * value. `least`: {@link ABOVE_ZERO} for any duration but 0.
 */
export function checkedDuration(
  what: string,
  value: unknown,
  refuse: (message: string) => never,
  least = 0,
  most?: number,
): number {
  return durationOf(value, least, most) ?? refuse(durationProblem(what, value, least, most));
}

/** The `least` of a duration that must not be 0. */
export const ABOVE_ZERO: number = Number.MIN_VALUE;

/** Why {@link durationOf} rejects the value of `what`. */
export function durationProblem(what: string, value: unknown, least = 0, most?: number): string {
  const from = least === 0 ? "" : least < 1 ? " above 0" : ` from ${durationText(least)}`;
  const to = most === undefined || most === Number.POSITIVE_INFINITY ? "" : ` up to ${durationText(most)}`;
  const kind = Array.isArray(value) ? "a list" : "a map";
  const text = typeof value === "object" && value !== null ? kind : String(value);
  const shown = typeof value === "string" ? `the text ${JSON.stringify(value)}` : text;
  return `${what} must be a duration${from}${to}, in ms or as a text with its unit such as "90s" or "10m", not ${shown}`;
}

/**
 * A duration for people, rounded: `320 ms`, `2.5 s`, `40 min`, `1 h 30 min`, `2 d 4 h`. From a minute up, its
 * two largest units. {@link parseDuration} reads it.
 */
export function durationText(ms: number): string {
  // A duration from another version or program may be any value. It is shown as it is.
  if (!Number.isFinite(ms)) return `${ms} ms`;
  if (ms < 0) return `-${durationText(-ms)}`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Math.round(ms / 100) / 10} s`;
  let rest = Math.round(ms / 1_000) * 1_000;
  const first = SHOWN.findIndex((unit) => rest >= (SIZES[unit] ?? 0));
  const parts = SHOWN.slice(first, first + 2).map((unit) => {
    const size = SIZES[unit] ?? 0;
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? "" : `${count} ${unit}`;
  });
  return parts.filter((part) => part !== "").join(" ");
}

/** A duration in whole seconds, for texts that count: `0 s`, `41 s`, `1 h 44 min`. */
export function elapsedText(ms: number): string {
  return ms < 1_000 ? "0 s" : durationText(Math.floor(ms / 1_000) * 1_000);
}

/**
 * `in 17 min`, `1 h 44 min ago`, `3 d ago`, `now`: below an hour, the largest unit; after two days, whole
 * days. Rounding one day and a half to `2 d` would name another night.
 */
export function distanceText(at: number, now: number): string {
  const ms = Math.abs(at - now);
  if (ms < 1_000) return "now";
  const text = elapsedText(ms - (ms % (ms < 60_000 ? 1_000 : ms < 2 * 86_400_000 ? 60_000 : 86_400_000)));
  return at > now ? `in ${text}` : `${text} ago`;
}

/** How long a run took. The record of a lost run is closed when another process notices it. */
export function tookText(status: string, ms: number): string {
  return `${status === "lost" ? "≤ " : ""}${durationText(ms)}`;
}
