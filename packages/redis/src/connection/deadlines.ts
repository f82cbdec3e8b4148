import type { Clock } from "@ojm/core/backend";

/** Something with a deadline. `expire` is called when the deadline passes. */
export interface Expiring {
  expire(): void;
}

/**
 * The deadlines of many calls with one timeout. One timer serves them all: a timer per call would cost a good
 * part of it. The timer keeps the process alive, because a caller awaits these calls.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  /** Ordered by deadline, as all calls have the same timeout. */
  readonly #pending: Map<Expiring, number> = new Map();
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  start(call: Expiring): void {
    this.#pending.set(call, this.#clock.monotonic() + this.#ms);
    this.#cancelTimer ??= this.#clock.after(this.#ms, () => this.#check(), true);
  }

  end(call: Expiring): void {
    this.#pending.delete(call);
    if (this.#pending.size > 0) return;
    // Cancel the timer: a program that has nothing left to do must not stay for the rest of a deadline.
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  expireAll(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const calls = [...this.#pending.keys()];
    this.#pending.clear();
    for (const call of calls) call.expire();
  }

  #check(): void {
    this.#cancelTimer = undefined;
    const now = this.#clock.monotonic();
    for (const [call, due] of this.#pending) {
      // A timer may fire slightly early.
      if (due > now) {
        this.#cancelTimer ??= this.#clock.after(Math.max(1, due - now), () => this.#check(), true);
        return;
      }
      this.#pending.delete(call);
      call.expire();
    }
  }
}
