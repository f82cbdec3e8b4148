/** Lets a number of users do something at once; the others wait. */
export class Semaphore {
  #free: number;
  readonly #waiters: { readonly order: number; readonly start: () => void }[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Does the work in a slot, once one is free. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    await this.enter(0);
    try {
      return await work();
    } finally {
      this.free();
    }
  }

  /** Calls `start` with a slot once one is free, lowest `order` first. Call the result to stop waiting. */
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

  /** Resolves with a slot. */
  enter(order: number): Promise<void> {
    return new Promise((resolve) => void this.take(order, resolve));
  }

  get wanted(): boolean {
    return this.#waiters.length > 0;
  }

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
