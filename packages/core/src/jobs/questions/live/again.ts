import { isChannelError } from "../../../channel/errors.js";
import type { Clock } from "../../../util/clock.js";

/** The pause before the next attempt to read a store that is away, in ms. */
export const AGAIN = 1_000;

/**
 * Follows again and again while the store is away, until the signal fires.
 *
 * @throws ChannelError if the store cannot be followed at all
 */
export async function untilOver(clock: Clock, signal: AbortSignal, follow: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      // A watch that ends by itself ends with its channel.
      return await follow();
    } catch (error) {
      if (signal.aborted) return;
      if (!isChannelError(error) || !error.retryable) throw error;
    }
    await new Promise<void>((resolve) => void clock.after(AGAIN, resolve));
  }
}
