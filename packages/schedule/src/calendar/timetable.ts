import type { Clock } from "@ojm/core";
import type { Schedule } from "./schedule.js";
import { countTicks, lastTick } from "./search.js";

/** How often to read the wall clock, in ms: somebody may have set it, or the machine may have slept. */
const LOOK = 30_000;

/**
 * A clock that is set back further than this, in ms, showed a wrong date before. The ticks by that date are
 * forgotten.
 */
const DAY = 86_400_000;

/** The most missed ticks that are counted. */
const MOST = 100;

/** A tick that is due. Instants are on the clock of its row. */
export interface Due {
  readonly at: number;
  /** The first missed tick before it. */
  readonly since: number;
  /** How many ticks were missed. No more than 100 are counted. */
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

  /**
   * Calls `onDue` for the ticks of a schedule, by the clock that `now` reads. The process stays alive for
   * them.
   */
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
    let wait = LOOK;
    for (const { next, now } of this.#rows) wait = Math.min(wait, next - now());
    // A timer may fire a moment before the wall clock is there.
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

/** The due tick of a row. The row goes on behind it. */
function take(row: Row): Due | undefined {
  const { schedule } = row;
  const now = row.now();
  if (now < row.seen - DAY) row.next = schedule.next(now);
  row.seen = now < row.seen - DAY ? now : Math.max(now, row.seen);
  if (now < row.next) return undefined;
  const since = row.next;
  const at = lastTick(schedule, since, now);
  row.next = schedule.next(at);
  return { at, since, missed: countTicks(schedule, since, at, MOST) };
}
