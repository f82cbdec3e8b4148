interface Waiter {
  readonly order: number;
  readonly start: () => void;
}

/** Limits how many jobs run at once. */
export class Semaphore {
  #free: number;
  readonly #waiters: Waiter[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Calls `start` with a slot, at once or as soon as one is free. The waiter with the lowest `order` goes
   * first. Call the result to stop waiting.
   */
  take(order: number, start: () => void): () => void {
    if (this.tryTake()) {
      start();
      return () => {};
    }
    const waiter = { order, start };
    // Search from the end: a later waiter nearly always has a higher order.
    const before = this.#waiters.findLastIndex((other) => other.order <= order);
    this.#waiters.splice(before + 1, 0, waiter);
    return () => {
      const index = this.#waiters.indexOf(waiter);
      if (index >= 0) this.#waiters.splice(index, 1);
    };
  }

  /** Whether a waiter waits for a slot. */
  get wanted(): boolean {
    return this.#waiters.length > 0;
  }

  /** Takes a slot if one is free. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Gives a slot back. The first waiter gets it. */
  free(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#free++;
    else next.start();
  }
}
