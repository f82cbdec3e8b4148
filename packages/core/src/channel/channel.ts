import { firstOf, whenAborted } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import type { Backend, CommitOutcome, StoredEntry } from "./backend/backend.js";
import { channelErrorOf } from "./backend/driver-errors.js";
import type { Store } from "./backend/store.js";
import { abortable, throwIfAborted } from "./calls.js";
import { decodeOutcome, encodeCommit, type ScopedOps } from "./commit.js";
import { decodeValue, type JsonValue } from "./encoding/json.js";
import { readableValue, type Scope } from "./encoding/scope.js";
import { versionOf } from "./encoding/version.js";
import { ChannelError } from "./errors.js";
import { type Scanned, scan } from "./scan.js";
import type {
  CallOptions,
  ChannelLocator,
  CommitResult,
  EntriesOptions,
  Entry,
  Key,
  KeyWatch,
  KeyWatcher,
  Op,
  RangeWatcher,
  Supports,
  Version,
  WatchEvent,
  WatchOptions,
  WriteOptions,
  WriteOutcome,
} from "./types.js";
import { ChannelVerbs } from "./verbs.js";
import { KeyWatches, Watch } from "./watch/watch.js";

/** Ops on a channel, as a part of a {@link Channel.commitWith}. */
export interface ChannelOps<V> {
  readonly channel: Channel<V>;
  readonly ops: readonly Op<V>[];
}

/**
 * A named set of entries in a store. Each entry has a key, a value and a version, and any write can be made
 * conditional on versions.
 *
 * {@link openChannel} opens one. All channel objects of one name on one store, in this process or another,
 * see the same entries. Every call rejects with a {@link ChannelError} if the store cannot be reached within
 * its deadline, and with `CLOSED` after {@link Channel.close}. A lost race is a value, never an error.
 *
 * @example
 * await using channel = await openChannel("accounts", { type: "sqlite", args: { file: "./accounts.db" } });
 * await channel.set("alice", { balance: 10 });
 * const alice = await channel.entry("alice");
 * const outcome = await channel.compareAndSet("alice", alice?.version ?? null, { balance: 9 });
 * if (!outcome.ok) console.log("another writer was faster:", outcome.current?.value);
 */
export class Channel<V = JsonValue> extends ChannelVerbs<V> {
  readonly name: string;
  /** The capabilities of the store. */
  readonly supports: Supports;
  readonly #store: Store;
  readonly #scope: Scope;
  readonly #clock: Clock;
  readonly #keyWatches: KeyWatches;
  readonly #closing: AbortController = new AbortController();
  #closed: Promise<void> | undefined;

  /** @internal Made by {@link openChannel}. */
  constructor(name: string, store: Store, scope: Scope, clock: Clock) {
    super();
    this.name = name;
    this.supports = store.backend.supports;
    this.#store = store;
    this.#scope = scope;
    this.#clock = clock;
    this.#keyWatches = new KeyWatches(store.backend, scope.range());
  }

  /** The value under `key`, as a fresh copy; `undefined` if there is no entry. */
  async get(key: Key, options: CallOptions = {}): Promise<V | undefined> {
    const stored = await this.#read(key, options);
    return stored === undefined ? undefined : decodeValue<V>(stored.value, stored.key);
  }

  /** The value under `key` with its version and the time it has left. */
  async entry(key: Key, options: CallOptions = {}): Promise<Entry<V> | undefined> {
    const stored = await this.#read(key, options);
    return stored === undefined ? undefined : this.#scope.entry<V>(stored);
  }

