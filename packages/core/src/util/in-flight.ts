/** Counts calls in flight, so that a close can wait until there are none. */
export class InFlight {
  readonly #above: InFlight | undefined;
  #count = 0;
  #onNone: (() => void)[] = [];

  /** `above`: counts the same calls, and others. */
  constructor(above?: InFlight) {
    this.#above = above;
  }

  begin(): void {
    this.#above?.begin();
    this.#count++;
  }

  end(): void {
    this.#above?.end();
    if (--this.#count > 0) return;
    const waiting = this.#onNone;
    this.#onNone = [];
    for (const resolve of waiting) resolve();
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  /** Resolves once no call is in flight. */
  async none(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#onNone.push(resolve));
  }
}
