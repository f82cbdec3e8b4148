import type { Clock } from "@ojm/core/backend";

/**
 * The deadlines of many calls that may all take equally long, with one timer for all of them: a timer per call would cost a fifth
 * of the time that a call takes.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  /** In order of time, as all last equally long. */
  readonly #pending: Map<() => void, number> = new Map();
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Calls `expire` when the time is over, unless {@link end} was called for it. Each function can be in use once. */
  start(expire: () => void): void {
    this.#pending.set(expire, this.#clock.monotonic() + this.#ms);
    this.#cancelTimer ??= this.#clock.after(this.#ms, () => this.#check());
  }

  end(expire: () => void): void {
    this.#pending.delete(expire);
  }

  /** Does not wait for any deadline any more: all of them are over now. */
  expireAll(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const expire of [...this.#pending.keys()]) {
      this.#pending.delete(expire);
      expire();
    }
  }

  #check(): void {
    this.#cancelTimer = undefined;
    const now = this.#clock.monotonic();
    for (const [expire, due] of this.#pending) {
      // A timer may fire a moment before its time.
      if (due > now) {
        this.#cancelTimer = this.#clock.after(Math.max(1, due - now), () => this.#check());
        return;
      }
      this.#pending.delete(expire);
      expire();
    }
  }
}
