/** What is asked of a channel. */
interface Asked {
  keys(options: { readonly limit: number; readonly signal: AbortSignal }): AsyncIterable<unknown>;
}

/**
 * Whether all channels answer a small read before `signal` is aborted. For those who ask a program whether it
 * can work.
 *
 * @example
 * const { jobs, locks } = manager.channels;
 * const isReady = await channelsAnswer([locks, jobs], AbortSignal.timeout(2_000));
 */
export async function channelsAnswer(channels: readonly Asked[], signal: AbortSignal): Promise<boolean> {
  try {
    for (const channel of channels) for await (const _ of channel.keys({ limit: 1, signal })) break;
    return true;
  } catch {
    return false;
  }
}
