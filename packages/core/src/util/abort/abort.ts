import { setMaxListeners } from "node:events";

/** Calls `callback` when `signal` fires. Call the result to stop listening. */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  // A program may use one signal for everything it does. Node would report that as a leak from the eleventh
  // listener on.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

/**
 * A signal that fires with the first of `signals`. `forget` stops listening to them: Node keeps the result of
 * AbortSignal.any() while any of its sources lives.
 *
 * @see https://github.com/nodejs/node/issues/55351
 */
export function firstOf(...signals: readonly AbortSignal[]): { readonly signal: AbortSignal; forget(): void } {
  const first = new AbortController();
  const abort = (): void => first.abort();
  const unfollow = signals.map((signal) => whenAborted(signal, abort));
  if (signals.some(({ aborted }) => aborted)) abort();
  return { signal: first.signal, forget: () => unfollow.forEach((forget) => void forget()) };
}

/**
 * Whether a value is an AbortSignal, also one of another realm. An object that only looks like one would
 * never fire.
 */
export function isSignal(value: unknown): value is AbortSignal {
  return Object.prototype.toString.call(value) === "[object AbortSignal]";
}

/** Why a signal fired, in words. */
export function reasonText(reason: unknown): string {
  return reason instanceof Error ? reason.message : reason === undefined ? "no reason given" : String(reason);
}
