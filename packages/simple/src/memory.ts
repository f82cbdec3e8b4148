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

/** An entry, or the mark of a removed one. */
interface Held {
  value: string;
  version: string;
  /** The time of expiry, by the monotonic clock. */
  deadline: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** The deadline of a removed entry: it has always passed. */
const REMOVED = Number.NEGATIVE_INFINITY;

/** At least this many removed entries are kept before they are swept out. */
const SWEEP_THRESHOLD = 1_000;

/** The entries of a process and their watches. */
export class Memory {
  readonly #clock: Clock;
  /**
   * Includes the removed entries. A Map keeps deleted keys in its chains until it grows. A lock is written
   * and removed with each run, so the search for its key would pass all earlier ones. An existing entry is
   * changed in place, so that a write searches its key once.
   */
  #entries: Map<string, Held> = new Map();
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
    const held = this.#entries.get(key);
    if (value !== null) this.#put(key, held, { value: inOnePiece(value), version, deadline: this.#deadlineOf(ttl) });
    else if (held !== undefined) this.#remove(key, held);
    for (const { range, sink } of this.#watches) {
      if (key < range.from || key >= range.to) continue;
      sink.change({ key, value, version, ...(ttl === undefined ? {} : { expiresIn: ttl }) });
    }
  }

  #deadlineOf(ttl: number | undefined): number {
    return ttl === undefined ? NEVER : this.#clock.monotonic() + ttl;
  }

  #put(key: string, held: Held | undefined, next: Held): void {
    const before = held?.deadline ?? REMOVED;
    if (held === undefined) this.#entries.set(key, next);
    else {
      held.value = next.value;
      held.version = next.version;
      held.deadline = next.deadline;
      if (before === REMOVED) this.#removed--;
    }
    if (before === REMOVED) this.#keys.add(key);
    if (next.deadline === NEVER) this.#forgetDeadline(key, before);
    else {
      this.#expiring.add(key);
      this.#nextDeadline = Math.min(this.#nextDeadline, next.deadline);
    }
  }

  #remove(key: string, held: Held): void {
    const before = held.deadline;
    if (before === REMOVED) return;
    held.deadline = REMOVED;
    held.value = "";
    this.#keys.remove(key);
    this.#forgetDeadline(key, before);
    this.#removed++;
    if (this.#removed > SWEEP_THRESHOLD && this.#removed > this.#entries.size / 2) this.#sweepRemoved();
  }

  #forgetDeadline(key: string, deadline: number): void {
    if (Number.isFinite(deadline)) this.#expiring.delete(key);
  }

  #sweepRemoved(): void {
    this.#entries = new Map([...this.#entries].filter(([, { deadline }]) => deadline !== REMOVED));
    this.#removed = 0;
  }

  /** Frees the memory of expired entries, which are invisible already. */
  #dropExpired(): void {
    const now = this.#clock.monotonic();
    if (now < this.#nextDeadline || --this.#commitsToGo > 0) return;
    this.#nextDeadline = NEVER;
    // The loop visits all deadlines: skip commits, or each would pay when entries expire one by one.
    this.#commitsToGo = this.#expiring.size / 8;
    for (const key of this.#expiring) {
      const held = this.#entries.get(key);
      if (held === undefined) continue;
      if (now >= held.deadline) this.#remove(key, held);
      else this.#nextDeadline = Math.min(this.#nextDeadline, held.deadline);
    }
  }

  watch(range: KeyRange, sink: WatchSink): () => void {
    const watch = { range, sink };
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }
}

/**
 * Flattens a text. V8 keeps a concatenated text as a tree of its pieces until it is read: records would take
 * half as much memory again, and each garbage collection would walk through the trees.
 */
const inOnePiece = (text: string): string => (text.charCodeAt(0) >= 0 ? text : "");
