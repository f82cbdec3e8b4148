/** Counts what is under way, for one who has to wait until nothing is any more. */
export class UnderWay {
  #count = 0;
  #onNone: (() => void)[] = [];

  begin(): void {
    this.#count++;
  }

  end(): void {
    if (--this.#count > 0) return;
    const waiting = this.#onNone;
    this.#onNone = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves once nothing is under way. */
  async none(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#onNone.push(resolve));
  }
}
