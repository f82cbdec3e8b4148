import type { Duration } from "../util/duration.js";
import type { Backend, BackendType, CallOptions, Supports } from "./backend/backend.js";
import type { JsonValue } from "./encoding/json.js";

export type { CallOptions, Supports };

/** The key of an entry: a string, number, boolean, an array of these, or a plain map of JSON values. */
export type Key =
  | string
  | number
  | boolean
  | readonly (string | number | boolean)[]
  | { readonly [field: string]: JsonValue };

/**
 * An opaque version of an entry, usable as a fencing token. It has 19 decimal digits with leading zeros, so
 * the versions of one channel have the same order as texts and as numbers. {@link compareVersions} compares
 * two of them.
 */
export type Version = string;

/** An entry of a channel. */
export interface Entry<V = JsonValue> {
  readonly key: Key;
  readonly value: V;
  readonly version: Version;
  /** Time left until the entry expires, in ms, at the moment of the read. Absent: it never expires. */
  readonly expiresIn?: number;
}

/** The backend of a channel, as an Init config names it. */
export interface ChannelConfig {
  /** `"simple"` (the default), `"sqlite"` or `"db"`, …, or the name or path of a backend's package. */
  readonly type?: string;
  /** The options of the backend. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/** A {@link ChannelConfig}, or a backend object of the program's own. */
export interface OpenOptions extends ChannelConfig {
  /** A backend type, or an open backend (which stays open when the channel closes), instead of `type`. */
  readonly backend?: BackendType | Backend;
}

/** Options of a call that joins a transaction of the caller. */
export interface InTransaction {
  /**
   * The caller's connection, inside a transaction, in the database of the store. Its type depends on the
   * store: see the page of the store. Nothing is applied before COMMIT.
   */
  readonly transaction: unknown;
}

/** Options of a write. */
export interface WriteOptions extends CallOptions {
  /** Time to live, above 0, measured by the store's clock. */
  readonly ttl?: Duration;
}

/** The result of a conditional write. If it lost, `current` is the present entry; absent if there is none. */
export type WriteOutcome<V = JsonValue> =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly current?: Entry<V> };

/** One step of a {@link Channel.commit}. A commit may check a key once and write it once. */
export type Op<V = JsonValue> =
  | { readonly check: Key; readonly version: Version | null }
  | { readonly put: Key; readonly value: V; readonly ttl?: Duration }
  | { readonly delete: Key };

/** A check of a commit that did not hold. */
export interface FailedCheck<V = JsonValue> {
  /** The name of the channel that the check is on. */
  readonly channel: string;
  /** The key, as the check gives it. */
  readonly key: Key;
  /** The entry that the store holds under the key; absent if there is none. */
  readonly current?: Entry<V>;
}

/** The version of the writes of a {@link Channel.commit}, or the checks that did not hold, in their order. */
export type CommitResult<V = JsonValue> =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly failed: readonly FailedCheck<V>[] };

/** The range and direction of a scan. */
export interface EntriesOptions extends CallOptions {
  /**
   * Only keys that begin with these parts. The prefix `{ name: "a" }` includes the key
   * `{ name: "a", startTime: 1 }`, but not `{ name: "ab" }`.
   */
  readonly prefix?: Key;
  /** Only keys after this one, exclusive. Resumes a scan. */
  readonly after?: Key;
  /** Only keys before this one, exclusive. */
  readonly before?: Key;
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** The most entries to list. */
  readonly limit?: number;
}

/** An event of {@link Channel.watch}. */
export type WatchEvent<V = JsonValue> =
  /** An entry of the snapshot, or a write. */
  | { readonly type: "put"; readonly entry: Entry<V> }
  /** A delete; with `expired`, the entry reached its deadline. */
  | { readonly type: "delete"; readonly key: Key; readonly version: Version; readonly expired?: true }
  /** The snapshot is complete: from here on, everything is a change. */
  | { readonly type: "synced" }
  /** Changes were lost. A new snapshot follows, up to the next `synced`: drop every key that is not in it. */
  | { readonly type: "gap" };

/** Options of a watch. */
export interface WatchOptions extends CallOptions {
  /** Only keys that begin with these parts. */
  readonly prefix?: Key;
  /** Whether waiting for a change keeps the process alive, as an open connection does. Default: true. */
  readonly keepAlive?: boolean;
}

/** What another thread or process needs to open the same channel: plain data. */
export interface ChannelLocator {
  readonly name: string;
  /** The package or file that exports the backend type. Any thread can import it. */
  readonly type: string;
  /** The backend's own name of the type, such as `sqlite`. */
  readonly kind: string;
  /** As they were given, including secrets. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** A change of one entry, as {@link Channel.watchKey} reports it. Decoded only if `value` is called. */
export interface Change<V = JsonValue> {
  /** The version of the write, or of the delete. */
  readonly version: Version;
  readonly deleted: boolean;
  /** The written value; `undefined` if the entry was deleted, or if ojm did not write it. */
  value(): V | undefined;
}

/** The callbacks of {@link Channel.watchKey}. */
export interface KeyWatcher<V = JsonValue> {
  /** The entry was written or deleted. The changes of one key come in the order in which they were made. */
  changed(change: Change<V>): void;
  /** Changes may have been missed: read the entry again. */
  gap(): void;
  /** The watch ended for a reason that a retry does not fix. */
  failed(error: Error): void;
}

/** @internal The callbacks of `Channel.watchRange`, as those of a {@link KeyWatcher}. */
export interface RangeWatcher<V = JsonValue> {
  changed(key: Key, change: Change<V>): void;
  gap(): void;
  failed(error: Error): void;
}

/** A watch of one key. */
export interface KeyWatch {
  /** Resolves once every later change is reported. Rejects if that is impossible: the watch is over. */
  readonly ready: Promise<void>;
  /** Ends the watch. */
  stop(): void;
}
