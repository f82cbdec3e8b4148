/**
 * An abort signal that is created on first use. Nobody looks at the signal of most runs and leases, and
 * creating one costs more than the rest of a lease together.
 */
export class LazyAbortSignal {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The reason of a signal that fired; `undefined` before. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** Fires the signal. Only the first call counts. */
  fire(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
