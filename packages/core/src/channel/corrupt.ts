import type { Channel } from "./channel.js";
import { isChannelError } from "./errors.js";
import type { EntriesOptions, Entry, Key } from "./types.js";

/* An entry that ojm did not write is corrupt: it cannot be decoded (`CORRUPT`), or has another shape. */

/** The result of a call; `undefined` if it failed on a corrupt entry, which the caller can skip. */
export async function unlessCorrupt<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return undefined;
  }
}

/** The entries under these keys, as {@link Channel.entriesUnder}; `undefined` for a corrupt one, too. */
export async function entriesUnlessCorrupt<V>(
  channel: Channel<V>,
  keys: readonly Key[],
): Promise<(Entry<V> | undefined)[]> {
  const one = (key: Key): Promise<Entry<V> | undefined> => unlessCorrupt(channel.entry(key));
  return (await unlessCorrupt(channel.entriesUnder(keys))) ?? Promise.all(keys.map(one));
}

/** Whether a call failed because of an entry that ojm did not write. */
export function isCorrupt(error: unknown): boolean {
  return isChannelError(error) && error.code === "CORRUPT";
}

/** An entry. Its value is `undefined` if it cannot be decoded. */
type Readable<V> = Omit<Entry<V>, "value"> & { readonly value: V | undefined };

/** The entries of a range, corrupt ones included: one aborts the scan, so the rest are read singly. */
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
    if (!isCorrupt(error)) throw error;
  }
  const behind = last === undefined ? {} : options.reverse === true ? { before: last } : { after: last };
  for await (const found of channel.keys({ ...options, ...behind, limit })) {
    yield (await unlessCorrupt(channel.entry(found.key))) ?? { ...found, value: undefined };
  }
}
