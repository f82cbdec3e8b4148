import type { Clock } from "@ojm/core";
import { nearest } from "@ojm/core/internal";
import { countTicks, lastTick, type Schedule, ScheduleError } from "./schedule.js";

/** How often to read the wall clock, in ms: it may have been set, or the machine may have slept. */
const CLOCK_CHECK = 30_000;

/** A clock that is set back by more than this, in ms, was wrong. The next tick is computed again then. */
const DAY = 86_400_000;

/** The most missed ticks that are counted. */
const MOST_MISSED = 100;

/** A tick that is due. Instants are on the clock of its row. */
export interface Due {
  readonly at: number;
  /** The first missed tick before it. */
  readonly since: number;
  /** The number of missed ticks. No more than 100 are counted. */
  readonly missed: number;
}

interface Row {
  readonly schedule: Schedule;
  readonly now: () => number;
  readonly onDue: (due: Due) => void;
  next: number;
  /** The latest time seen. */
  seen: number;
}

/**
 * Reports when schedules are due, each tick at most once, whatever the clock does. Ticks missed while the
 * process slept, or because the clock was set forward, are reported as one: the last of them. After the clock
 * was set back, no tick is reported again.
 */
export class Timetable {
  readonly #clock: Clock;
  readonly #rows = new Set<Row>();
  #cancel: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `onDue` for the ticks of a schedule, by the clock `now`, and keeps the process alive for them. */
  add(schedule: Schedule, now: () => number, onDue: (due: Due) => void): void {
    const seen = now();
    this.#rows.add({ schedule, now, onDue, next: schedule.next(seen), seen });
    this.#arm();
  }

  /** Reports no further tick. */
  stop(): void {
    this.#rows.clear();
    this.#cancel();
  }

  #arm(): void {
    this.#cancel();
    let wait = CLOCK_CHECK;
    for (const { next, now } of this.#rows) wait = Math.min(wait, next - now());
    // A timer may fire slightly before the wall clock reaches the time.
    if (this.#rows.size > 0) this.#cancel = this.#clock.after(Math.max(1, wait), () => this.#look(), true);
  }

  #look(): void {
    for (const row of [...this.#rows]) {
      const due = take(row);
      if (due !== undefined && this.#rows.has(row)) row.onDue(due);
    }
    this.#arm();
  }
}

/** The due tick of a row. The row continues behind it. */
function take(row: Row): Due | undefined {
  const { schedule } = row;
  const now = row.now();
  if (now < row.seen - DAY) row.next = schedule.next(now);
  row.seen = now < row.seen - DAY ? now : Math.max(now, row.seen);
  if (now < row.next) return undefined;
  const since = row.next;
  const at = lastTick(schedule, since, now);
  row.next = schedule.next(at);
  return { at, since, missed: countTicks(schedule, since, at, MOST_MISSED) };
}

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
 * @throws ScheduleError if the zone is unknown.
 */
export function openZone(name: string): Zone {
  // Most schedules use UTC, which avoids the 10 ms of the first formatter of a process.
  if (name === "UTC") return UTC;
  const known = opened.get(name);
  if (known !== undefined) return known;
  const zone = readZone(name);
  // The zone of the machine may change.
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

/** The local time at an instant, given as the instant at which a clock in UTC shows the same time. */
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
  // Clocks change at whole seconds: at the end, one second lies between `old` and `changed`.
  let old = Math.floor(from / 1000);
  let changed = Math.floor(to / 1000);
  while (changed - old > 1) {
    const middle = Math.floor((old + changed) / 2);
    if (offset(middle * 1000) === before) old = middle;
    else changed = middle;
  }
  return { at: changed * 1000, before, after };
}
