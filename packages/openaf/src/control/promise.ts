/** Rejects, or fulfils, a promise of OpenAF. */
type Settle = (value?: unknown) => void;

/**
 * A promise as OpenAF has it. A script has one thread, so the function runs at once, and what `then` and
 * `catch` get runs in their call. `await` takes it too.
 */
export class Promised {
  #failed = false;
  #value: unknown;

  constructor(body: (fulfil: Settle, reject: Settle) => unknown) {
    this.#run(() => {
      let settled: { readonly failed: boolean; readonly value: unknown } | undefined;
      const result = body(
        (value) => (settled ??= { failed: false, value }),
        (value) => (settled ??= { failed: true, value }),
      );
      if (settled?.failed) throw settled.value;
      return settled === undefined ? result : settled.value;
    });
  }

  #run(body: () => unknown): void {
    try {
      this.#value = body();
      this.#failed = false;
    } catch (error) {
      // A stop of the job is no failure of the function.
      if ((error as { code?: unknown } | undefined)?.code === "CANCELLED") throw error;
      this.#value = error;
      this.#failed = true;
    }
    if (this.#value instanceof Promised) {
      const { failed, value } = this.#value.settled;
      this.#failed ||= failed;
      this.#value = value;
    }
  }

  /** How it ended: what the function returned, or what it threw. */
  get settled(): { readonly failed: boolean; readonly value: unknown } {
    return { failed: this.#failed, value: this.#value };
  }

  // biome-ignore lint/suspicious/noThenProperty: OpenAF calls it so
  then(onValue?: (value: unknown) => unknown, onError?: (error: unknown) => unknown): this {
    const value = this.#value;
    if (this.#failed && typeof onError === "function") this.#run(() => onError(value));
    else if (!this.#failed && typeof onValue === "function") this.#run(() => onValue(value));
    return this;
  }

  catch(onError: (error: unknown) => unknown): this {
    return this.then(undefined, onError);
  }
}

/**
 * Runs a function at once, and returns the promise of what it returns. It may call `fulfil` or `reject`
 * instead.
 */
export function $do(
  body: (fulfil: Settle, reject: Settle) => unknown,
  onError?: (error: unknown) => unknown,
): Promised {
  const promise = new Promised(body);
  return onError === undefined ? promise : promise.catch(onError);
}

/** The promise of what all of these promises become; rejected if one of them is. */
export function $doAll(promises: readonly Promised[]): Promised {
  return new Promised(() =>
    promises.map((one) => {
      if (one.settled.failed) throw one.settled.value;
      return one.settled.value;
    }),
  );
}

/** The promise of what the first of these promises became. */
export function $doFirst(promises: readonly Promised[]): Promised {
  const [first] = promises;
  return new Promised((_, reject) => (first?.settled.failed ? reject(first.settled.value) : first?.settled.value));
}

/** Returns the promise: here it never has to wait. */
export function $doWait(promise: Promised): Promised {
  return promise;
}
