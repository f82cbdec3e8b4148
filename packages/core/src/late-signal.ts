/**
 * An abort signal that is made when somebody first asks for it. Most runs and leases end without anybody having looked at theirs, and making one
 * costs more than everything else that they are made of.
 */
export class LateSignal {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Why it fired; `undefined` as long as it has not. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** Fires, once: a second reason changes nothing. */
  fire(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
