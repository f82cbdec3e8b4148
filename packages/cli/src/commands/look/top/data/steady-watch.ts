import { setTimeout } from "node:timers/promises";
import { type Channel, isChannelError, type Key, type WatchEvent } from "@ojm/core";

/** The pause before a watch that failed is begun again, in ms. */
const AGAIN = 1_000;

/** A watch that a store which goes away for a while does not end: a gap follows, and a new snapshot. */
export async function* steadyWatch<V>(
  channel: Channel<V>,
  prefix: Key,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<V | undefined>, void, undefined> {
  while (!signal.aborted) {
    try {
      yield* channel.watchReadable({ prefix, signal });
    } catch (error) {
      if (signal.aborted) return;
      if (!isChannelError(error) || !error.retryable) throw error;
    }
    await setTimeout(AGAIN, undefined, { signal }).catch(() => {});
    if (!signal.aborted) yield { type: "gap" };
  }
}
