import type { Backend, KeyRange, StoredChange } from "./backend.js";
import { justAfter } from "./key.js";

/** Who is told of the changes of one key. */
export interface StoredFollower {
  /** The entry was written or deleted, by whomever; of two changes of a key the later one comes later. */
  changed(change: StoredChange): void;
  /** Changes may have been missed. */
  gap(): void;
  /** Nothing more will be told, for a reason that trying again does not mend. */
  failed(error: Error): void;
}

/** One key that is followed. */
export interface Following {
  /** Resolves once every later change is told. Rejects if the store cannot be watched now; then nothing will be told. */
  readonly ready: Promise<void>;
  /** Ends it. */
  stop(): void;
}

/**
 * How many keys have a watch of their own, which wakes this process for nothing else. Beyond, one watch of the whole channel serves all others: a
 * process that holds thousands of locks must not cost the store thousands of watches.
 */
const OWN_WATCHES = 32;

/** A watch of the backend, and those who are told by it. */
interface Source {
  readonly range: KeyRange;
  readonly byKey: Map<string, Set<StoredFollower>>;
  readonly opening: Promise<() => void>;
  over: boolean;
}

/**
 * Tells of the changes of single keys. What changes beside the keys that are followed wakes nobody, as long as they are few; where they are many, it
 * costs a look into a map: nothing of it is decoded or remembered.
 */
export class Followers {
  readonly #backend: Backend;
  readonly #all: KeyRange;
  readonly #own: Map<string, Source> = new Map();
  #shared: Source | undefined;

  /** `all`: the range of all keys that may be followed. */
  constructor(backend: Backend, all: KeyRange) {
    this.#backend = backend;
    this.#all = all;
  }

  follow(key: string, follower: StoredFollower): Following {
    const source = this.#sourceOf(key);
    const followers = source.byKey.get(key) ?? new Set();
    source.byKey.set(key, followers.add(follower));
    const ready = source.opening.then(() => {});
    // Whoever does not wait for it learns of it as one who does.
    ready.catch(() => {});
    return { ready, stop: () => this.#leave(source, key, follower) };
  }

  /** Ends all. Nobody is told anything any more. */
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

  #leave(source: Source, key: string, follower: StoredFollower): void {
    const followers = source.byKey.get(key);
    if (followers?.delete(follower) !== true || followers.size > 0) return;
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
    // A watch that is being ended may still tell something when the next one is there already.
    const unlessOver = (tell: () => void): void => void (source.over || tell());
    const opening = this.#backend.watch(range, {
      change: (change) => unlessOver(() => changed(source, change)),
      gap: () => unlessOver(() => tellAll(source, (follower) => follower.gap())),
      fail: (error) => unlessOver(() => this.#failed(source, error)),
    });
    const source: Source = { range, byKey: new Map(), opening, over: false };
    // Those who wait for it are told by that.
    opening.catch(() => unlessOver(() => this.#end(source)));
    return source;
  }

  #failed(source: Source, error: Error): void {
    const all = [...source.byKey.values()].flatMap((followers) => [...followers]);
    this.#end(source);
    for (const follower of all) follower.failed(error);
  }
}

function changed({ byKey }: Source, change: StoredChange): void {
  const followers = byKey.get(change.key);
  if (followers === undefined) return;
  for (const follower of [...followers]) follower.changed(change);
}

function tellAll({ byKey }: Source, tell: (follower: StoredFollower) => void): void {
  for (const follower of [...byKey.values()].flatMap((followers) => [...followers])) tell(follower);
}
