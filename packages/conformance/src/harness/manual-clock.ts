import { type Clock, systemClock } from "@ojm/core/backend";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when {@link ManualClock.advance} is called, for harnesses whose store takes its
 * time from a clock.
 */
export class ManualClock implements Clock {
  #now = 0;
  readonly #epoch: number = Date.now();
  readonly #timers: Set<Timer> = new Set();

  now(): number {
    return this.#epoch + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  random(length: number): string {
    return systemClock.random(length);
  }

  /**
   * Moves the clock forward by `ms`. Timers fire in order. After each one the event loop takes a turn, so
   * that the work that the timer started can continue.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
      await breathe();
    }
    this.#now = end;
    await breathe();
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }
}

function breathe(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
