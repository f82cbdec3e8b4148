interface Waiting {
  readonly order: number;
  readonly start: () => void;
}

/** Places to run in: as many jobs run at once as there are slots. */
export class Slots {
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Calls `start` with a slot, at once or when one is free. Of those that wait, the one with the lowest `order` goes first. Returns
   * a function that gives up waiting.
   */
  take(order: number, start: () => void): () => void {
    if (this.tryTake()) {
      start();
      return () => {};
    }
    const waiting = { order, start };
    // From behind: those that come later have a higher order, nearly always.
    const before = this.#waiting.findLastIndex((other) => other.order <= order);
    this.#waiting.splice(before + 1, 0, waiting);
    return () => {
      const index = this.#waiting.indexOf(waiting);
      if (index >= 0) this.#waiting.splice(index, 1);
    };
  }

  /** Whether somebody waits for a slot. */
  get wanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a slot if one is free now. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Gives a slot back: to the first one that waits. */
  free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next.start();
  }
}
