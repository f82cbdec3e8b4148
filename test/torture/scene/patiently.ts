import { isChannelError } from "@ojm/core";

/** How long it is tried, in ms, and how long it takes until the next time. */
const PATIENCE = 60_000;
const PAUSE = 200;

/**
 * A machine under load may not let us reach the store in time. Where that is not what is judged, it is tried
 * again.
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
