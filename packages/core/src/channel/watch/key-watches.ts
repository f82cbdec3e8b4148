import type { Backend, KeyRange, StoredChange } from "../backend/backend.js";
import { justAfter } from "../encoding/key.js";
import type { KeyWatch } from "../types.js";

/** The callbacks of a watch of one key, still encoded. */
export interface StoredKeyWatcher {
  /** Somebody wrote or deleted the entry. Of two changes of a key the later one is reported later. */
  changed(change: StoredChange): void;
  /** Changes may have been missed. */
  gap(): void;
  /** The watch ended, for a reason that a retry does not mend. */
  failed(error: Error): void;
}

/**
 * The most keys with a watch of their own. All other keys share one watch of the whole channel. A process
 * with thousands of locks must not cost the store thousands of watches.
 */
const OWN_WATCHES = 32;

/** A watch of the backend, and its watchers by key. */
interface Source {
  readonly range: KeyRange;
  readonly byKey: Map<string, Set<StoredKeyWatcher>>;
  readonly opening: Promise<() => void>;
  over: boolean;
}

/**
 * Watches single keys. While few keys are watched, other changes do not wake this process. Above that, each
 * change costs one look into a map: no change of an unwatched key is decoded or remembered.
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
    // A watch that is ending may still report changes when the next one has begun: drop them.
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
