import type { JobManager, KeyWatch, LocksValue, Progress, RunRecord } from "@ojm/core";
import { type Running, usually } from "./running.js";
import { steadyWatch } from "./steady-watch.js";

/** What is known of the holder of a lock, from the entry of the lock alone. */
interface Held {
  readonly name: string;
  readonly startTime: number;
  readonly version: string;
}

/** A run while its lock is held. */
interface Watched {
  readonly held: Held;
  record?: RunRecord;
  usual?: number;
  progress?: Progress;
  readonly over: AbortController;
  watch?: KeyWatch;
}

/**
 * The runs that go on, kept up to date by watches: of the locks, and of the record and the progress of each
 * run. Nothing is read twice. A watch of all records would read the whole history first.
 */
export class LiveRuns {
  readonly #manager: JobManager;
  readonly #onChange: () => void;
  readonly #runs: Map<string, Watched> = new Map();
  readonly #waiting: Map<string, number> = new Map();
  /** After a gap: what the new snapshot has not shown so far. */
  #unseen: Set<string> | undefined;

  constructor(manager: JobManager, onChange: () => void) {
    this.#manager = manager;
    this.#onChange = onChange;
  }

  /** Whether all runs that go on are known. */
  isComplete = false;

  /** Follows the locks until the signal fires. */
  async follow(signal: AbortSignal): Promise<void> {
    try {
      for await (const event of steadyWatch(this.#manager.channels.locks, ["lock"], signal)) {
        if (event.type === "put")
          this.#put(event.entry.key as readonly unknown[], event.entry.value, event.entry.version);
        else if (event.type === "delete") this.#deleted(event.key as readonly unknown[]);
        else if (event.type === "gap") this.#unseen = new Set(this.#runs.keys());
        else this.#synced();
        this.#onChange();
      }
    } finally {
      for (const name of [...this.#runs.keys()]) this.#end(name);
    }
  }

  /** How many wait for a lock. */
  get waiting(): number {
    return [...this.#waiting.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The runs that go on at `now`, by name. */
  rows(now: number): Running[] {
    const rows: Running[] = [];
    for (const [name, { record, usual, progress }] of this.#runs) {
      if (record === undefined || record.status !== "running") continue;
      rows.push({
        ...record,
        elapsed: Math.max(0, now - record.startTime),
        ...(usual !== undefined && { usual }),
        ...(progress !== undefined && { progress }),
        waiting: this.#waiting.get(name) ?? 0,
      });
    }
    return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #put([, name, part]: readonly unknown[], value: LocksValue, version: string): void {
    if (typeof name !== "string") return;
    if (part === "queue") {
      if ("waiting" in value) this.#waiting.set(name, value.waiting.length);
      return;
    }
    this.#unseen?.delete(name);
    const startTime = part === undefined && "note" in value ? startOf(value.note) : undefined;
    if (this.#runs.get(name)?.held.version === version) return;
    this.#end(name);
    if (startTime !== undefined) this.#begin({ name, startTime, version });
  }

  #deleted([, name, part]: readonly unknown[]): void {
    if (part === "queue") this.#waiting.delete(String(name));
    else this.#end(String(name));
  }

  #synced(): void {
    this.isComplete = true;
    for (const name of this.#unseen ?? []) {
      this.#end(name);
      this.#waiting.delete(name);
    }
    this.#unseen = undefined;
  }

  #begin(held: Held): void {
    const watched: Watched = { held, over: new AbortController() };
    this.#runs.set(held.name, watched);
    const { name, startTime } = held;
    const read = (): void => void this.#read(watched);
    // With two stores, the record comes after the lock.
    watched.watch = this.#manager.channels.jobs.watchKey(
      { name, startTime },
      { changed: read, gap: read, failed() {} },
    );
    // The watch goes on, and tells of the next change, where the store is away for this moment.
    watched.watch.ready.then(read, read);
    void this.#followProgress(watched);
    usually(this.#manager, name).then(
      (usual) => {
        if (usual !== undefined) watched.usual = usual;
        this.#onChange();
      },
      () => {},
    );
  }

  async #read(watched: Watched): Promise<void> {
    const { name, startTime, version } = watched.held;
    try {
      const record = await this.#manager.channels.jobs.get({ name, startTime });
      if (record !== undefined) watched.record = { ...record, fence: version };
      this.#onChange();
    } catch {
      // A store that is away, or an entry that ojm did not write: there is nothing to show of it.
    }
  }

  async #followProgress(watched: Watched): Promise<void> {
    const { signal } = watched.over;
    try {
      for await (const item of this.#manager.log(watched.held, { follow: true, progress: true, tail: 0, signal })) {
        if (!("progress" in item)) continue;
        watched.progress = item.progress;
        this.#onChange();
      }
    } catch {
      // Without its progress, the run is shown all the same.
    }
  }

  #end(name: string): void {
    const watched = this.#runs.get(name);
    if (watched === undefined) return;
    this.#runs.delete(name);
    watched.over.abort();
    watched.watch?.stop();
  }
}

/** The start of the run that a lock is held for; `undefined` for a lock without a run. */
function startOf(note: unknown): number | undefined {
  const run = typeof note === "object" && note !== null && "run" in note ? note.run : undefined;
  return typeof run === "number" ? run : undefined;
}
