import { setMaxListeners } from "node:events";

/** Calls `callback` when `signal` fires. The result takes it back. */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  // All that a program does may hang on its one signal. That is no leak, of which Node would warn at the eleventh.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

/**
 * A signal that fires with the first of `signals`. `forget` lets go of them: what AbortSignal.any() makes is kept for as long as any of them lives.
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

/** Whether it is an AbortSignal, of whichever realm: one that only looks like one could not be followed. */
export function isSignal(value: unknown): value is AbortSignal {
  return Object.prototype.toString.call(value) === "[object AbortSignal]";
}

/** Why a signal fired, in words. */
export function reasonText(reason: unknown): string {
  return reason instanceof Error ? reason.message : reason === undefined ? "no reason given" : String(reason);
}
