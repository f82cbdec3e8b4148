import { whenAborted } from "../../util/abort.js";
import type { Clock } from "../../util/clock.js";
import { keepAlive } from "../../util/event-loop.js";
import type { Backend, KeyRange, StoredChange, StoredEntry, WatchSink } from "../backend/backend.js";
import { abortable } from "../calls.js";
import { justAfter } from "../encoding/key.js";
import { compareVersions } from "../encoding/version.js";
import type { KeyWatch } from "../types.js";

/** The most changes that are buffered for a slow reader. Above that, it gets a gap and a new snapshot. */
const LONGEST_QUEUE = 10_000;

/** The pause before an expiry is checked again if the store could not be read, in ms. */
const RETRY_EXPIRY = 1_000;

/** The events of a watch, still encoded. */
type StoredWatchEvent =
  | { readonly type: "put"; readonly entry: StoredEntry }
  | { readonly type: "delete"; readonly key: string; readonly version: string; readonly expired?: true }
  | { readonly type: "synced" }
  | { readonly type: "gap" };

interface WatchSource {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly range: { readonly from: string; readonly to: string };
  /** Reads the snapshot, until `signal` fires. */
  snapshot(): AsyncIterable<StoredEntry>;
  /** Fires when the watch must end: the caller's signal fired, or the channel closed. */
  readonly signal: AbortSignal;
  /** Whether the process stays alive for the next change. */
  readonly keepAlive: boolean;
}

type Item = { readonly change: StoredChange } | { readonly expired: string; readonly version: string } | "gap";

/** One watch: a snapshot, then later changes of the backend, and expiries. Its queue is bounded. */
export class Watch implements WatchSink {
  readonly #source: WatchSource;
  #queue: Item[] = [];
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  /** The last reported version of each present key, to identify changes that arrive late. */
  readonly #known: Map<string, string> = new Map();
  readonly #expiries: Map<string, () => void> = new Map();

  constructor(source: WatchSource) {
    this.#source = source;
  }

  change(change: StoredChange): void {
    this.#push({ change });
  }

  gap(): void {
    this.#queue = ["gap"];
    this.#notify();
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#notify();
  }

  #push(item: Item): void {
    if (this.#queue.length >= LONGEST_QUEUE) this.#queue = ["gap"];
    // After a gap a new snapshot is read, so earlier changes are not needed.
    this.#queue.push(item);
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async *events(): AsyncGenerator<StoredWatchEvent, void, undefined> {
    const { signal, backend, range } = this.#source;
    if (signal.aborted) return;
    const stopListening = whenAborted(signal, () => this.#notify());
    const opening = backend.watch(range, this);
    try {
      await abortable(opening, signal, "not-applied");
      while (!signal.aborted) {
        yield* this.#snapshot();
        yield* this.#changes();
        if (signal.aborted) return;
        this.#forget();
        yield { type: "gap" };
      }
    } catch (error) {
      // The snapshot fails if the channel was closed meanwhile: that ends the watch, without an error.
      if (!signal.aborted) throw error;
    } finally {
      stopListening();
      this.#forget();
      // A watch that is still opening is ended once it is open.
      opening.then(
        (stop) => stop(),
        () => {},
      );
    }
  }

  async *#snapshot(): AsyncGenerator<StoredWatchEvent, void, undefined> {
    for await (const entry of this.#source.snapshot()) {
      if (this.#source.signal.aborted) return;
      this.#report(entry);
      yield { type: "put", entry };
    }
    if (!this.#source.signal.aborted) yield { type: "synced" };
  }

  /** Yields changes until there is a gap or the watch ends. */
  async *#changes(): AsyncGenerator<StoredWatchEvent, void, undefined> {
    while (!this.#source.signal.aborted) {
      const items = this.#queue;
      this.#queue = [];
      for (const item of items) {
        if (item === "gap") return;
        const event = "change" in item ? this.#accept(item.change) : this.#expire(item.expired, item.version);
        if (event !== undefined) yield event;
        if (this.#source.signal.aborted) return;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#queue.length === 0 && !this.#source.signal.aborted) {
        await this.#woken();
      }
    }
  }

  async #woken(): Promise<void> {
    const letGo = this.#source.keepAlive ? keepAlive() : undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    letGo?.();
  }

  #accept(change: StoredChange): StoredWatchEvent | undefined {
    const { key, value, version } = change;
    const known = this.#known.get(key);
    if (known !== undefined && compareVersions(version, known) <= 0) return undefined;
    if (value !== null) {
      const entry: StoredEntry = { ...change, value };
      this.#report(entry);
      return { type: "put", entry };
    }
    // The entry was never reported, or it expired before it was deleted.
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#cancelExpiry(key);
    return { type: "delete", key, version };
  }

  #report(entry: StoredEntry): void {
    this.#known.set(entry.key, entry.version);
    this.#cancelExpiry(entry.key);
    if (entry.expiresIn !== undefined) this.#expectExpiry(entry.key, entry.version, entry.expiresIn);
  }

