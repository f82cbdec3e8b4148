import { nearest } from "@ojm/core/internal";
import { ScheduleError } from "./schedule.js";

/** A change of the clocks of a zone. */
export interface ClockChange {
  /** The first instant with the new offset. */
  readonly at: number;
  /** The offset from UTC before and after the change, in ms. */
  readonly before: number;
  readonly after: number;
}

/** The clocks of a time zone. */
export interface Zone {
  /** The offset from UTC at this instant, in ms. */
  offset(instant: number): number;
  /**
   * The change of clocks after `from`, up to and including `to`. They must be at most some days apart: no
   * zone since 1970 has had two changes within a week, so the offsets at the ends show whether there is one.
   */
  change(from: number, to: number): ClockChange | undefined;
}

const UTC: Zone = { offset: () => 0, change: () => undefined };

/** A formatter takes some 50 KB, and a thousand schedules use the same few zones. */
const opened = new Map<string, Zone>();

/**
 * The time zone of this name in the IANA list. `local` is the zone of this machine.
 *
 * @throws ScheduleError if there is none of this name.
 */
export function openZone(name: string): Zone {
  // Most schedules use UTC, which does without the 10 ms that the first formatter of a process takes.
  if (name === "UTC") return UTC;
  const known = opened.get(name);
  if (known !== undefined) return known;
  const zone = readZone(name);
  // The zone of the machine may be set anew.
  if (name !== "local") opened.set(name, zone);
  return zone;
}

function readZone(name: string): Zone {
  const format = formatter(name);
  const offset = (instant: number): number => {
    const second = Math.floor(instant / 1000) * 1000;
    return shown(format, second) - second;
  };
  return { offset, change: (from, to) => findChange(offset, from, to) };
}

function formatter(name: string): Intl.DateTimeFormat {
  const parts = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
  const options = {
    ...parts,
    second: "numeric",
    hourCycle: "h23",
    calendar: "gregory",
    numberingSystem: "latn",
  } as const;
  try {
    return new Intl.DateTimeFormat("en-US", name === "local" ? options : { ...options, timeZone: name });
  } catch {
    throw new ScheduleError("INVALID", unknownZone(name), "timeZone");
  }
}

function unknownZone(name: string): string {
  const near = nearest(name, Intl.supportedValuesOf("timeZone"));
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  return `there is no time zone "${name}": write a name of the IANA list, for example Europe/Lisbon, or UTC.${hint}`;
}

/** What the clocks show at an instant, as the instant at which clocks in UTC show the same. */
function shown(format: Intl.DateTimeFormat, instant: number): number {
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function findChange(offset: Zone["offset"], from: number, to: number): ClockChange | undefined {
  const before = offset(from);
  const after = offset(to);
  if (before === after) return undefined;
  // Clocks change at whole seconds: in the end, one second lies between `old` and `changed`.
  let old = Math.floor(from / 1000);
  let changed = Math.floor(to / 1000);
  while (changed - old > 1) {
    const middle = Math.floor((old + changed) / 2);
    if (offset(middle * 1000) === before) old = middle;
    else changed = middle;
  }
  return { at: changed * 1000, before, after };
}
