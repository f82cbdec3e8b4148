import { signal } from "@preact/signals";
import { remembered } from "../app/remembered.js";

/** The zone in which times are shown: the reader's, UTC, or that of the job. */
export type ZoneChoice = "local" | "utc" | "job";

/** The choice of the reader. */
export const zoneChoice = remembered<ZoneChoice>("zone", "local", ["local", "utc", "job"]);

let found: string | undefined;

/** The zone of the reader. A browser takes some 40 ms to find it: the first calls are sent before. */
export function localZone(): string {
  found ??= new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return found;
}

/** The zone of the job that a page is about; lists have one a row. */
export const pageZone = signal<string | undefined>(undefined);

/** The zone to show a time in, that belongs to a job in `jobZone`. */
export function zoneFor(jobZone: string | undefined): string {
  if (zoneChoice.value === "utc") return "UTC";
  const job = zoneChoice.value === "job" ? (jobZone ?? pageZone.value) : undefined;
  return job ?? localZone();
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      ...{ timeZone: zone, hourCycle: "h23", year: "numeric", month: "short", day: "numeric", weekday: "short" },
      ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 },
    });
    formats.set(zone, format);
  }
  return format;
}

/** The parts of a time on the wall of a zone. */
export interface Wall {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly weekday: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
  readonly fractionalSecond: string;
}

/** The time on the wall of a zone. A zone that the browser does not know is shown as UTC. */
export function wallOf(at: number, zone: string): Wall {
  let format: Intl.DateTimeFormat;
  try {
    format = formatOf(zone);
  } catch {
    format = formatOf("UTC");
  }
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value])) as unknown as Wall;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** How far a zone is ahead of UTC at a time, in ms. `on`: the wall at that time, if it is known. */
export function offsetOf(at: number, zone: string, on: Wall = wallOf(at, zone)): number {
  const { year, month, day, hour, minute, second } = on;
  const index = MONTHS.findIndex((each) => month.startsWith(each));
  const wall = Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second));
  return wall - Math.floor(at / 1_000) * 1_000;
}

/** When the wall of a zone shows this. `wall`: as if it were the wall of UTC, in ms since 1970. */
export function timeAt(wall: number, zone: string): number {
  const near = wall - offsetOf(wall, zone);
  return wall - offsetOf(near, zone);
}

/** `+01:00`. */
export function offsetText(at: number, zone: string, on: Wall): string {
  const minutes = Math.round(offsetOf(at, zone, on) / 60_000);
  const pad = (n: number): string => String(n).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
}
