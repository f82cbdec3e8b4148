import type { Clock } from "../../util/clock.js";
import { isChannelError } from "../errors.js";
import { isFull } from "./full.js";

/** The pause before a retry, in ms. */
const PAUSE = 100;

/** How long {@link retry} goes on. */
export interface RetryOptions {
  readonly clock: Clock;
  /** The time of the last attempt, by the monotonic clock. */
  readonly until: number;
  /** Asked before each further attempt. */
  goesOn(): boolean;
}

/**
 * Repeats a call while its error is retryable, and not that the store is full. Rejects with the error of the
 * last attempt.
 */
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

/**
 * Waits before the next attempt, after one that began at `began`. Rejects with its error if there is no next
 * one.
 */
export async function beforeRetry(
  { clock, until, goesOn }: RetryOptions,
  began: number,
  error: unknown,
): Promise<void> {
  if (!isChannelError(error) || !error.retryable || isFull(error) || began >= until || !goesOn()) throw error;
  const pause = Math.min(PAUSE, Math.max(0, until - clock.monotonic()));
  await new Promise<void>((resolve) => void clock.after(pause, resolve, true));
}

/**
 * When to stop retrying the end of a lease or a run: after one `ttl` at most, so that a store that is away
 * cannot block `close()`. The session is no guide, as it may live in another store. After its timeout a lease
 * still gets its full `ttl` of retries.
 */
export function endingUntil(now: number, heldUntil: number, ttl: number): number {
  return now < heldUntil ? Math.min(heldUntil, now + ttl) : now + ttl;
}