  #expectExpiry(key: string, version: string, ms: number): void {
    this.#expiries.set(
      key,
      this.#source.clock.after(ms, () => void this.#lookForExpiry(key, version)),
    );
  }

  /** Read the store: its clock decides whether the deadline passed, and the entry may be renewed. */
  async #lookForExpiry(key: string, version: string): Promise<void> {
    const stillExpected = (): boolean => this.#known.get(key) === version;
    try {
      const [entry] = await this.#source.backend.read([key]);
      if (!stillExpected()) return;
      if (entry === undefined) this.#push({ expired: key, version });
      else if (entry.version === version)
        this.#expectExpiry(key, version, Math.max(1, entry.expiresIn ?? RETRY_EXPIRY));
    } catch {
      // The store is away, which the backend reports itself. Check the expiry again later.
      if (stillExpected()) this.#expectExpiry(key, version, RETRY_EXPIRY);
    }
  }

  #expire(key: string, version: string): StoredWatchEvent | undefined {
    if (this.#known.get(key) !== version) return undefined;
    this.#known.delete(key);
    this.#cancelExpiry(key);
    return { type: "delete", key, version, expired: true };
  }

  #cancelExpiry(key: string): void {
    this.#expiries.get(key)?.();
    this.#expiries.delete(key);
  }

  #forget(): void {
    for (const cancel of this.#expiries.values()) cancel();
    this.#expiries.clear();
    this.#known.clear();
  }
}

/** The callbacks of a watch of one key, still encoded. */
export interface StoredKeyWatcher {
  changed(change: StoredChange): void;
  gap(): void;
  failed(error: Error): void;
}

/** The most keys with a watch of their own. The rest share one: thousands would cost the store too much. */
const OWN_WATCHES = 32;

interface Source {
  readonly range: KeyRange;
  readonly byKey: Map<string, Set<StoredKeyWatcher>>;
  readonly opening: Promise<() => void>;
  over: boolean;
}

/**
 * Watches single keys. While few keys are watched, other changes do not wake this process. Above that, each
 * change costs one lookup in a map: a change of an unwatched key is neither decoded nor remembered.
 */
export class KeyWatches {
  readonly #backend: Backend;
  readonly #all: KeyRange;
  readonly #own: Map<string, Source> = new Map();
  #shared: Source | undefined;

  /** `all` is the range of all keys that can be watched. */
  constructor(backend: Backend, all: KeyRange) {
    this.#backend = backend;
    this.#all = all;
  }

  watch(key: string, watcher: StoredKeyWatcher): KeyWatch {
    const source = this.#sourceOf(key);
    const watchers = source.byKey.get(key) ?? new Set();
    source.byKey.set(key, watchers.add(watcher));
    const ready = source.opening.then(() => {});
    // Do not report it as unhandled: a caller that does not await `ready` gets the error through `failed`.
    ready.catch(() => {});
    return { ready, stop: () => this.#leave(source, key, watcher) };
  }

  /** Ends all watches. No callback is called after it. */
  close(): void {
    for (const source of [...this.#own.values(), this.#shared]) if (source !== undefined) this.#end(source);
  }

  #sourceOf(key: string): Source {
    const own = this.#own.get(key);
    if (own !== undefined) return own;
    if (this.#own.size < OWN_WATCHES) {
      const source = this.#open({ from: key, to: justAfter(key) });
      this.#own.set(key, source);
      return source;
    }
    this.#shared ??= this.#open(this.#all);
    return this.#shared;
  }

  #leave(source: Source, key: string, watcher: StoredKeyWatcher): void {
    const watchers = source.byKey.get(key);
    if (watchers?.delete(watcher) !== true || watchers.size > 0) return;
    source.byKey.delete(key);
    if (source.byKey.size === 0) this.#end(source);
  }

  #end(source: Source): void {
    if (source === this.#shared) this.#shared = undefined;
    else if (this.#own.get(source.range.from) === source) this.#own.delete(source.range.from);
    source.byKey.clear();
    source.over = true;
    source.opening.then(
      (stop) => stop(),
      () => {},
    );
  }

  #open(range: KeyRange): Source {
    // A watch that is ending may still report changes after the next one has begun: drop them.
    const unlessOver = (report: () => void): void => void (source.over || report());
    const opening = this.#backend.watch(range, {
      change: (change) => unlessOver(() => changed(source, change)),
      gap: () => unlessOver(() => reportToAll(source, (watcher) => watcher.gap())),
      fail: (error) => unlessOver(() => this.#failed(source, error)),
    });
    const source: Source = { range, byKey: new Map(), opening, over: false };
    // The callers that await `ready` get the error from it.
    opening.catch(() => unlessOver(() => this.#end(source)));
    return source;
  }

  #failed(source: Source, error: Error): void {
    const all = [...source.byKey.values()].flatMap((watchers) => [...watchers]);
    this.#end(source);
    for (const watcher of all) watcher.failed(error);
  }
}

function changed({ byKey }: Source, change: StoredChange): void {
  const watchers = byKey.get(change.key);
  if (watchers === undefined) return;
  for (const watcher of [...watchers]) watcher.changed(change);
}

function reportToAll({ byKey }: Source, report: (watcher: StoredKeyWatcher) => void): void {
  for (const watcher of [...byKey.values()].flatMap((watchers) => [...watchers])) report(watcher);
}
