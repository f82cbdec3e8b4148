import { isChannelError } from "./channel/errors.js";
import type { Clock } from "./clock.js";

/** How soon a call is made again when the store could not be reached, in ms. */
const PAUSE = 100;

/** For how long a call is made again. */
export interface Persistence {
  readonly clock: Clock;
  /** The moment of the last call, by the monotonic clock. */
  readonly until: number;
  /** Asked before each further call. */
  goesOn(): boolean;
}

/** Makes a call again as long as it may succeed later. Rejects with what the last one failed with. */
export async function persist<T>({ clock, until, goesOn }: Persistence, call: () => Promise<T>): Promise<T> {
  for (;;) {
    const left = until - clock.monotonic();
    try {
      return await call();
    } catch (error) {
      if (!isChannelError(error) || !error.retryable || left <= 0 || !goesOn()) throw error;
    }
    const pause = Math.min(PAUSE, Math.max(0, until - clock.monotonic()));
    await new Promise<void>((resolve) => void clock.after(pause, resolve, true));
  }
}

/**
 * Until when the end of what is held is written again and again. Its session tells nothing of that where it lives by another store, or by none: a
 * full disk would be waited for for ever. One that ends because its time is over is not given up for that.
 */
export function endingUntil(now: number, heldUntil: number, ttl: number): number {
  return now < heldUntil ? Math.min(heldUntil, now + ttl) : now + ttl;
}
