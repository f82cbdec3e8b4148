import { setMaxListeners } from "node:events";

/** Calls `callback` when `signal` fires. The result takes it back. */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  // All that a program does may hang on its one signal. That is no leak, of which Node would warn at the eleventh.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

/** Why a signal fired, in words. */
export function reasonText(reason: unknown): string {
  return reason instanceof Error ? reason.message : reason === undefined ? "no reason given" : String(reason);
}