  /**
   * @internal The entries under several keys, in one call to the store.
   *
   * @throws ChannelError `CORRUPT` if ojm did not write one of them
   */
  async entriesUnder(keys: readonly Key[]): Promise<(Entry<V> | undefined)[]> {
    if (keys.length === 0) return [];
    const stored = await this.#open().read(keys.map((key) => this.#scope.key(key)));
    return stored.map((entry) => entry && this.#scope.entry<V>(entry));
  }

  async #read(key: Key, options: CallOptions) {
    const backend = this.#open(options);
    const [stored] = await abortable(backend.read([this.#scope.key(key)], options), options.signal, "not-applied");
    return stored;
  }

  /** Writes `value` unconditionally. Resolves to the new version. */
  async set(key: Key, value: V, options: WriteOptions = {}): Promise<Version> {
    const result = await this.commit([put(key, value, options)], options);
    if (result.ok) return result.version;
    throw new ChannelError("FAILED", "the store refused a write that had no condition");
  }

  /** Deletes the entry under `key`, if there is one. */
  async unset(key: Key, options: CallOptions = {}): Promise<void> {
    await this.commit([{ delete: key }], options);
  }

  /**
   * Writes `value` if the entry is at the version `expected`; with `null`, if there is no entry. Of any
   * number of callers with the same `expected`, at most one wins. The version of a deleted entry never
   * matches again.
   */
  async compareAndSet(
    key: Key,
    expected: Version | null,
    value: V,
    options: WriteOptions = {},
  ): Promise<WriteOutcome<V>> {
    const result = await this.commit([{ check: key, version: expected }, put(key, value, options)], options);
    if (result.ok) return result;
    const current = result.failed[0]?.current;
    return current === undefined ? { ok: false } : { ok: false, current };
  }

  /**
   * Applies checks, puts and deletes, all or nothing, in one round trip. All writes of a commit get the same
   * version.
   *
   * @example
   * await channel.commit([
   *   { check: "from", version: from.version }, { check: "to", version: to.version },
   *   { put: "from", value: from.value - 1 }, { put: "to", value: to.value + 1 },
   * ]);
   */
  commit(ops: readonly Op<V>[], options: CallOptions = {}): Promise<CommitResult<V>> {
    return this.#commit(ops, [], options) as Promise<CommitResult<V>>;
  }

  /**
   * Like {@link Channel.commit}, with ops on other channels of the same store in the same step; see {@link
   * Channel.joins}.
   *
   * @throws ChannelError `NOT_SUPPORTED` if one of the channels is in another store
   * @example
   * await accounts.commitWith([{ put: "alice", value: 10 }], [
   *   { channel: audit, ops: [{ put: 4711, value: "alice: +10" }] },
   * ]);
   */
  commitWith<W extends readonly unknown[] | []>(
    ops: readonly Op<V>[],
    others: { readonly [I in keyof W]: ChannelOps<W[I]> },
    options: CallOptions = {},
  ): Promise<CommitResult<V | W[number]>> {
    return this.#commit(ops, others as readonly ChannelOps<unknown>[], options) as Promise<CommitResult<V | W[number]>>;
  }

  /**
   * Joins ops on this channel, and on others of its store, to a transaction of the caller. The caller's
   * COMMIT applies them together with its own statements; if a check does not hold by then, COMMIT fails, and
   * nothing is applied. The ops hold up no other commit before COMMIT.
   *
   * @param transaction see {@link InTransaction.transaction}
   * @throws ChannelError `NOT_SUPPORTED` if the store has no transactions for callers
   */
  async commitIn(
    transaction: unknown,
    ops: readonly Op<V>[],
    others: readonly ChannelOps<unknown>[] = [],
  ): Promise<void> {
    const parts = this.#parts(ops, others);
    const backend = this.#open();
    if (this.supports.transactions !== true || backend.commitIn === undefined) {
      const text = `the store of the channel "${this.name}" cannot join a transaction. PostgreSQL can`;
      throw new ChannelError("NOT_SUPPORTED", text);
    }
    await backend.commitIn(transaction, encodeCommit(parts, this.supports));
  }

  /** Whether one commit can write to this channel and `other`: both are in one store, with equal args. */
  joins(other: Channel<unknown>): boolean {
    return this.#store === other.#store && this.supports.commitAcrossChannels;
  }

  /** The only async step between a commit and the backend. Each additional one would slow down every run. */
  async #commit(
    ops: readonly Op<unknown>[],
    others: readonly ChannelOps<unknown>[],
    options: CallOptions,
  ): Promise<CommitResult<JsonValue>> {
    const parts = this.#parts(ops, others);
    const backend = this.#open(options);
    const encoded = encodeCommit(parts, this.supports);
    let outcome: CommitOutcome;
    try {
      outcome = await abortable(backend.commit(encoded, options), options.signal, "unknown");
    } catch (error) {
      this.#store.gone.failed(error);
      throw channelErrorOf(error, "unknown");
    }
    this.#store.gone.answered();
    return decodeOutcome(encoded, outcome);
  }

  #parts(ops: readonly Op<unknown>[], others: readonly ChannelOps<unknown>[]): ScopedOps[] {
    const own = { scope: this.#scope, ops };
    if (others.length === 0) return [own];
    const parts = new Array<ScopedOps>(1 + others.length);
    parts[0] = own;
    for (let i = 0; i < others.length; i++) {
      const { channel, ops } = others[i] as ChannelOps<unknown>;
      if (!this.joins(channel)) throw notJoined(this.name, channel.name);
      parts[i + 1] = { scope: channel.#scope, ops };
    }
    return parts;
  }

  /**
   * The entries of the channel in the order of their keys, read page by page as the loop requests them.
   * Leaving the loop ends the scan. An entry that exists during the whole scan is yielded exactly once. An
   * entry that is written or deleted during the scan is yielded at most once.
   *
   * @throws ChannelError `CORRUPT` at an entry that ojm did not write
   */
  async *entries(options: EntriesOptions = {}): AsyncGenerator<Entry<V>, void, undefined> {
    yield* this.#scan(options, { values: true, as: (stored) => this.#scope.entry<V>(stored) });
  }

  /**
   * The keys and versions of the channel, in the order of keys, without reading the values. Skips a key that
   * another program wrote and that is not a valid key of a channel.
   */
  async *keys(options: EntriesOptions = {}): AsyncGenerator<Omit<Entry<V>, "value">, void, undefined> {
    yield* this.#scan(options, {
      values: false,
      as: ({ key: stored, version, expiresIn }) => {
        const key = this.#scope.unkeyIfOurs(stored);
        if (key === undefined) return undefined;
        return { key, version: versionOf(version), ...(expiresIn !== undefined && { expiresIn }) };
      },
    });
  }

  #scan<T>(options: EntriesOptions, scanned: Scanned<T>): AsyncGenerator<T, void, undefined> {
    return scan(this.#store.backend, this.#scope, options, scanned, () => void this.#open());
  }

  /**
   * Yields the entries that exist, then `synced`, then every change: own writes, foreign writes, deletes and
   * expiries, in order for each key. If changes were lost, `gap` and a new snapshot come first. A lost
   * connection does not end the watch. It ends when the loop is left, `signal` fires or the channel is
   * closed. The watch keeps all present keys in memory.
   *
   * @throws ChannelError `NOT_SUPPORTED` where `supports.watch` is false; `CORRUPT` at an entry that ojm did
   * not write
   */
  watch(options: WatchOptions = {}): AsyncGenerator<WatchEvent<V>, void, undefined> {
    return this.#watch(options, (stored) => this.#scope.entry<V>(stored));
  }

  /**
   * @internal Like {@link Channel.watch}, but corrupt entries do not end the watch. An entry whose value
   * cannot be decoded is yielded without the value. An entry whose key no channel wrote is skipped.
   */
  watchReadable(options: WatchOptions = {}): AsyncGenerator<WatchEvent<V | undefined>, void, undefined> {
    return this.#watch(options, (stored) => this.#scope.readable<V>(stored));
  }

  async *#watch<W>(
    options: WatchOptions,
    entryOf: (stored: StoredEntry) => Entry<W> | undefined,
  ): AsyncGenerator<WatchEvent<W>, void, undefined> {
    const backend = this.#open();
    if (!this.supports.watch) throw new ChannelError("NOT_SUPPORTED", "this type of channel cannot be watched");
    const closing = this.#closing.signal;
    const { signal, forget } = firstOf(closing, ...(options.signal === undefined ? [] : [options.signal]));
    const watch = new Watch({
      backend,
      clock: this.#clock,
      range: this.#scope.range(options.prefix),
      snapshot: () =>
        this.#scan(
          { ...(options.prefix === undefined ? {} : { prefix: options.prefix }), signal },
          { values: true, as: (stored) => stored },
        ),
      signal,
      keepAlive: options.keepAlive ?? true,
    });
    try {
      for await (const event of watch.events()) {
        if (event.type === "put") {
          const entry = entryOf(event.entry);
          if (entry !== undefined) yield { type: "put", entry };
        } else if (event.type === "delete") {
          const key = this.#scope.unkeyIfOurs(event.key);
          if (key !== undefined) yield { ...event, key, version: versionOf(event.version) };
        } else yield event;
      }
    } finally {
      forget();
    }
  }

  /**
   * Watches one key, without a snapshot. As long as a process watches few keys, a change of any other entry
   * does not wake it.
   *
   * A change that was made before the call may arrive late: compare versions. An expiry may not arrive at
   * all. To see the entries that exist already, use {@link Channel.watch}.
   *
   * @throws ChannelError `NOT_SUPPORTED` where `supports.watch` is false
   * @example
   * const watch = channel.watchKey("leader", {
   *   changed: ({ value }) => setLeader(value()),
   *   gap: readAgain,
   *   failed: report,
   * });
   * await watch.ready;
   * watch.stop();
   */
  watchKey(key: Key, watcher: KeyWatcher<V>): KeyWatch {
    this.#open();
    if (!this.supports.watch) throw new ChannelError("NOT_SUPPORTED", "this type of channel cannot be watched");
    return this.#keyWatches.watch(this.#scope.key(key), {
      changed: ({ value, version }) =>
        watcher.changed({
          version: versionOf(version),
          deleted: value === null,
          value: () => readableValue<V>(value),
        }),
      gap: () => watcher.gap(),
      failed: (error) => watcher.failed(error),
    });
  }

  /**
   * @internal Watches the keys that begin with `prefix`, without a snapshot and without keeping them in
   * memory: for ranges of a million entries. Reports what {@link Channel.watchKey} does, and no expiries.
   */
  async watchRange(prefix: Key, watcher: RangeWatcher<V>): Promise<() => void> {
    const backend = this.#open();
    if (!this.supports.watch) throw new ChannelError("NOT_SUPPORTED", "this type of channel cannot be watched");
    const { signal } = this.#closing;
    const isOver = (): boolean => signal.aborted;
    const stop = await backend.watch(this.#scope.range(prefix), {
      change: ({ key: stored, value, version }) => {
        const key = isOver() ? undefined : this.#scope.unkeyIfOurs(stored);
        if (key === undefined) return;
        const deleted = value === null;
        watcher.changed(key, { version: versionOf(version), deleted, value: () => readableValue<V>(value) });
      },
      gap: () => {
        if (!isOver()) watcher.gap();
      },
      fail: (error) => {
        if (!isOver()) watcher.failed(error);
      },
    });
    const forget = whenAborted(signal, stop);
    if (isOver()) stop();
    return () => {
      forget();
      stop();
    };
  }

  /** Ends the watches and scans of this object and leaves the store. Calling it again does nothing. */
  override close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#keyWatches.close();
    await this.#store.leave();
  }

  /**
   * What another thread or process needs to open the same channel: plain data, with the args as they were
   * given, secrets too. `undefined` for a channel that was opened with a backend object, or with args that
   * are not plain data.
   */
  get locator(): ChannelLocator | undefined {
    const { locator } = this.#store;
    return locator && { ...locator, name: this.name };
  }

  /** Whether {@link Channel.close} was called. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(options: CallOptions = {}): Backend {
    if (this.#closed !== undefined) throw new ChannelError("CLOSED", `the channel "${this.name}" is closed`);
    throwIfAborted(options.signal);
    return this.#store.backend;
  }
}

function notJoined(one: string, other: string): ChannelError {
  const text = `the channels "${one}" and "${other}" share no store that can commit to both in one step`;
  return new ChannelError("NOT_SUPPORTED", text);
}

function put<V>(key: Key, value: V, options: WriteOptions): Op<V> {
  return options.ttl === undefined ? { put: key, value } : { put: key, value, ttl: options.ttl };
}
