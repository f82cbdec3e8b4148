import { sameJson } from "./encoding/json.js";
import { encodeKey } from "./encoding/key.js";
import { compareVersions } from "./encoding/version.js";
import { ChannelError } from "./errors.js";
import type {
  CallOptions,
  CommitResult,
  EntriesOptions,
  Entry,
  Key,
  Op,
  Supports,
  Version,
  WatchEvent,
  WatchOptions,
  WriteOptions,
  WriteOutcome,
} from "./types.js";

/** A callback for changes: the channel's name, the operation, the key, and the new value of a `set`. */
export type Subscriber<V> = (channel: string, operation: "set" | "unset", key: Key, value: V | undefined) => void;

/** The verbs of OpenAF's channels, each written once on top of the few primitives of a {@link Channel}. */
export abstract class ChannelVerbs<V> {
  abstract readonly name: string;
  abstract readonly supports: Supports;
  abstract get(key: Key, options?: CallOptions): Promise<V | undefined>;
  abstract entry(key: Key, options?: CallOptions): Promise<Entry<V> | undefined>;
  abstract set(key: Key, value: V, options?: WriteOptions): Promise<Version>;
  abstract compareAndSet(
    key: Key,
    expected: Version | null,
    value: V,
    options?: WriteOptions,
  ): Promise<WriteOutcome<V>>;
  abstract commit(ops: readonly Op<V>[], options?: CallOptions): Promise<CommitResult<V>>;
  abstract entries(options?: EntriesOptions): AsyncIterable<Entry<V>>;
  abstract keys(options?: EntriesOptions): AsyncIterable<Omit<Entry<V>, "value">>;
  abstract watch(options?: WatchOptions): AsyncIterable<WatchEvent<V>>;
  abstract close(): Promise<void>;

  readonly #subscribers: Map<string, AbortController> = new Map();
  #subscriptions = 0;

  /** All values, in the order of their keys. For a channel that may be large, use {@link Channel.entries}. */
  async getAll(options: EntriesOptions = {}): Promise<V[]> {
    const values: V[] = [];
    for await (const { value } of this.entries(options)) values.push(value);
    return values;
  }

  /** All keys, in their order. */
  async getKeys(options: EntriesOptions = {}): Promise<Key[]> {
    const keys: Key[] = [];
    for await (const { key } of this.keys(options)) keys.push(key);
    return keys;
  }

  /** All keys, the least recently modified first. */
  async getSortedKeys(options: EntriesOptions = {}): Promise<Key[]> {
    const found: Omit<Entry<V>, "value">[] = [];
    for await (const entry of this.keys(options)) found.push(entry);
    return found.sort((a, b) => compareVersions(a.version, b.version)).map(({ key }) => key);
  }

  /** The number of entries. Counts them one by one. */
  async size(options: EntriesOptions = {}): Promise<number> {
    let count = 0;
    for await (const _ of this.keys(options)) count++;
    return count;
  }

  /** Calls `visit` with each key and value in the order of keys, and awaits its result. */
  async forEach(visit: (key: Key, value: V) => unknown, options: EntriesOptions = {}): Promise<void> {
    for await (const { key, value } of this.entries(options)) await visit(key, value);
  }

  /**
   * Writes `value` if there is an entry whose value has every field of `match`, in one step. If several
   * callers write a value that no longer matches, exactly one of them succeeds.
   *
   * @example
   * const mine = await channel.getSet({ status: "free" }, "seat-1", { status: "taken", by: "alice" });
   */
  async getSet(
    match: Readonly<Record<string, unknown>>,
    key: Key,
    value: V,
    options: WriteOptions = {},
  ): Promise<WriteOutcome<V>> {
    let current = await this.entry(key, options);
    while (current !== undefined && matches(current.value, match)) {
      const outcome = await this.compareAndSet(key, current.version, value, options);
      if (outcome.ok) return outcome;
      current = outcome.current;
    }
    return current === undefined ? { ok: false } : { ok: false, current };
  }

  /**
   * Writes each of `values` under a key made of its own `fields`. Not atomic: many values are split into
   * several commits, by the store's limit.
   *
   * @example
   * await channel.setAll(["name", "startTime"], records);
   */
  async setAll(fields: readonly string[], values: readonly V[], options: WriteOptions = {}): Promise<void> {
    const ttl = options.ttl === undefined ? {} : { ttl: options.ttl };
    await this.#inBatches(values, (value) => ({ put: pick(fields, value), value, ...ttl }), options);
  }

  /** Deletes the entries under the `fields` of each of `values`. Not atomic. */
  async unsetAll(fields: readonly string[], values: readonly V[], options: CallOptions = {}): Promise<void> {
    await this.#inBatches(values, (value) => ({ delete: pick(fields, value) }), options);
  }

