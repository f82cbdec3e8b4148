import type { Backend, KeyRange, StoredChange } from "./backend.js";

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

interface Opening {
  readonly done: Promise<() => void>;
  over: boolean;
}

/**
 * Tells of the changes of single keys, over one watch of the whole channel that is there as long as anybody follows. What changes beside the
 * keys that are followed costs a look into a map: nothing of it is decoded or remembered.
 */
export class Followers {
  readonly #backend: Backend;
  readonly #range: KeyRange;
  readonly #byKey: Map<string, Set<StoredFollower>> = new Map();
  #opening: Opening | undefined;

  constructor(backend: Backend, range: KeyRange) {
    this.#backend = backend;
    this.#range = range;
  }

  follow(key: string, follower: StoredFollower): Following {
    const followers = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, followers.add(follower));
    this.#opening ??= this.#open();
    const ready = this.#opening.done.then(() => {});
    // Whoever does not wait for it learns of it as one who does.
    ready.catch(() => {});
    return { ready, stop: () => this.#leave(key, follower) };
  }

  /** Ends the watch. Nobody is told anything any more. */
  close(): void {
    this.#byKey.clear();
    this.#end();
  }

  #leave(key: string, follower: StoredFollower): void {
    const followers = this.#byKey.get(key);
    if (followers?.delete(follower) !== true || followers.size > 0) return;
    this.#byKey.delete(key);
    if (this.#byKey.size === 0) this.#end();
  }

  #end(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    if (opening === undefined) return;
    opening.over = true;
    opening.done.then(
      (stop) => stop(),
      () => {},
    );
  }

  #open(): Opening {
    // A watch that is being ended may still tell something when the next one is there already.
    const unlessOver = (tell: () => void): void => void (opening.over || tell());
    const done = this.#backend.watch(this.#range, {
      change: (change) => unlessOver(() => this.#changed(change)),
      gap: () => unlessOver(() => this.#tellAll((follower) => follower.gap())),
      fail: (error) => unlessOver(() => this.#failed(error)),
    });
    const opening: Opening = { done, over: false };
    // Those who wait for it are told by that.
    done.catch(() => unlessOver(() => this.close()));
    return opening;
  }

  #changed(change: StoredChange): void {
    const followers = this.#byKey.get(change.key);
    if (followers === undefined) return;
    for (const follower of [...followers]) follower.changed(change);
  }

  #failed(error: Error): void {
    const all = [...this.#all()];
    this.close();
    for (const follower of all) follower.failed(error);
  }

  #tellAll(tell: (follower: StoredFollower) => void): void {
    for (const follower of [...this.#all()]) tell(follower);
  }

  *#all(): Generator<StoredFollower> {
    for (const followers of this.#byKey.values()) yield* followers;
  }
}
