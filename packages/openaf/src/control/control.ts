import { isStop, thread } from "../thread.js";

/**
 * Calls a function until it does not throw: at most `tries` times, or as long as the function `tries` returns
 * true for the error. Returns the result, or the last error.
 */
export function $retry(body: () => unknown, tries: unknown = 1): unknown {
  let left = Number(tries);
  const again = typeof tries === "function" ? (error: unknown) => Boolean(tries(error)) : () => --left > 0;
  for (;;) {
    try {
      return body();
    } catch (error) {
      if (isStop(error)) throw error;
      if (!again(error)) return error;
    }
  }
}

/**
 * The results of a function for each item. A script has one thread, so the items are processed one after the
 * other.
 */
export function pForEach(
  list: readonly unknown[],
  body: (item: unknown, index: number) => unknown,
  onError?: (error: unknown) => unknown,
): unknown[] {
  return list.map((item, index) => {
    try {
      return body(item, index);
    } catch (error) {
      if (onError === undefined) throw error;
      return onError(error);
    }
  });
}

/** The results of a function for each item, one after the other. */
export function parallel4Array(list: readonly unknown[], body: (item: unknown) => unknown): unknown[] {
  return list.map((item) => body(item));
}

/** Calls a function. A script has one thread, so nothing runs in between. */
export const sync = (body: () => unknown): unknown => body();

/** A function of a text of JavaScript: `newFn("a", "return a + 1")`. */
export function newFn(...given: string[]): (...parameters: unknown[]) => unknown {
  return new Function(...given) as (...parameters: unknown[]) => unknown;
}

/** A number or a truth value that changes in place. A script has one thread, so nothing runs in between. */
class Atomic {
  #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  get(): unknown {
    return this.#value;
  }

  set(value: unknown): void {
    this.#value = value;
  }

  inc(): number {
    return this.getAdd(1) + 1;
  }

  dec(): number {
    return this.getAdd(-1) - 1;
  }

  /** Adds an amount. Returns the value before. */
  getAdd(more: number): number {
    const before = Number(this.#value);
    this.#value = before + more;
    return before;
  }

  /** Sets the value. Returns the value before. */
  getSet(value: unknown): unknown {
    const before = this.#value;
    this.#value = value;
    return before;
  }

  /** Sets the value if it is this one. Returns whether it was. */
  setIf(test: unknown, value: unknown): boolean {
    const isIt = this.#value === test;
    if (isIt) this.#value = value;
    return isIt;
  }
}

/** A value that changes in place, by default the number 0, or with "boolean" false. */
export function $atomic(value?: unknown, type?: unknown): Atomic {
  return new Atomic(value ?? (type === "boolean" ? false : 0));
}

/** Forgets a value that `$set` has stored. */
export const $unset = (key: string): void => void thread.$set(key, undefined);

/** Repeats a text. */
export const repeat = (times: number, text: string): string => text.repeat(Math.max(0, times));

/** A time in ns that only goes forward. */
export const nowNano = (): number => Number(process.hrtime.bigint());

/** Does nothing: colours are written to terminals only. */
export function ansiStart(): void {}

/** Always undefined. */
export const __: undefined = undefined;

/**
 * The values that programs exchange with OpenAF. Here the map starts empty, and belongs to the scripts of one
 * job.
 */
export const __pm: Record<string, unknown> = {};

/** Rejects, or fulfils, a promise of OpenAF. */
type Settle = (value?: unknown) => void;

/**
 * A promise as OpenAF has it. A script has one thread, so the function runs at once, and `then` and `catch`
 * call their functions at once. `await` works too.
 */
class Promised {
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
      if (isStop(error)) throw error;
      this.#value = error;
      this.#failed = true;
    }
    if (this.#value instanceof Promised) {
      this.#failed ||= this.#value.#failed;
      this.#value = this.#value.#value;
    }
  }

  /** The result of the function. Throws what the function threw. */
  result(): unknown {
    if (this.#failed) throw this.#value;
    return this.#value;
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
 * Runs a function at once, and returns the promise of its result. It may call `fulfil` or `reject` instead.
 */
export function $do(
  body: (fulfil: Settle, reject: Settle) => unknown,
  onError?: (error: unknown) => unknown,
): Promised {
  const promise = new Promised(body);
  return onError === undefined ? promise : promise.catch(onError);
}

/** The promise of the results of all of these promises. It is rejected if one of them is. */
export function $doAll(promises: readonly Promised[]): Promised {
  return new Promised(() => promises.map((one) => one.result()));
}

/** The promise of the result of the first of these promises. */
export function $doFirst(promises: readonly Promised[]): Promised {
  const [first] = promises;
  return new Promised(() => first?.result());
}

/** Returns the promise: here it never has to wait. */
export const $doWait = (promise: Promised): Promised => promise;