  async #inBatches<T>(items: readonly T[], op: (item: T) => Write<V>, options: CallOptions): Promise<void> {
    // Of two writes to one key the last one counts, as if they came one by one.
    const ops = new Map<string, Write<V>>();
    for (const item of items) {
      const step = op(item);
      ops.set(encodeKey("put" in step ? step.put : step.delete), step);
    }
    const all = [...ops.values()];
    const most = Math.min(this.supports.maxOps, LARGEST_BATCH);
    for (let i = 0; i < all.length; i += most) await this.commit(all.slice(i, i + most), options);
  }

  /** Adds an entry for {@link shift} and {@link pop} to take: the same as `set`. */
  push(key: Key, value: V, options: WriteOptions = {}): Promise<Version> {
    return this.set(key, value, options);
  }

  /** Removes the least recently modified entry; returns its value. Several callers get different entries. */
  shift(options: CallOptions = {}): Promise<V | undefined> {
    return this.#take((a, b) => compareVersions(a, b) < 0, options);
  }

  /** Removes the most recently modified entry; returns its value. Several callers get different entries. */
  pop(options: CallOptions = {}): Promise<V | undefined> {
    return this.#take((a, b) => compareVersions(a, b) > 0, options);
  }

  async #take(before: (a: Version, b: Version) => boolean, options: CallOptions): Promise<V | undefined> {
    for (;;) {
      let first: Omit<Entry<V>, "value"> | undefined;
      for await (const entry of this.keys(options)) {
        if (first === undefined || before(entry.version, first.version)) first = entry;
      }
      if (first === undefined) return undefined;
      const found = await this.entry(first.key, options);
      if (found?.version !== first.version) continue;
      const steps: Op<V>[] = [{ check: first.key, version: first.version }, { delete: first.key }];
      if ((await this.commit(steps, options)).ok) return found.value;
    }
  }

  /**
   * Calls `subscriber` for each entry that exists, unless `onlyFromNow` is set, and then for every change.
   * Resolves to an id for {@link unsubscribe}. An error that the subscriber throws ends the subscription and
   * becomes an uncaught exception.
   */
  async subscribe(
    subscriber: Subscriber<V>,
    options: { readonly onlyFromNow?: boolean; readonly id?: string } = {},
  ): Promise<string> {
    const id = options.id ?? `${this.name}-${++this.#subscriptions}`;
    if (this.#subscribers.has(id)) throw new ChannelError("INVALID_ARGUMENT", `there is a subscriber "${id}" already`);
    const stop = new AbortController();
    this.#subscribers.set(id, stop);
    let live = false;
    await new Promise<void>((resolve, reject) => {
      const synced = (): void => {
        live = true;
        resolve();
      };
      this.#deliver(subscriber, options.onlyFromNow === true, stop.signal, synced).catch((error: unknown) => {
        if (this.#subscribers.get(id) === stop) this.#subscribers.delete(id);
        if (!live) reject(error);
        // No caller awaits a subscription: an error that is not thrown here would be lost.
        else queueMicrotask(() => throwOn(error));
      });
    });
    return id;
  }

  async #deliver(subscriber: Subscriber<V>, onlyNew: boolean, signal: AbortSignal, synced: () => void): Promise<void> {
    let live = false;
    for await (const event of this.watch({ signal })) {
      if (event.type === "synced") {
        live = true;
        synced();
      } else if (event.type === "put" && (live || !onlyNew)) {
        subscriber(this.name, "set", event.entry.key, event.entry.value);
      } else if (event.type === "delete") {
        subscriber(this.name, "unset", event.key, undefined);
      }
    }
    synced();
  }

  /** Ends a subscription. */
  unsubscribe(id: string): void {
    this.#subscribers.get(id)?.abort();
    this.#subscribers.delete(id);
  }

  /** Deletes every entry of the channel, and closes it. */
  async destroy(options: CallOptions = {}): Promise<void> {
    await this.#inBatches(await this.getKeys(), (key) => ({ delete: key }), options);
    await this.close();
  }
}

const LARGEST_BATCH = 1_000;

type Write<V> = Exclude<Op<V>, { readonly check: Key }>;

function pick<V>(fields: readonly string[], value: V): Key {
  const map = value as Record<string, unknown>;
  return Object.fromEntries(fields.map((field) => [field, map[field]])) as Key;
}

function matches(value: unknown, match: Readonly<Record<string, unknown>>): boolean {
  if (typeof value !== "object" || value === null) return false;
  const map = value as Record<string, unknown>;
  return Object.keys(match).every((field) => Object.hasOwn(map, field) && sameJson(map[field], match[field]));
}

function throwOn(error: unknown): never {
  throw error;
}
