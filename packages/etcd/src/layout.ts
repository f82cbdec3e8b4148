import type { KeyValue } from "./calls/messages.js";

/** An entry as etcd holds it, before anybody has judged whether it is expired. */
export interface RawEntry {
  readonly key: string;
  readonly value: string;
  readonly version: string;
  /** The lease it hangs on. Absent: it never expires. */
  readonly lease?: string;
  /** The ttl it was written with, in ms, where the value was read along. */
  readonly ttl?: number;
}

/**
 * What stands before the value of an entry that expires. The lease knows only whole seconds, and is shared.
 */
const TTL_MARK = /^ttl=(\d+(?:\.\d+)?) /;

/**
 * Between the names of etcd and those of a channel: keys get the prefix of the store, values the mark of
 * their ttl.
 */
export class Codec {
  readonly #prefix: Buffer;

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix, "utf8");
  }

  /** A key that no channel can have. Written when a commit needs a revision and changes nothing itself. */
  get revisionKey(): Buffer {
    return this.key("\0revision");
  }

  key(key: string): Buffer {
    return Buffer.concat([this.#prefix, Buffer.from(key, "utf8")]);
  }

  keyOf(key: Buffer): string {
    return key.toString("utf8", this.#prefix.length);
  }

  value(value: string, ttl: number | undefined): Buffer {
    if (ttl === undefined) return Buffer.from(value, "utf8");
    // To the microsecond, upwards: what is smaller would be written with an exponent.
    return Buffer.from(`ttl=${Math.ceil(ttl * 1000) / 1000} ${value}`, "utf8");
  }

  /** Reads an entry. With `values` false the value was not read along, and so the ttl is not known. */
  entry(kv: KeyValue, values: boolean = true): RawEntry {
    const entry = { key: this.keyOf(kv.key), version: String(kv.mod_revision) };
    const lease = Number(kv.lease) === 0 ? undefined : String(kv.lease);
    if (!values) return lease === undefined ? { ...entry, value: "" } : { ...entry, value: "", lease };
    const text = kv.value.toString("utf8");
    if (lease === undefined) return { ...entry, value: text };
    const mark = TTL_MARK.exec(text);
    // Somebody attached the lease by hand: there is an end, but only the lease knows when.
    if (mark === null) return { ...entry, value: text, lease };
    return { ...entry, value: text.slice(mark[0].length), lease, ttl: Number(mark[1]) };
  }
}
