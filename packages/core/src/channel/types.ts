import type { Backend, BackendType, Supports } from "./backend.js";
import type { JsonValue } from "./json.js";

export type { Supports };

/** The key of an entry: a string, number, boolean, an array of these, or a plain map of JSON values. */
export type Key =
  | string
  | number
  | boolean
  | readonly (string | number | boolean)[]
  | { readonly [field: string]: JsonValue };

/** An opaque version of an entry, usable as a fencing token. {@link compareVersions} orders two of one channel. */
export type Version = string;

/** What a channel holds under a key, and at which version. */
export interface Entry<V = JsonValue> {
  readonly key: Key;
  readonly value: V;
  readonly version: Version;
  /** Milliseconds left until the entry expires, when it was read. Absent: it never does. */
  readonly expiresIn?: number;
}

/** Which backend a channel uses, as written in an Init config. */
export interface ChannelConfig {
  /** `"simple"` (the default), `"sqlite"` or its alias `"db"`, …, or the name or path of a package that exports a backend. */
  readonly type?: string;
  /** The options of that backend. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/** {@link ChannelConfig}, and what only a program can give. */
export interface OpenOptions extends ChannelConfig {
  /** A backend type, or an open backend (which stays open when the channel closes), instead of `type`. */
  readonly backend?: BackendType | Backend;
}

/** Options of a call to the store. */
export interface CallOptions {
  /** Ends the waiting with `ABORTED`. A write that was already sent may still be applied: then `outcome` is `unknown`. */
  readonly signal?: AbortSignal;
}

/** Options of a write. */
export interface WriteOptions extends CallOptions {
  /** Time to live in ms, more than 0, measured by the store's clock. */
  readonly ttl?: number;
}

/** Whether an optimistic write won. `current` is what stood in its way; `undefined` where nothing stands there. */
export type WriteOutcome<V = JsonValue> =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly current?: Entry<V> };

/** One step of a {@link Channel.commit}: a condition, a put or a delete. A key may be checked once and written once. */
export type Op<V = JsonValue> =
  | { readonly check: Key; readonly version: Version | null }
  | { readonly put: Key; readonly value: V; readonly ttl?: number }
  | { readonly delete: Key };

/** What became of a {@link Channel.commit}. `failed` are the checks that did not hold, by their index among the ops. */
export type CommitResult<V = JsonValue> =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly failed: readonly { readonly index: number; readonly current?: Entry<V> }[] };

/** Which entries to list, and in which direction. */
export interface EntriesOptions extends CallOptions {
  /** Only keys that begin with these parts. `{ name: "a" }` lists `{ name: "a", startTime: 1 }`, never `{ name: "ab" }`. */
  readonly prefix?: Key;
  /** Only keys beyond this one (not it). Resumes a scan. */
  readonly after?: Key;
  /** Only keys up to this one (not it). */
  readonly before?: Key;
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** The most entries to list. */
  readonly limit?: number;
}

/** What a watch tells. See {@link Channel.watch}. */
export type WatchEvent<V = JsonValue> =
  /** An entry of the snapshot, or a write. */
  | { readonly type: "put"; readonly entry: Entry<V> }
  /** A delete; `expired` where the entry reached its deadline. */
  | { readonly type: "delete"; readonly key: Key; readonly version: Version; readonly expired?: true }
  /** The snapshot is complete: from here on, everything is a change. */
  | { readonly type: "synced" }
  /** Changes were lost. A new snapshot follows, up to the next `synced`: forget what is not in it. */
  | { readonly type: "gap" };

/** Options of a watch. */
export interface WatchOptions extends CallOptions {
  /** Only keys that begin with these parts. */
  readonly prefix?: Key;
  /** Whether the process stays alive while the next change is awaited, as it does for an open connection. Default: true. */
  readonly keepAlive?: boolean;
}
