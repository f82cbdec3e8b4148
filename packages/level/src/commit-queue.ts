import {
  type CallOptions,
  ChannelError,
  type Commit,
  type CommitOutcome,
  type StoredEntry,
  type StoredWrite,
} from "@ojm/core/backend";
import { levelError } from "./errors.js";
import type { StoredRecord } from "./layout.js";
import type { Store } from "./store.js";

/**
 * How many versions are reserved on the disk at once. A restart skips those that were not used. So a commit
 * that only compares gets a version without a write.
 */
const RESERVE = 10_000n;

/** This many expired entries are deleted without waiting for the next commit. */
const MANY_EXPIRED = 1_000;

/** The last version that was given out, and the last one that the disk has reserved. */
interface Versions {
  last: bigint;
  reserved: bigint;
}

/** A commit in the queue, and its answer. */
class Waiting {
  readonly commit: Commit;
  readonly answer: Promise<CommitOutcome>;
  readonly #signal: AbortSignal | undefined;
  #settle!: { resolve: (outcome: CommitOutcome) => void; reject: (error: Error) => void };
  #abort: (() => void) | undefined;

  constructor(commit: Commit, signal: AbortSignal | undefined) {
    this.commit = commit;
    this.#signal = signal;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  onAbort(abort: () => void): void {
    this.#abort = abort;
    this.#signal?.addEventListener("abort", abort, { once: true });
  }

  resolve(outcome: CommitOutcome): void {
    this.#leaveSignal();
    this.#settle.resolve(outcome);
  }

  reject(error: Error): void {
    this.#leaveSignal();
    this.#settle.reject(error);
  }

  #leaveSignal(): void {
    if (this.#abort !== undefined) this.#signal?.removeEventListener("abort", this.#abort);
  }
}

/**
 * The one queue of all commits of a store.
 *
 * Commits that arrive while the disk is busy, or in one turn of the event loop, share one batch and one sync.
 */
export class CommitQueue {
  readonly #store: Store;
  readonly #versions: Versions;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** @param version not below any version that the store has given out */
  constructor(store: Store, version: bigint) {
    this.#store = store;
    this.#versions = { last: version, reserved: version };
  }

  add(commit: Commit, { signal }: CallOptions = {}): Promise<CommitOutcome> {
    const waiting = new Waiting(commit, signal);
    this.#waiting.push(waiting);
    if (signal !== undefined) {
      if (signal.aborted) this.#abort(waiting);
      else waiting.onAbort(() => this.#abort(waiting));
    }
    this.wake();
    return waiting.answer;
  }

  #abort(waiting: Waiting): void {
    const inLine = this.#waiting.indexOf(waiting);
    if (inLine >= 0) this.#waiting.splice(inLine, 1);
    const outcome = inLine >= 0 ? "not-applied" : "unknown";
    waiting.reject(new ChannelError("ABORTED", "the commit was aborted", { outcome }));
  }

  /** Resolves when all commits in the queue are answered. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Starts to run the queue, if there is work. */
  wake(): void {
    if (this.#running === undefined && this.#hasWork()) this.#running = this.#run();
  }

  #hasWork(): boolean {
    return this.#waiting.length > 0 || this.#store.expired.size >= MANY_EXPIRED;
  }

  async #run(): Promise<void> {
    // Wait for the end of this turn of the event loop: all its commits share one batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#hasWork()) {
      await this.#runBatch();
      // Callers that were answered may commit again before the next tick: these commits share the next batch.
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    this.#running = undefined;
  }

  async #runBatch(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      if (this.#store.broken) await this.#store.mend();
    } catch (error) {
      for (const each of waiting) each.reject(error as Error);
      return;
    }
    await new Batch(this.#store, this.#versions).run(waiting);
  }
}

/**
 * The commits of one write to the disk.
 *
 * Each commit is judged on the state that the commits before it will leave. No commit is answered before its
 * batch is on the disk. That includes commits whose checks failed: the entries that made them fail must be on
 * the disk too.
 */
class Batch {
  readonly #store: Store;
  /** The state after the batch: the record of each changed key, `undefined` if the batch deletes it. */
  readonly #overlay: Map<string, StoredRecord | undefined> = new Map();
  readonly #versions: Versions;

  constructor(store: Store, versions: Versions) {
    this.#store = store;
    this.#versions = versions;
  }

  async run(waiting: readonly Waiting[]): Promise<void> {
    const judged: Waiting[] = [];
    const outcomes: CommitOutcome[] = [];
    for (const each of waiting) {
      try {
        outcomes.push(this.#judge(each.commit));
        judged.push(each);
      } catch (error) {
        each.reject(levelError(error, this.#store.path));
      }
    }
    try {
      this.#dropExpired();
      await this.#write();
    } catch (error) {
      for (const each of judged) each.reject(error as Error);
      return;
    }
    if (this.#store.watched) judged.forEach(({ commit }, i) => void this.#report(commit, outcomes[i]));
    for (const [i, outcome] of outcomes.entries()) judged[i]?.resolve(outcome);
  }

  async #write(): Promise<void> {
    const versions = this.#versions;
    const reserve = versions.last > versions.reserved ? versions.last + RESERVE : undefined;
    if (this.#overlay.size === 0 && reserve === undefined) return;
    await this.#store.write(this.#overlay, reserve);
    // Set it after the write: if the write fails, the next one must reserve the versions again.
    if (reserve !== undefined) versions.reserved = reserve;
  }

  #judge({ checks, writes }: Commit): CommitOutcome {
    for (const { key, version } of checks) {
      if (this.#holds(key, version)) continue;
      return { ok: false, current: checks.map((check) => this.#entry(check.key)) };
    }
    const version = String(++this.#versions.last);
    for (const write of writes) this.#apply(write, version);
    return { ok: true, version };
  }

  #holds(key: string, version: string | null): boolean {
    const stamp = this.#overlay.has(key) ? this.#overlay.get(key) : this.#store.stamp(key);
    if (stamp === undefined || this.#store.left(key, stamp) <= 0) return version === null;
    return stamp.version === version;
  }

  #apply({ key, value, ttl }: StoredWrite, version: string): void {
    this.#store.expired.delete(key);
    if (value === null) this.#overlay.set(key, undefined);
    else if (ttl === undefined) this.#overlay.set(key, { value, version });
    else this.#overlay.set(key, { value, version, deadline: this.#store.clock.deadline(ttl) });
  }

  #report({ writes }: Commit, outcome: CommitOutcome | undefined): void {
    if (outcome?.ok !== true) return;
    const { version } = outcome;
    for (const { key, value, ttl } of writes) {
      const expires = value === null || ttl === undefined ? {} : { expiresIn: ttl };
      this.#store.report({ key, value, version, ...expires });
    }
  }

  #entry(key: string): StoredEntry | undefined {
    const record = this.#overlay.has(key) ? this.#overlay.get(key) : this.#store.record(key);
    return record === undefined ? undefined : this.#store.visible(key, record);
  }

  /** Deletes entries that reads found expired, unless they have been written since. */
  #dropExpired(): void {
    for (const [key, version] of this.#store.expired) {
      const stamp = this.#overlay.has(key) ? this.#overlay.get(key) : this.#store.stamp(key);
      if (stamp?.version === version) this.#overlay.set(key, undefined);
    }
    this.#store.expired.clear();
  }
}
