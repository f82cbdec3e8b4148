import type { Clock } from "../../util/clock.js";
import type { HeldLeases } from "./held-leases.js";

/**
 * Ends each lease at its timeout, with one timer for all of them: that of the earliest timeout. A lease that
 * is released leaves the timer as it is. To set and cancel one for each of the many short leases would cost
 * more than to look once in a while which timeout comes next.
 */
export class LeaseTimeouts {
  readonly #clock: Clock;
  readonly #held: HeldLeases;
  /** When the timer fires, by the monotonic clock. */
  #due: number = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(clock: Clock, held: HeldLeases) {
    this.#clock = clock;
    this.#held = held;
  }

  /** Call it for each lease that was just taken. `until` is the end of its timeout. */
  taken(until: number): void {
    if (until < this.#due) this.#arm(until);
  }

  #arm(due: number): void {
    this.#cancel();
    this.#due = due;
    this.#cancel = this.#clock.after(Math.max(0, due - this.#clock.monotonic()), () => this.#fire());
  }

  /** A timer can fire a moment early by our clock: what it was set for is over all the same. */
  #fire(): void {
    const due = this.#due;
    this.#due = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const lease of this.#held.all) {
      if (lease.until <= due) lease.timedOut();
      else next = Math.min(next, lease.until);
    }
    if (next < this.#due) this.#arm(next);
  }

  /** Cancels the timer if no lease needs it: an idle process has no timers. */
  rest(): void {
    if (this.#held.size === 0) this.close();
  }

  /** Cancels the timer. */
  close(): void {
    this.#cancel();
    this.#due = Number.POSITIVE_INFINITY;
  }
}
