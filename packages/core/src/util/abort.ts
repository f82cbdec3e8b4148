import { setMaxListeners } from "node:events";
import type { Clock } from "./clock.js";

/** Calls `callback` when `signal` fires. Call the result to stop listening. */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  // A program may use one signal for everything: Node would report a leak from the eleventh listener on.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

/**
 * A signal that fires with the first of `signals`, for its reason. `forget` stops listening to them: Node
 * keeps the result of AbortSignal.any() while any of its sources lives.
 *
 * @see https://github.com/nodejs/node/issues/55351
 */
export function firstOf(...signals: readonly AbortSignal[]): { readonly signal: AbortSignal; forget(): void } {
  const first = new AbortController();
  const abort = (): void => first.abort(signals.find(({ aborted }) => aborted)?.reason);
  const unfollow = signals.map((signal) => whenAborted(signal, abort));
  if (signals.some(({ aborted }) => aborted)) abort();
  return { signal: first.signal, forget: () => unfollow.forEach((forget) => void forget()) };
}

/** Resolves after `ms`, or when one of `signals` fires. Keeps the process alive meanwhile. */
export async function pause(clock: Clock, ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const { signal, forget } = firstOf(...signals);
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve, true);
      whenAborted(signal, () => {
        cancel();
        resolve();
      });
    });
  }
  forget();
}

/** Whether a value is an AbortSignal, of any realm. An object that only looks like one would never fire. */
export function isSignal(value: unknown): value is AbortSignal {
  return Object.prototype.toString.call(value) === "[object AbortSignal]";
}

/** Why a signal fired, in words. */
export function reasonText(reason: unknown): string {
  return reason instanceof Error ? reason.message : reason === undefined ? "no reason given" : String(reason);
}

/**
 * An abort signal that is created on first use. Most runs and leases never use their signal, and creating one
 * costs more than the rest of a lease together.
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
