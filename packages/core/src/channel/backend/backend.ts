import type { Clock } from "../../util/clock.js";

/** The capabilities of a store, frozen. Declared ones must work, others refuse with `NOT_SUPPORTED`. */
export interface Supports {
  /** Who can use the store at once: one process, the processes of one host, or any host on the network. */
  readonly shared: "process" | "host" | "network";
  /** What an acknowledged write survives: nothing, the death of the process, or a power cut of the host. */
  readonly durability: "none" | "process" | "host";
  /**
   * For `durability: "none"`: which event can lose acknowledged writes ("a restart of the server"), and the
   * remedy ("set appendonly yes on the server"), as texts for an operator. Absent: the end of the process.
   */
  readonly risk?: { readonly event: string; readonly remedy: string };
  /** Whether one commit may write to several channels (false if channels live on different nodes). */
  readonly commitAcrossChannels: boolean;
  /** Whether entries may have a time to live. */
  readonly ttl: boolean;
  /** Whether changes can be watched. */
  readonly watch: boolean;
  /** Whether a commit can join a transaction of the caller: see {@link Backend.commitIn}. Absent: false. */
  readonly transactions?: boolean;
  /** The most checks and writes of one commit. */
  readonly maxOps: number;
  /** The longest encoded key, in UTF-8 bytes. */
  readonly maxKeyBytes: number;
  /** The longest encoded value, in UTF-8 bytes. */
  readonly maxValueBytes: number;
  /** How much of a run's log the store keeps. Absent: a default that depends on `shared` and `durability`. */
  readonly logs?: LogBudget;
}

/** How much of a run's log a store keeps, and how it is written. */
export interface LogBudget {
  /** The first part of a log, in bytes. It is never cut. */
  readonly head: number;
  /** The last part, in bytes. Everything between the two parts is deleted. */
  readonly tail: number;
  /** The number of bytes at which buffered lines are written. */
  readonly chunk: number;
  /** The longest that a line stays buffered, in ms, if the store keeps up. */
  readonly interval: number;
  /** How long lines are stored, in ms. Absent: until the record of the run is pruned. */
  readonly ttl?: number;
  /** Whether the lines of a completed run are kept after its end. */
  readonly completed: boolean;
}

/** An entry as the store holds it. A backend never returns an expired entry. */
export interface StoredEntry {
  readonly key: string;
  readonly value: string;
  /** Decimal digits without leading zeros. Any two versions of a store can be compared. */
  readonly version: string;
  /** Time to live left at the read, in ms, by the store's clock. Absent: the entry never expires. */
  readonly expiresIn?: number;
}

/** A condition of a commit: the entry is at exactly this version; `null`: there is no unexpired entry. */
export interface StoredCheck {
  readonly key: string;
  readonly version: string | null;
}

/** A write of a commit, at most one per key. `value: null` deletes, even if the entry is missing. */
export interface StoredWrite {
  readonly key: string;
  readonly value: string | null;
  /** Time to live in ms, from the moment of the write, by the store's clock. Absent: never expires. */
  readonly ttl?: number;
}

/** Checks and writes that are applied all or nothing. A commit without writes only compares, atomically. */
export interface Commit {
  readonly checks: readonly StoredCheck[];
  readonly writes: readonly StoredWrite[];
}

/**
 * The result of a commit. `version` is above every version that the store ever issued, including those of
 * deleted keys and those before a restart. If a check fails, `current[i]` is the entry under the key of
 * `checks[i]`; all are read at the moment at which the commit failed.
 */
export type CommitOutcome =
  | { readonly ok: true; readonly version: string }
  | { readonly ok: false; readonly current: readonly (StoredEntry | undefined)[] };

/** A range of keys, `from` inclusive to `to` exclusive, by UTF-8 bytes (JavaScript's `<` orders them so). */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

/** The request for one page of a scan. */
export interface ScanRequest extends KeyRange {
  readonly reverse: boolean;
  /** The most entries to return. At least 1. */
  readonly limit: number;
  /** If false, the caller does not need values: they may be empty strings. */
  readonly values: boolean;
}

/** Entries in the requested order. `more`: there may be further entries after the last one. */
export interface ScanPage {
  readonly entries: readonly StoredEntry[];
  readonly more: boolean;
}

