import type { Clock } from "@ojm/core";
import { WRONG_CLOCK } from "../decide/decide.js";
import { Heap } from "./heap.js";

/** How often to read the wall clock, in ms: somebody may have set it, or the machine may have slept. */
const LOOK = 30_000;

/** Something that is called at a time. */
export interface Alarm {
  onDue(): void;
}

/**
 * Calls alarms at their times by the wall clock, by one timer for all of them. While there are alarms, the
 * process stays alive.
 */
export class Alarms {
  readonly #clock: Clock;
  readonly #heap: Heap<Alarm> = new Heap();
  #cancel: (() => void) | undefined;
  /** When the timer fires, by the monotonic clock. */
  #armed = Number.POSITIVE_INFINITY;
  #keepsAlive = false;
  /** What the wall clock showed at the last look. */
  #seen: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#seen = clock.now();
  }

  /** Calls `alarm` at this instant, and not at the one that was set before. */
  set(alarm: Alarm, due: number): void {
    this.#heap.set(alarm, due);
    this.#arm();
  }

  delete(alarm: Alarm): void {
    this.#heap.delete(alarm);
  }

  /** Keeps the process alive also while there is no alarm. */
  keepAlive(on: boolean): void {
    this.#keepsAlive = on;
    this.#arm();
  }

  close(): void {
    this.#keepsAlive = false;
    this.#cancel?.();
    this.#armed = Number.NEGATIVE_INFINITY;
  }

  #arm(): void {
    if (this.#heap.size === 0 && !this.#keepsAlive) return;
    const { first = Number.POSITIVE_INFINITY } = this.#heap;
    // A timer may fire a moment before the wall clock is there.
    const { rest = 0 } = this.#clock;
    const left = first - this.#clock.now();
    const wait = Math.max(1, Math.min(left > rest ? Math.max(LOOK, rest) : LOOK, left));
    const at = this.#clock.monotonic() + wait;
    // A timer that fires sooner arms the next one then.
    if (at >= this.#armed) return;
    this.#cancel?.();
    this.#armed = at;
    this.#cancel = this.#clock.after(wait, () => this.#look(), true);
  }

  #look(): void {
    if (this.#armed === Number.NEGATIVE_INFINITY) return;
    this.#armed = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    // The times that were set by a wrong clock may be years away.
    const until = now < this.#seen - WRONG_CLOCK ? Number.POSITIVE_INFINITY : now;
    this.#seen = now;
    const due: Alarm[] = [];
    for (let next = this.#heap.take(until); next !== undefined; next = this.#heap.take(until)) due.push(next);
    for (const alarm of due) alarm.onDue();
    this.#arm();
  }
}
