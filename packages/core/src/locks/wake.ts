import type { Clock } from "../clock.js";

/** Wakes one who waits. What came before it waits is not lost. */
export class Wake {
  readonly #clock: Clock;
  #woken = false;
  #error: { readonly error: unknown } | undefined;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  /** Nothing will wake it any more. */
  fail(error: unknown): void {
    this.#error = { error };
    this.wake();
  }

  /** Resolves once it was woken, to true, or after `ms`, to false. Throws what it failed with. */
  async next(ms: number): Promise<boolean> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ms, resolve);
        this.#resolve = () => {
          cancel();
          resolve();
        };
      });
      this.#resolve = undefined;
    }
    const woken = this.#woken;
    this.#woken = false;
    if (this.#error !== undefined) throw this.#error.error;
    return woken;
  }
}
