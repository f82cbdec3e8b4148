import type { KeyValue } from "./calls/messages.js";

/**
 * The number of the layout: the keys below the prefix, and the text of a value. Each store has a mark with
 * its number (see `LayoutMark` in core). `open` reads the mark in its one request.
 *
 * A commit does not compare the mark: that would take one of the 128 operations of a transaction, and a
 * failed comparison would look like a failed check.
 */
export const LAYOUT = 1;

/** An entry as etcd stores it. Whether it has expired is not checked yet. */
export interface RawEntry {
  readonly key: string;
  readonly value: string;
  readonly version: string;
  /** The lease that the entry is attached to. Absent if the entry never expires. */
  readonly lease?: string;
  /** The ttl that the entry was written with, in ms. Known only if the value was read. */
  readonly ttl?: number;
}

/** The mark before the value of an entry with a ttl: leases count seconds, and entries share them. */
const TTL_MARK = /^ttl=(\d+(?:\.\d+)?) /;

/** Converts entries of a channel: a key gets the prefix of the store, and a value the mark of its ttl. */
export class Codec {
  readonly #prefix: Buffer;

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix, "utf8");
  }

  /** A key that no channel can have, written for a commit that needs a revision but changes nothing. */
  get revisionKey(): Buffer {
    return this.key("\0revision");
  }

  /** The key of the mark of the layout. No channel can have it. */
  get layoutKey(): Buffer {
    return this.key("\0layout");
  }

  key(key: string): Buffer {
    return Buffer.concat([this.#prefix, Buffer.from(key, "utf8")]);
  }

  keyOf(key: Buffer): string {
    return key.toString("utf8", this.#prefix.length);
  }

  value(value: string, ttl: number | undefined): Buffer {
    if (ttl === undefined) return Buffer.from(value, "utf8");
    // Round up to a microsecond: a smaller number would be written with an exponent.
    return Buffer.from(`ttl=${Math.ceil(ttl * 1000) / 1000} ${value}`, "utf8");
  }

  /** Decodes an entry. If `values` is false, the value was not read, so the ttl is unknown. */
  entry(kv: KeyValue, values: boolean = true): RawEntry {
    const entry = { key: this.keyOf(kv.key), version: String(kv.mod_revision) };
    const lease = Number(kv.lease) === 0 ? undefined : String(kv.lease);
    if (!values) return lease === undefined ? { ...entry, value: "" } : { ...entry, value: "", lease };
    const text = kv.value.toString("utf8");
    if (lease === undefined) return { ...entry, value: text };
    const mark = TTL_MARK.exec(text);
    // The lease was attached by hand: the entry expires, but only the lease knows when.
    if (mark === null) return { ...entry, value: text, lease };
    return { ...entry, value: text.slice(mark[0].length), lease, ttl: Number(mark[1]) };
  }
}
