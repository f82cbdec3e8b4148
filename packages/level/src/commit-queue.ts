import {
  type CallOptions,
  ChannelError,
  type Commit,
  type CommitOutcome,
  type StoredChange,
  type StoredEntry,
  type StoredWrite,
} from "@ojm/core/backend";
import { levelError } from "./errors.js";
import { encodeRecord, type StoredRecord } from "./layout.js";
import type { BatchWrite, Store } from "./store.js";

/** This many expired entries are deleted without waiting for the next commit. */
const MANY_EXPIRED = 1_000;

/**
 * How many versions are reserved on the disk at once. A restart skips those that were not used. So a commit
 * that only compares gets a version without a write.
 */
const RESERVE = 10_000n;

interface Waiting {
  readonly commit: Commit;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: Error) => void;
}

/** The state after the batch: the record of each changed key, `undefined` if the batch deletes it. */
type Overlay = Map<string, StoredRecord | undefined>;

/**
 * The one queue of all commits of a store.
 *
 * Commits that arrive while the disk is busy, or in one turn of the event loop, share one batch and one sync.
 * Each commit is judged on the state that the commits before it will leave. No commit is answered before its
 * batch is on the disk. That includes commits that lost: the entry to which they lost must be certain.
 */
export class CommitQueue {
  readonly #store: Store;
  readonly #versions: { last: bigint; reserved: bigint };
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** @param version not below any version that the store has given out */
  constructor(store: Store, version: bigint) {
    this.#store = store;
    this.#versions = { last: version, reserved: version };
  }

  add(commit: Commit, { signal }: CallOptions = {}): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        const inLine = this.#waiting.indexOf(waiting);
        if (inLine >= 0) this.#waiting.splice(inLine, 1);
        const outcome = inLine >= 0 ? "not-applied" : "unknown";
        reject(new ChannelError("ABORTED", "the commit was aborted", { outcome }));
      };
      const leave = (): void => signal?.removeEventListener("abort", abort);
      const waiting: Waiting = {
        commit,
        resolve: (outcome) => {
          leave();
          resolve(outcome);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.push(waiting);
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      this.wake();
    });
  }

  /** Resolves when all commits in the queue are answered. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Starts to run the queue, if there is work. */
  wake(): void {
    if (this.#running !== undefined) return;
    if (this.#waiting.length === 0 && this.#store.expired.size < MANY_EXPIRED) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.wake();
    });
  }

  async #run(): Promise<void> {
    // Wait for the end of this turn of the event loop: all its commits share one batch.
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      await this.#store.mend();
    } catch (error) {
      for (const { reject } of waiting) reject(error as Error);
      return;
    }
    await new Batch(this.#store, this.#versions).run(waiting);
  }
}

/** The commits of one write to the disk. */
class Batch {
  readonly #store: Store;
  readonly #overlay: Overlay = new Map();
  readonly #changes: StoredChange[] = [];
  readonly #versions: { last: bigint; reserved: bigint };

  constructor(store: Store, versions: { last: bigint; reserved: bigint }) {
    this.#store = store;
    this.#versions = versions;
  }

  async run(waiting: readonly Waiting[]): Promise<void> {
    const answers: (() => void)[] = [];
    const judged: Waiting[] = [];
    for (const each of waiting) {
      try {
        const outcome = this.#judge(each.commit);
        answers.push(() => each.resolve(outcome));
        judged.push(each);
      } catch (error) {
        each.reject(levelError(error, this.#store.path));
      }
    }
    this.#dropExpired();
    try {
      await this.#write();
    } catch (error) {
      for (const each of judged) each.reject(error as Error);
      return;
    }
    for (const change of this.#changes) this.#store.report(change);
    for (const answer of answers) answer();
  }

  async #write(): Promise<void> {
    const versions = this.#versions;
    const reserve = versions.last > versions.reserved ? versions.last + RESERVE : undefined;
    if (this.#overlay.size === 0 && reserve === undefined) return;
    await this.#store.write(this.#writes(), reserve);
    // Set it after the write: if the write fails, the next one must reserve the versions again.
    if (reserve !== undefined) versions.reserved = reserve;
  }

  #judge({ checks, writes }: Commit): CommitOutcome {
    for (const { key, version } of checks) {
      if ((this.#entry(key)?.version ?? null) === version) continue;
      return { ok: false, current: checks.map((check) => this.#entry(check.key)) };
    }
    const version = String(++this.#versions.last);
    for (const write of writes) this.#apply(write, version);
    return { ok: true, version };
  }

  #apply({ key, value, ttl }: StoredWrite, version: string): void {
    this.#store.expired.delete(key);
    if (value === null) {
      this.#overlay.set(key, undefined);
      this.#changes.push({ key, value, version });
    } else {
      const deadline = ttl === undefined ? {} : { deadline: this.#store.clock.deadline(ttl) };
      this.#overlay.set(key, { value, version, ...deadline });
      this.#changes.push({ key, value, version, ...(ttl === undefined ? {} : { expiresIn: ttl }) });
    }
  }

  #entry(key: string): StoredEntry | undefined {
    const record = this.#record(key);
    return record === undefined ? undefined : this.#store.visible(key, record);
  }

  #record(key: string): StoredRecord | undefined {
    return this.#overlay.has(key) ? this.#overlay.get(key) : this.#store.record(key);
  }

  /** Deletes entries that reads found expired, unless somebody has written them since. */
  #dropExpired(): void {
    for (const [key, version] of this.#store.expired) {
      if (this.#record(key)?.version === version) this.#overlay.set(key, undefined);
    }
    this.#store.expired.clear();
  }

  #writes(): BatchWrite[] {
    return Array.from(this.#overlay, ([key, record]) => ({
      key,
      text: record === undefined ? null : encodeRecord(record),
    }));
  }
}
