import type { StoredEntry } from "../backend/backend.js";
import { ChannelError } from "../errors.js";
import type { EntriesOptions, Entry, Key } from "../types.js";
import { decodeValue } from "./json.js";
import { decodeKey, decodeKeyIfOurs, encodeChannelName, encodeKey, endOfPrefix, justAfter } from "./key.js";
import { KnownKey } from "./prepared.js";
import { versionOf } from "./version.js";

/** The part of a store that belongs to one channel. Encodes its keys, and decodes its entries. */
export class Scope {
  readonly channel: string;
  readonly #name: string;

  constructor(channelName: string) {
    if (typeof channelName !== "string" || channelName === "") {
      throw new ChannelError("INVALID_ARGUMENT", "the name of a channel must be a text that is not empty");
    }
    this.channel = channelName;
    this.#name = encodeChannelName(channelName);
  }

  key(key: Key): string {
    if (key instanceof KnownKey) return key.textIn(this);
    return this.#name + encodeKey(key);
  }

  /** @throws ChannelError `CORRUPT` if no channel wrote this key */
  unkey(stored: string): Key {
    return decodeKey(stored.slice(this.#name.length));
  }

  /** Like {@link unkey}; `undefined` if no channel wrote this key. */
  unkeyIfOurs(stored: string): Key | undefined {
    return decodeKeyIfOurs(stored.slice(this.#name.length));
  }

  entry<V>(stored: StoredEntry): Entry<V> {
    return {
      key: this.unkey(stored.key),
      value: decodeValue<V>(stored.value, stored.key),
      version: versionOf(stored.version),
      ...(stored.expiresIn === undefined ? {} : { expiresIn: stored.expiresIn }),
    };
  }

  /** Like {@link entry}, without a value that cannot be decoded; `undefined` if no channel wrote the key. */
  readable<V>(stored: StoredEntry): Entry<V | undefined> | undefined {
    const key = this.unkeyIfOurs(stored.key);
    if (key === undefined) return undefined;
    const { version, expiresIn } = stored;
    const rest = { version: versionOf(version), ...(expiresIn === undefined ? {} : { expiresIn }) };
    return { key, value: readableValue<V>(stored.value), ...rest };
  }

  /** The range of the keys that begin with `prefix`; without it, of all keys of the channel. */
  range(prefix?: Key): { from: string; to: string } {
    const from = prefix === undefined ? this.#name : this.key(prefix);
    return { from, to: endOfPrefix(from) };
  }

  /** The range of a scan; `undefined` if it is empty. */
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

/** Never throws: it also runs inside the callback of a backend, where no caller could handle an error. */
export function readableValue<V>(value: string | null): V | undefined {
  try {
    return value === null ? undefined : decodeValue<V>(value, "");
  } catch {
    return undefined;
  }
}
