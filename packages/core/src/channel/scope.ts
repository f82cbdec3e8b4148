import type { StoredEntry } from "./backend.js";
import { ChannelError } from "./errors.js";
import { decodeValue } from "./json.js";
import { decodeKey, decodeKeyIfOurs, encodeChannelName, encodeKey, endOfPrefix, justAfter } from "./key.js";
import type { EntriesOptions, Entry, Key } from "./types.js";

/** The part of a store's keys that belongs to one channel: turns keys into the store's, and entries back. */
export class Scope {
  readonly #name: string;

  constructor(channelName: string) {
    if (typeof channelName !== "string" || channelName === "") {
      throw new ChannelError("INVALID_ARGUMENT", "the name of a channel is a text that is not empty");
    }
    this.#name = encodeChannelName(channelName);
  }

  key(key: Key): string {
    return this.#name + encodeKey(key);
  }

  /** @throws ChannelError `CORRUPT` if no channel wrote this key */
  unkey(stored: string): Key {
    return decodeKey(stored.slice(this.#name.length));
  }

  /** As {@link unkey}; `undefined` if no channel wrote this key. */
  unkeyIfOurs(stored: string): Key | undefined {
    return decodeKeyIfOurs(stored.slice(this.#name.length));
  }

  entry<V>(stored: StoredEntry): Entry<V> {
    return {
      key: this.unkey(stored.key),
      value: decodeValue<V>(stored.value, stored.key),
      version: stored.version,
      ...(stored.expiresIn === undefined ? {} : { expiresIn: stored.expiresIn }),
    };
  }

  /** The keys that begin with `prefix`, or all of the channel's. */
  range(prefix?: Key): { from: string; to: string } {
    const from = prefix === undefined ? this.#name : this.key(prefix);
    return { from, to: endOfPrefix(from) };
  }

  /** The keys that a scan asks for; `undefined` where no key can be. */
  scanRange(options: EntriesOptions): { from: string; to: string } | undefined {
    let { from, to } = this.range(options.prefix);
    if (options.after !== undefined) {
      const after = justAfter(this.key(options.after));
      if (after > from) from = after;
    }
    if (options.before !== undefined) {
      const before = this.key(options.before);
      if (before < to) to = before;
    }
    return from < to ? { from, to } : undefined;
  }
}
