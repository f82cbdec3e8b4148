import { whenAborted } from "../abort.js";
import type { Clock } from "../clock.js";
import { keepAlive } from "../keep-alive.js";
import type { Backend, StoredChange, StoredEntry, WatchSink } from "./backend.js";
import { abortable } from "./store.js";
import { compareVersions } from "./version.js";

/** The most changes that wait for a slow reader. Beyond, they are dropped and it gets a gap and a new snapshot. */
const LONGEST_QUEUE = 10_000;

/** How long to wait before looking again whether an entry expired, when the store could not be asked. */
const RETRY_EXPIRY = 1_000;

/** What a watch yields, still encoded. */
export type StoredWatchEvent =
  | { readonly type: "put"; readonly entry: StoredEntry }
  | { readonly type: "delete"; readonly key: string; readonly version: string; readonly expired?: true }
  | { readonly type: "synced" }
  | { readonly type: "gap" };

/** What a watch needs of its channel. */
export interface WatchSource {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly range: { readonly from: string; readonly to: string };
  /** Reads the snapshot, for as long as `signal` lets it. */
  snapshot(): AsyncIterable<StoredEntry>;
  /** Fires when the watch must end: its signal, or the channel closed. */
  readonly signal: AbortSignal;
  /** Whether the process stays alive for the next change. */
  readonly keepAlive: boolean;
}

type Item = { readonly change: StoredChange } | { readonly expired: string; readonly version: string } | "gap";

/**
 * One watch: puts the changes that a backend tells in line with a snapshot, drops what the snapshot already held, tells expiries
 * that no store tells, and keeps the line bounded.
 */
export class Watch implements WatchSink {
  readonly #source: WatchSource;
  #queue: Item[] = [];
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  /** The version at which each present key was last told. Changes that come late by another connection are recognised by it. */
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
    // After a gap everything is read anew: changes from before the snapshot need no place.
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
      // The snapshot of a channel that was closed meanwhile fails; the watch just ends.
      if (!signal.aborted) throw error;
    } finally {
      stopListening();
      this.#forget();
      // One that is still being opened is ended once it is open.
      opening.then(
        (stop) => stop(),
        () => {},
      );
    }
  }

  async *#snapshot(): AsyncGenerator<StoredWatchEvent, void, undefined> {
    for await (const entry of this.#source.snapshot()) {
      if (this.#source.signal.aborted) return;
      this.#tell(entry);
      yield { type: "put", entry };
    }
    if (!this.#source.signal.aborted) yield { type: "synced" };
  }

  /** Changes until there is a gap or the watch ends. */
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
      this.#tell(entry);
      return { type: "put", entry };
    }
    // Nobody was told of it, or it expired before it was deleted.
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#cancelExpiry(key);
    return { type: "delete", key, version };
  }

  #tell(entry: StoredEntry): void {
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

  /** Only the store knows whether its clock has come to the deadline, and whether the entry was renewed meanwhile. */
  async #lookForExpiry(key: string, version: string): Promise<void> {
    const stillExpected = (): boolean => this.#known.get(key) === version;
    try {
      const [entry] = await this.#source.backend.read([key]);
      if (!stillExpected()) return;
      if (entry === undefined) this.#push({ expired: key, version });
      else if (entry.version === version)
        this.#expectExpiry(key, version, Math.max(1, entry.expiresIn ?? RETRY_EXPIRY));
    } catch {
      // The store is away. The backend says so where it matters; the expiry is looked for again when it may be back.
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
