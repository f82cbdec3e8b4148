/** The fields of a date in a time zone. */
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
export const TOKENS: RegExp = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/g;

/** Writes a date by a pattern: `fromDate(new Date(), "yyyy-MM-dd HH:mm:ss", "UTC")`. */
export function fromDate(date: Date | string | number, format: string, zone?: string): string {
  const given = date instanceof Date ? date : new Date(date);
  if (Number.isNaN(given.getTime())) throw new Error(`this is no date: ${String(date)}`);
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
export function offsetOf(date: Date, zone: string): number {
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
      throw new Error(`the letter "${letter}" is no part of a date format that is known here`);
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
