import type { Commit, CommitOutcome, StoredEntry, StoredWrite } from "@ojm/core/backend";
import { levelError } from "./errors.js";
import type { StoredRecord } from "./layout.js";
import type { Store } from "./store.js";

/**
 * How many versions are reserved on the disk at once. A restart skips those that were not used. So a commit
 * that only compares gets a version without a write.
 */
const RESERVE = 10_000n;

/** The last version that was given out, and the last one that the disk has reserved. */
export interface Versions {
  last: bigint;
  reserved: bigint;
}

/** A pending commit. */
interface Waiting {
  readonly commit: Commit;
  resolve(outcome: CommitOutcome): void;
  reject(error: Error): void;
}

/**
 * The commits of one write to the disk.
 *
 * Each commit is judged on the state that the commits before it will leave. No commit is answered before its
 * batch is on the disk. That includes commits whose checks failed: the entries that made them fail must be on
 * the disk too.
 */
export class Batch {
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
