import type { Clock } from "@ojm/core";
import type { Schedule } from "./schedule.js";

/** The wall clock is looked at this often, in ms: it may have been set, or the machine may have slept. */
const LOOK = 30_000;

/** A clock that is put back further than this showed a wrong date before, and what was due by it is forgotten. */
const DAY = 86_400_000;

/** Missed ticks are counted so far. */
const MOST = 100;

/** What is due now. Instants are on the clock of its row. */
export interface Due {
  readonly at: number;
  /** The first of the ticks before it that nobody was told of. */
  readonly since: number;
  /** How many they are: no more than 100 are counted. */
  readonly missed: number;
}

interface Row {
  readonly schedule: Schedule;
  readonly now: () => number;
  readonly onDue: (due: Due) => void;
  next: number;
  /** The latest time that was seen. */
  seen: number;
}

/**
 * Tells when schedules are due, each tick at most once, whatever the clock does. Ticks that went by unseen, for the process slept or the
 * clock was put forward, come down to the last of them. Where the clock is put back, ticks that were told are not told again.
 */
export class Timetable {
  readonly #clock: Clock;
  readonly #rows = new Set<Row>();
  #cancel: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `onDue` for the ticks of a schedule, from now on, by the clock that `now` reads. The process stays alive for them. */
  add(schedule: Schedule, now: () => number, onDue: (due: Due) => void): void {
    const seen = now();
    this.#rows.add({ schedule, now, onDue, next: schedule.next(seen), seen });
    this.#arm();
  }

  /** Nothing is due any more. */
  stop(): void {
    this.#rows.clear();
    this.#cancel();
  }

  #arm(): void {
    this.#cancel();
    let wait = LOOK;
    for (const { next, now } of this.#rows) wait = Math.min(wait, next - now());
    // A timer may go off a moment before the wall clock is there.
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

/** What is due in a row, which goes on behind it. */
function take(row: Row): Due | undefined {
  const { schedule } = row;
  const now = row.now();
  if (now < row.seen - DAY) row.next = schedule.next(now);
  row.seen = now < row.seen - DAY ? now : Math.max(now, row.seen);
  if (now < row.next) return undefined;
  const since = row.next;
  const at = last(schedule, since, now);
  row.next = schedule.next(at);
  return { at, since, missed: count(schedule, since, at) };
}

/** The last tick from `tick`, itself one, up to `now`: found without a walk, for years may have gone by. */
function last(schedule: Schedule, tick: number, now: number): number {
  const second = schedule.next(tick);
  if (second > now) return tick;
  let low = second - 1;
  let high = now;
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (schedule.next(middle) <= now) low = middle;
    else high = middle;
  }
  return schedule.next(low);
}

function count(schedule: Schedule, from: number, to: number): number {
  let ticks = 0;
  for (let at = from; at < to && ticks < MOST; at = schedule.next(at)) ticks++;
  return ticks;
}
