import type { Clock } from "../clock.js";

/**
 * What a store can do, declared once and frozen. The conformance suite proves it both ways: what is declared must work,
 * what is not must refuse with `NOT_SUPPORTED`.
 */
export interface Supports {
  /** Who may open the same store at once: programs of one process, of one host, or anybody on the network. */
  readonly shared: "process" | "host" | "network";
  /** What an acknowledged write outlives: nothing, the death of the process, or a power cut of the host. */
  readonly durability: "none" | "process" | "host";
  /** One commit may touch several channels of the store (false where each channel lives on a node of its own). */
  readonly commitAcrossChannels: boolean;
  /** Entries may have a time to live. */
  readonly ttl: boolean;
  /** Changes can be watched. */
  readonly watch: boolean;
  /** The most checks and writes that one commit may hold. */
  readonly maxOps: number;
  /** The longest encoded key, in UTF-8 bytes. */
  readonly maxKeyBytes: number;
  /** The longest encoded value, in UTF-8 bytes. */
  readonly maxValueBytes: number;
}

/** An entry as the store holds it. An expired entry is no entry: a backend never shows one. */
export interface StoredEntry {
  readonly key: string;
  readonly value: string;
  /** Decimal digits without leading zeros, so that any two versions of a store can be compared. */
  readonly version: string;
  /** Milliseconds until the entry expires, by the store's clock at the moment of the read. Absent: it never does. */
  readonly expiresIn?: number;
}

/** A condition of a commit: `key` is at exactly `version`; with `null`, there is no (unexpired) entry. */
export interface StoredCheck {
  readonly key: string;
  readonly version: string | null;
}

/** A write of a commit. `value: null` deletes; deleting what is not there is no error. No key appears twice in a commit. */
export interface StoredWrite {
  readonly key: string;
  readonly value: string | null;
  /** Milliseconds from the moment the store applies the write, by the store's clock. Absent: never expires. */
  readonly ttl?: number;
}

/** Checks and writes that are applied all or nothing. A commit without writes is an atomic comparison. */
export interface Commit {
  readonly checks: readonly StoredCheck[];
  readonly writes: readonly StoredWrite[];
}

/**
 * What became of a commit. `version` is above every version that the store gave out before, also to deleted keys and before a
 * restart. `current[i]` is what the store holds under the key of `checks[i]`, all read at the one moment at which the commit failed.
 */
export type CommitOutcome =
  | { readonly ok: true; readonly version: string }
  | { readonly ok: false; readonly current: readonly (StoredEntry | undefined)[] };

/** A run of keys: `from` is inside, `to` is not. Keys are ordered by their UTF-8 bytes, for which JavaScript's `<` gives the same. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

/** One page of a scan. */
export interface ScanRequest extends KeyRange {
  readonly reverse: boolean;
  /** The most entries to return. At least 1. */
  readonly limit: number;
  /** With false, the values are not needed and may be empty strings. */
  readonly values: boolean;
}

/** Entries in the order asked for. `more` says that there may be entries beyond the last one. */
export interface ScanPage {
  readonly entries: readonly StoredEntry[];
  readonly more: boolean;
}

/** A change that a watch saw. `value: null`: the entry was deleted, and `version` is the version of that delete. */
export interface StoredChange {
  readonly key: string;
  readonly value: string | null;
  readonly version: string;
  readonly expiresIn?: number;
}

/** Where a backend tells what it sees. Calls are made one at a time, and in the order of versions for each key. */
export interface WatchSink {
  /**
   * Some entry was written or deleted, by whomever. An expiry may be told as a delete, or not at all: core watches over the
   * deadlines of what it was told.
   */
  change(change: StoredChange): void;
  /** Changes may have been missed, and what was missed cannot be had any more. The watch goes on from here. */
  gap(): void;
  /** The watch is over, for a reason that trying again does not mend. A lost connection is no such reason. */
  fail(error: Error): void;
}

/** Options of every call that goes to the store. */
export interface CallOptions {
  /** Ends the waiting. A commit that was already sent rejects with `outcome: "unknown"`. */
  readonly signal?: AbortSignal;
}

/**
 * A store, opened: the six members that a backend author writes. Keys and values come encoded and checked; a key is the name
 * of its channel as the first part, a space, and the parts of the key itself. Several channels share one backend.
 *
 * A backend that cannot reach its store rejects within its deadline with a `ChannelError`; it never answers "absent".
 */
export interface Backend {
  readonly supports: Supports;
  /** The entries under `keys`, in that order, `undefined` where there is none. */
  read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]>;
  /** One page of the keys of a range. A page is consistent in itself; no promise is made across pages. */
  scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage>;
  /** Applies the checks and writes in one step and, on a network, one round trip. */
  commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome>;
  /**
   * Resolves once every later commit will be told to `sink`. The result ends the watch.
   *
   * Most watches are of a single key (see `onlyKeyOf`), a few dozen of them at a time, and short: by these who waits for a lock is woken. A backend that tells a process of nothing else spares all others who wait from being woken by each commit.
   */
  watch(range: KeyRange, sink: WatchSink): Promise<() => void>;
  /** Lets go of everything that `open` took. Called once. A client that the caller passed in stays open. */
  close(): Promise<void>;
}

/** What core hands to a backend that it opens. */
export interface BackendContext {
  readonly clock: Clock;
}

/** A type of channel: what a backend package exports, as `backend` or by default. */
export interface BackendType {
  /** The name used in configs (`type: "sqlite"`). */
  readonly type: string;
  /** Other names for the same. */
  readonly aliases?: readonly string[];
  /**
   * Opens a store. Core opens it once for equal `args` and shares it between the channels of the process.
   * Rejects with a `ChannelError` (`INVALID_CONFIG` for a wrong option, which names the right one).
   */
  open(args: Readonly<Record<string, unknown>>, context: BackendContext): Promise<Backend>;
}
