/** The parts of the local time of a zone. */
export type Wall = Readonly<
  Record<"year" | "month" | "day" | "weekday" | "hour" | "minute" | "second" | "fractionalSecond", string>
>;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

let found: string | undefined;

/** The zone of the user. */
export function localZone(): string {
  const { Temporal } = globalThis as { readonly Temporal?: { readonly Now: { timeZoneId(): string } } };
  // The first formatter of a page takes a browser some 30 ms, Temporal no time.
  found ??= Temporal?.Now.timeZoneId() ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return found;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", weekday: "short" },
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 },
  });
  formats.set(zone, format);
  return format;
}

/** The local time of a zone. A zone that the browser does not know is shown as UTC. */
export function wallOf(at: number, zone: string): Wall {
  // Most times are in these two zones, which need no formatter.
  if (zone === "UTC") return utcWall(at);
  if (zone === localZone()) return utcWall(at - new Date(at).getTimezoneOffset() * 60_000);
  try {
    const parts = formatOf(zone).formatToParts(at);
    const wall = Object.fromEntries(parts.map(({ type, value }) => [type, value])) as unknown as Wall;
    return { ...wall, day: String(Number(wall.day)), month: MONTHS[Number(wall.month) - 1] ?? wall.month };
  } catch {
    return utcWall(at);
  }
}

const pad = (n: number): string => String(n).padStart(2, "0");

/** A time in ISO 8601. It is empty for a number that is not a time, which must not break the page. */
export const isoOf = (date: Date): string => (Number.isNaN(date.getTime()) ? "" : date.toISOString());

function utcWall(at: number): Wall {
  const date = new Date(at);
  const iso = isoOf(date);
  return {
    year: String(date.getUTCFullYear()),
    month: MONTHS[date.getUTCMonth()] ?? "",
    day: String(date.getUTCDate()),
    weekday: WEEKDAYS[date.getUTCDay()] ?? "",
    hour: iso.slice(-13, -11),
    minute: iso.slice(-10, -8),
    second: iso.slice(-7, -5),
    fractionalSecond: iso.slice(-4, -1),
  };
}

/** How far a zone is ahead of UTC at a time, in ms. `on`: the local time then, if it is known. */
export function offsetOf(at: number, zone: string, on: Wall = wallOf(at, zone)): number {
  const { year, month, day, hour, minute, second } = on;
  const index = MONTHS.indexOf(month);
  const wall = Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second));
  return wall - Math.floor(at / 1_000) * 1_000;
}

/** When the local time of a zone is this. `wall`: the local time as if it were UTC, in ms since 1970. */
export function timeAt(wall: number, zone: string): number {
  const near = wall - offsetOf(wall, zone);
  return wall - offsetOf(near, zone);
}

/** `+01:00`. */
export function offsetText(at: number, zone: string, on?: Wall): string {
  const minutes = Math.round(offsetOf(at, zone, on) / 60_000);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
}

/** A field for a time. Not `datetime-local`: it shows AM and PM on a page with 24 hours. */
export const TIME_FIELD = {
  class: "input",
  placeholder: "YYYY-MM-DD hh:mm",
  pattern: "\\s*(\\d{4}-\\d\\d-\\d\\d[ T])?\\d\\d:\\d\\d\\s*",
  title: "A time such as 2026-11-24 14:00, or 14:00 for the last one",
  autocomplete: "off",
} as const;

/** A time in the format of such a field, in the local time of a zone. */
export const toField = (at: number, zone: string): string =>
  new Date(at + offsetOf(at, zone)).toISOString().slice(0, 16).replace("T", " ");

/**
 * The time in such a field, in ms since 1970; `undefined` if it is not valid. A time of day alone means the
 * last one before `now`.
 */
export function fromField(text: string, zone: string, now: number = Date.now()): number | undefined {
  if (/^\s*\d\d:\d\d\s*$/.test(text)) {
    const on = (day: number): number | undefined => fromField(`${toField(day, zone).slice(0, 11)}${text.trim()}`, zone);
    const today = on(now);
    return today === undefined || today <= now ? today : on(now - 86_400_000);
  }
  const wall = Date.parse(`${text.trim().replace(" ", "T")}Z`);
  // 30 February is parsed as 2 March.
  const isThere = !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(text.trim().slice(0, 10));
  return isThere ? timeAt(wall, zone) : undefined;
}
