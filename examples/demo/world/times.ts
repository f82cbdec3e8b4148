const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The times of the events of the week, in ms since 1970. */
export interface Times {
  readonly start: number;
  readonly end: number;
  /** From when on `invoice-pdf` fails: Tuesday. */
  readonly broken: number;
  /** A power cut: no process is running. The night of Sunday, from 02:00 to 03:00 UTC. */
  readonly outage: { readonly from: number; readonly to: number };
  /** The day whose load of the warehouse takes too long: the last one. */
  readonly slow: number;
}

/** The last time before `end` that is `ofDay` ms after midnight UTC, on this day of the week if given. */
function lastTime(end: number, ofDay: number, weekday?: number): number {
  let day = Math.floor((end - ofDay) / DAY) * DAY;
  if (weekday !== undefined) while (new Date(day).getUTCDay() !== weekday) day -= DAY;
  return day + ofDay;
}

/**
 * The times of a simulation of this many days. Events that do not fit into a short one are on its first day.
 */
export function timesOf(end: number, days: number): Times {
  const start = end - days * DAY;
  const within = (at: number, else_: number): number => (at >= start && at < end ? at : else_);
  const tuesday = lastTime(end - DAY / 2, 4 * HOUR, 2);
  const from = within(lastTime(end - HOUR, 2 * HOUR, 0), lastTime(start + DAY, 2 * HOUR));
  return {
    start,
    end,
    broken: within(tuesday, start + DAY / 4),
    outage: { from, to: from + HOUR },
    slow: lastTime(end, 3 * HOUR),
  };
}

const FAVOURITES = ["Europe/Lisbon", "America/New_York", "America/Sao_Paulo", "Australia/Sydney"];

/** The offset of a time zone from UTC, as text. */
function offset(zone: string, at: number): string {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(at);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/** A time zone whose clocks are changed in this time; `undefined` if no such zone exists. */
export function changingZone({ start, end }: Pick<Times, "start" | "end">): string | undefined {
  const zones = [...FAVOURITES, ...Intl.supportedValuesOf("timeZone")];
  return zones.find((zone) => offset(zone, start) !== offset(zone, end));
}
