import type { Channel } from "../channel/channel.js";
import { ChannelError, isChannelError } from "../channel/errors.js";
import type { EntriesOptions, Entry, Key } from "../channel/types.js";
import { visible } from "../visible.js";
import type { LockView } from "./attempt.js";
import { lockKey, queueKey } from "./entries.js";
import { isLock, isQueue } from "./valid.js";

/*
 * What somebody else wrote into our channels, where anybody can write: it cannot be read (`CORRUPT`), or it is none of what we write.
 */

/** What a call found of an entry; `undefined` if it cannot be read: that is not ours to remove, and must not keep us from the rest. */
export async function unlessForeign<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (!isForeign(error)) throw error;
    return undefined;
  }
}

/** Whether an entry could not be read because it was not written by ojm. */
export function isForeign(error: unknown): boolean {
  return isChannelError(error) && error.code === "CORRUPT";
}

/** An entry whose value is `undefined` where it cannot be read. */
type Readable<V> = Omit<Entry<V>, "value"> & { readonly value: V | undefined };

/**
 * The entries of a range, without those whose key no channel wrote. A corrupt entry aborts a scan, so the rest are read one by one.
 */
export async function* readable<V>(
  channel: Channel<V>,
  options: EntriesOptions,
): AsyncGenerator<Readable<V>, void, undefined> {
  let last: Key | undefined;
  let { limit = Number.POSITIVE_INFINITY } = options;
  try {
    for await (const entry of channel.entries(options)) {
      last = entry.key;
      limit--;
      yield entry;
    }
    return;
  } catch (error) {
    if (!isForeign(error)) throw error;
  }
  const behind = last === undefined ? {} : options.reverse === true ? { before: last } : { after: last };
  for await (const { key, version } of channel.keys({ ...options, ...behind, limit })) {
    yield (await unlessForeign(channel.entry(key))) ?? { key, version, value: undefined };
  }
}

/** @throws ChannelError `CORRUPT` if what stands under the name of a lock was not written by locks */
export function assertOurs(channel: string, name: string, { lock, queue }: Partial<LockView>): void {
  const foreign =
    lock !== undefined && !isLock(lock.value, name)
      ? lockKey(name)
      : queue !== undefined && !isQueue(queue.value)
        ? queueKey(name)
        : undefined;
  if (foreign === undefined) return;
  throw foreignError(channel, foreign, "nobody can tell who has the lock. Delete it once you know that nobody does");
}

/** An entry that is none of ours, what follows from that, and what to do. */
export function foreignError(channel: string, key: Key, then: string): ChannelError {
  const text = `the entry ${visible(JSON.stringify(key))} of the channel "${channel}" was not written by ojm, so ${then}`;
  return new ChannelError("CORRUPT", text);
}
