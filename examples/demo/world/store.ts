import { setImmediate as turn } from "node:timers/promises";
import type {
  Backend,
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredEntry,
  StoredWrite,
  Supports,
  WatchSink,
} from "@ojm/core/backend";
import { SLOWER } from "./clock.js";

/** The time to live of the heartbeat entry of a scheduler, in ms. */
const LIFE = 15_000;

/** A heartbeat entry lives longer, because heartbeats are rarer: see {@link SLOWER}. */
function longer(write: StoredWrite): StoredWrite {
  return write.ttl === LIFE ? { ...write, ttl: LIFE * SLOWER } : write;
}

type Watch = KeyRange & { readonly sink: WatchSink };

/**
 * The store of all simulated processes. It notifies their watches of changes itself, at once: SQLite would
 * use the machine's files and timers, which do not follow the simulated time.
 */
export class WeekStore {
  readonly #file: Backend;
  readonly #watches: Set<Watch> = new Set();
  #calls = 0;

  constructor(file: Backend) {
    this.#file = file;
  }

  /** Resolves once all work that waits for no timer is done. */
  async rest(): Promise<void> {
    do await turn();
    while (this.#calls > 0);
  }

  /** Creates the connection of one process to the store. */
  way(): Way {
    return new Way(this.#file, {
      counted: (call) => this.#counted(call),
      told: (writes, version) => this.#tell(writes, version),
      watch: (watch) => {
        this.#watches.add(watch);
        return () => void this.#watches.delete(watch);
      },
    });
  }

  async #counted<T>(call: Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await call;
    } finally {
      this.#calls--;
    }
  }

  #tell(writes: readonly StoredWrite[], version: string): void {
    for (const { key, value, ttl } of writes) {
      const change = { key, value, version, ...(ttl !== undefined && { expiresIn: ttl }) };
      for (const { from, to, sink } of [...this.#watches]) if (key >= from && key < to) sink.change(change);
    }
  }
}

interface Shared {
  counted<T>(call: Promise<T>): Promise<T>;
  told(writes: readonly StoredWrite[], version: string): void;
  watch(watch: Watch): () => void;
}

/** The connection of a process to the store, which may be cut. */
export class Way implements Backend {
  readonly supports: Supports;
  readonly #file: Backend;
  readonly #shared: Shared;
  readonly #stops: Set<() => void> = new Set();
  #cut = false;

  constructor(file: Backend, shared: Shared) {
    this.supports = file.supports;
    this.#file = file;
    this.#shared = shared;
  }

  /** From now on no call gets an answer, because the process is dead. */
  cut(): void {
    this.#cut = true;
    for (const stop of this.#stops) stop();
  }

  read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return this.#call(() => this.#file.read(keys));
  }

  scan(request: ScanRequest): Promise<ScanPage> {
    return this.#call(() => this.#file.scan(request));
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    return this.#call(async () => {
      const writes = commit.writes.map((write) => longer(write));
      const outcome = await this.#file.commit({ ...commit, writes });
      if (outcome.ok) this.#shared.told(writes, outcome.version);
      return outcome;
    });
  }

  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    const stop = this.#shared.watch({ ...range, sink });
    this.#stops.add(stop);
    return () => {
      this.#stops.delete(stop);
      stop();
    };
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    return this.#cut ? new Promise(() => {}) : this.#shared.counted(call());
  }
}
