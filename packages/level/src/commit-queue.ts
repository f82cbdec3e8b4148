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
import { encodeRecord, type StoredRecord } from "./record.js";
import type { BatchWrite, Store } from "./store.js";

/** So many expired entries are not left to wait for the next commit. */
const MANY_EXPIRED = 1_000;

/**
 * Versions are put aside on the disk by so many at once, and what is left of them when the store closes is never given out. A
 * commit that only compares gets one of its own without a write.
 */
const RESERVE = 10_000n;

interface Waiting {
  readonly commit: Commit;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: Error) => void;
}

/** What a batch will have written: the record of each key, `undefined` where it deletes. */
type Overlay = Map<string, StoredRecord | undefined>;

/**
 * The one line in which all commits of a store stand.
 *
 * Those that arrive while the disk is busy, or in one turn of the event loop, are judged one after the other, each on what the
 * ones before it will have left, and go to the disk in one batch with one sync. None is answered before its batch is on the disk, also
 * none that lost: it lost against something that would otherwise not be certain.
 */
export class CommitQueue {
  readonly #store: Store;
  readonly #versions: { last: bigint; reserved: bigint };
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** @param version not below any that the store has given out */
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

  /** Resolves when all that stand in the line are answered. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Starts to work the line off, if there is anything to do. */
  wake(): void {
    if (this.#running !== undefined) return;
    if (this.#waiting.length === 0 && this.#store.expired.size < MANY_EXPIRED) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.wake();
    });
  }

  async #run(): Promise<void> {
    // Everything that is committed in this turn of the event loop goes along.
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

/** The commits that go to the disk together. */
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
    for (const change of this.#changes) this.#store.tell(change);
    for (const answer of answers) answer();
  }

  async #write(): Promise<void> {
    const versions = this.#versions;
    const reserve = versions.last > versions.reserved ? versions.last + RESERVE : undefined;
    if (this.#overlay.size === 0 && reserve === undefined) return;
    await this.#store.write(this.#writes(), reserve);
    // Only now: after a write that failed, the next one has to put versions aside as well.
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

  /** Deletes what reads have found expired, unless it was written afresh meanwhile. */
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
