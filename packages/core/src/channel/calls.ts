import { whenAborted } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import { LINES, visible } from "../util/text.js";
import { emitWarning } from "../util/warning.js";
import { ChannelError, isChannelError } from "./errors.js";
import type { Entry } from "./types.js";

/** Stops waiting for `work` when `signal` fires. The outcome of a write that was sent is unknown then. */
export function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  outcome: "not-applied" | "unknown",
): Promise<T> {
  return signal === undefined ? work : untilAbort(work, signal, outcome);
}

async function untilAbort<T>(work: Promise<T>, signal: AbortSignal, outcome: "not-applied" | "unknown"): Promise<T> {
  let stopListening: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(abortError(signal, outcome));
    if (signal.aborted) onAbort();
    else stopListening = whenAborted(signal, onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stopListening?.();
  }
}

/** Throws if `signal` has fired, before anything is sent. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal, "not-applied");
}

function abortError(signal: AbortSignal, outcome: "not-applied" | "unknown"): ChannelError {
  return new ChannelError("ABORTED", "the call was aborted by its signal", { outcome, cause: signal.reason });
}

/**
 * Runs a background task. A `ChannelError` is dropped: the next period tries again, and callers get the error
 * from their own calls. Any other error is a fault of this package, a backend or a callback: it becomes a
 * process warning, so that it does not end a process that holds locks.
 */
export async function inBackground(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isChannelError(error)) return;
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    emitWarning("OJM_BACKGROUND", `in the background: ${visible(why, LINES)}`);
  }
}

/** The check of `key` among those that failed. Compares by identity: pass the key of the commit. */
export function failedCheck<V>(
  failed: readonly { readonly key: unknown; readonly current?: Entry<V> }[],
  key: unknown,
): { readonly current?: Entry<V> } | undefined {
  return failed.find((check) => check.key === key);
}

/** Whether the store is full. The caller gets that error at once: it lasts until an operator frees space. */
export function isFull(error: unknown): error is ChannelError {
  return isChannelError(error) && error.code === "FULL";
}

/** The pause before a retry, in ms. */
const PAUSE = 100;

interface RetryOptions {
  readonly clock: Clock;
  /** The time of the last attempt, by the monotonic clock. */
  readonly until: number;
  /** Whether to make another attempt. Called before each of them. */
  continues(): boolean;
}

/** Repeats a call while its error is retryable and the store is not full. Rejects with the last error. */
export async function retry<T>(options: RetryOptions, call: () => Promise<T>): Promise<T> {
  for (;;) {
    const began = options.clock.monotonic();
    try {
      return await call();
    } catch (error) {
      await beforeRetry(options, began, error);
    }
  }
}

/** Waits before the next attempt, or rejects with `error`, that of the attempt which began at `began`. */
export async function beforeRetry(
  { clock, until, continues }: RetryOptions,
  began: number,
  error: unknown,
): Promise<void> {
  if (!isChannelError(error) || !error.retryable || isFull(error) || began >= until || !continues()) throw error;
  const pause = Math.min(PAUSE, Math.max(0, until - clock.monotonic()));
  await new Promise<void>((resolve) => void clock.after(pause, resolve, true));
}

/**
 * Until when the end of a lease or a run is retried: for one `ttl`, or until the timeout of the lease
 * (`heldUntil`) if that comes first. If the timeout has already passed, for a full `ttl`. A store that is
 * unreachable cannot block `close()` for longer. The end of the session is not a sufficient limit, because
 * the session may be in another store, which still answers.
 */
export function endingUntil(now: number, heldUntil: number, ttl: number): number {
  return now < heldUntil ? Math.min(heldUntil, now + ttl) : now + ttl;
}