/** A change that a watch saw. `value: null`: the entry was deleted, and `version` is that of the delete. */
export interface StoredChange {
  readonly key: string;
  readonly value: string | null;
  readonly version: string;
  readonly expiresIn?: number;
}

/** The callbacks of a watch. The backend calls them one at a time, in the order of versions for each key. */
export interface WatchSink {
  /** An entry was written or deleted. Expiries may be left out: core tracks the reported deadlines. */
  change(change: StoredChange): void;
  /** Changes may have been missed for good. The watch continues from here. */
  gap(): void;
  /** The watch ended for a reason that a retry does not fix. A lost connection is not such a reason. */
  fail(error: Error): void;
}

/** Options of a call to the store. */
export interface CallOptions {
  /** Ends the wait with `ABORTED`. A commit that was sent may still be applied: `outcome` is `unknown`. */
  readonly signal?: AbortSignal;
}

/**
 * An open store: the six members that a backend author writes. Core passes encoded, checked keys and values.
 * A key is the name of its channel, a space, and the parts of the key itself. Several channels share one
 * backend.
 *
 * A backend that cannot reach its store rejects within its deadline with a `ChannelError`; it never answers
 * "absent".
 */
export interface Backend {
  readonly supports: Supports;
  /** The entries under `keys`, in that order; `undefined` for a missing one. */
  read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]>;
  /** One page of a range. A page is consistent in itself; two pages need not be of the same moment. */
  scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage>;
  /** Applies the checks and writes in one step and, on a network, one round trip. */
  commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome>;
  /**
   * Joins a commit to a transaction that the caller opened on a connection of its own. Resolves once the
   * transaction has it. Nothing is checked, locked or visible before the caller's own COMMIT, which applies
   * all joined commits in one step, with one version above all others, or fails as a whole. If two of them
   * write one key, the later one counts. Required if `supports.transactions` is true.
   *
   * @param transaction the caller's connection, of a type that the backend documents
   */
  commitIn?(transaction: unknown, commit: Commit): Promise<void>;
  /**
   * Resolves once every later commit will be reported to `sink`. Call the result to end the watch.
   *
   * A watch must not keep the process alive. Core does that itself while a caller waits for a change. If an
   * open watch did it, a process that forgets to end a run would never exit and never free its lock.
   *
   * Waiters rely on watches of a single key (see `onlyKeyOf`). There are a few dozen at a time, and each is
   * short. Wake only the client that watches the key: if every commit were reported to every watcher, each
   * commit would wake all waiters.
   */
  watch(range: KeyRange, sink: WatchSink): Promise<() => void>;
  /** Releases everything that `open` took. Called once. A client that the caller passed in stays open. */
  close(): Promise<void>;
}

/** What core passes to a backend that it opens. */
export interface BackendContext {
  readonly clock: Clock;
}

/** A type of backend, exported by its package as `backend` or by default. */
export interface BackendType {
  /** The name used in configs (`type: "sqlite"`). */
  readonly type: string;
  /** Other names of the type. */
  readonly aliases?: readonly string[];
  /**
   * The options in `args` that are paths of the store's own files or folders. In a job file, such a path is
   * relative to the folder of that file. A read-only command does not open a store whose paths are missing.
   * Absent: no option is a path.
   */
  readonly paths?: readonly string[];
  /** The names of all options. `ojm check` rejects others unopened. Absent: only `open` knows them. */
  readonly options?: readonly string[];
  /**
   * Loads the modules that `open` needs, such as the driver, and connects to nothing. The heartbeat thread
   * calls it in advance, because `open` is called there when the machine may be too busy to load them in
   * time. Absent: `open` imports nothing.
   */
  load?(): Promise<unknown>;
  /**
   * Makes the SQL by which an administrator creates the tables of the store in advance, and grants `role` the
   * rights that a process needs. Absent: the store has no tables.
   */
  schemaSql?(options: { readonly schema?: string; readonly role?: string }): string;
  /**
   * Opens a store. Core opens it once for equal `args` and shares it between the channels of the process.
   * Rejects with a `ChannelError` (`INVALID_CONFIG` for a wrong option, which names the right one).
   */
  open(args: Readonly<Record<string, unknown>>, context: BackendContext): Promise<Backend>;
}
