import type { Clock } from "../../util/clock.js";

/** Wakes a waiter. It is an auto-reset event: a wake before `next()` is remembered. */
export class Waker {
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

  /** Makes `next()` throw: from now on nothing can wake the waiter. */
  fail(error: unknown): void {
    this.#error = { error };
    this.wake();
  }

  /** Resolves to true when woken, to false after `ms`. Throws the error passed to `fail`. */
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
