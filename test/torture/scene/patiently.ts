import { isChannelError } from "@ojm/core";

/** How long to repeat an attempt, and the pause between two attempts, in ms. */
const PATIENCE = 60_000;
const PAUSE = 200;

/**
 * Repeats `attempt` while it fails with a retryable error of the channel. Use it where the connection itself
 * is not judged: a machine under load may not reach the store in time.
 */
export async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isChannelError(error) || !error.retryable || performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
