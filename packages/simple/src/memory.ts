import type {
  Clock,
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredEntry,
  StoredWrite,
  WatchSink,
} from "@ojm/core/backend";
import { SortedKeys } from "./sorted-keys.js";

interface Held {
  readonly value: string;
  readonly version: string;
  /** The time of expiry, by the monotonic clock. */
  readonly deadline: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** This many removed entries are kept at least before they are swept out. */
const FEW = 1_000;

/** The entries of a process and their watches. */
export class Memory {
  readonly #clock: Clock;
  /**
   * `undefined` for a removed entry. A Map keeps what was deleted in its chains until it grows. A lock is
   * written and removed with each run: its key would be searched behind all its earlier ones.
   */
  #entries: Map<string, Held | undefined> = new Map();
  #removed = 0;
  readonly #keys: SortedKeys = new SortedKeys();
  readonly #watches: Set<{ readonly range: KeyRange; readonly sink: WatchSink }> = new Set();
  readonly #expiring: Set<string> = new Set();
  #nextDeadline = NEVER;
  #commitsToGo = 0;
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): StoredEntry | undefined {
    const held = this.#entries.get(key);
    if (held === undefined) return undefined;
    if (held.deadline === NEVER) return { key, value: held.value, version: held.version };
    const expiresIn = held.deadline - this.#clock.monotonic();
    return expiresIn > 0 ? { key, value: held.value, version: held.version, expiresIn } : undefined;
  }

  scan(request: ScanRequest): ScanPage {
    const entries: StoredEntry[] = [];
    for (const key of this.#keys.between(request.from, request.to, request.reverse)) {
      const entry = this.get(key);
      if (entry === undefined) continue;
      if (entries.length === request.limit) return { entries, more: true };
      entries.push(entry);
    }
    return { entries, more: false };
  }

  commit({ checks, writes }: Commit): CommitOutcome {
    for (const check of checks) {
      if ((this.get(check.key)?.version ?? null) !== check.version) {
        return { ok: false, current: checks.map(({ key }) => this.get(key)) };
      }
    }
    this.#dropExpired();
    const version = String(++this.#version);
    for (const write of writes) this.#write(write, version);
    return { ok: true, version };
  }

  #write({ key, value, ttl }: StoredWrite, version: string): void {
    if (value === null) {
      this.#delete(key);
    } else {
      if (this.#entries.get(key) === undefined) {
        this.#keys.add(key);
        if (this.#entries.has(key)) this.#removed--;
      }
      const deadline = ttl === undefined ? NEVER : this.#clock.monotonic() + ttl;
      this.#entries.set(key, { value, version, deadline });
      if (ttl === undefined) this.#expiring.delete(key);
      else this.#expiring.add(key);
      this.#nextDeadline = Math.min(this.#nextDeadline, deadline);
    }
    for (const { range, sink } of this.#watches) {
      if (key < range.from || key >= range.to) continue;
      sink.change({ key, value, version, ...(ttl === undefined ? {} : { expiresIn: ttl }) });
    }
  }

  #delete(key: string): void {
    if (this.#entries.get(key) !== undefined) {
      this.#entries.set(key, undefined);
      this.#keys.remove(key);
      this.#removed++;
      if (this.#removed > FEW && this.#removed > this.#entries.size / 2) this.#sweepRemoved();
    }
    this.#expiring.delete(key);
  }

  #sweepRemoved(): void {
    this.#entries = new Map([...this.#entries].filter(([, held]) => held !== undefined));
    this.#removed = 0;
  }

  /** Frees the memory of expired entries, which are invisible already. */
  #dropExpired(): void {
    const now = this.#clock.monotonic();
    if (now < this.#nextDeadline || --this.#commitsToGo > 0) return;
    this.#nextDeadline = NEVER;
    // The loop visits all entries with a deadline. Skip some commits, so that not every commit pays for it
    // when entries expire one after the other.
    this.#commitsToGo = this.#expiring.size / 8;
    for (const key of this.#expiring) {
      const deadline = this.#entries.get(key)?.deadline ?? NEVER;
      if (now >= deadline) this.#delete(key);
      else this.#nextDeadline = Math.min(this.#nextDeadline, deadline);
    }
  }

  watch(range: KeyRange, sink: WatchSink): () => void {
    const watch = { range, sink };
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }
}
