import type { StoredChange } from "../../../channel/backend/backend.js";
import type { RunRecord } from "../../../jobs/types.js";
import type { LockValue } from "../../../locks/entries/schema.js";

interface Kept {
  readonly chain: string;
  readonly attempt: number;
  readonly session: string;
}

/** What the laws need to know of the store. */
export interface KeptLocksOptions {
  /** Whether a session lives, by its last renewal that the store applied. */
  isLiving(session: string): boolean;
  /** Whether a process is closing, or did a moment ago: it frees the locks of its chains. */
  isClosing(): boolean;
}

/**
 * The laws of locks that are kept between two attempts, judged by what is in the store: the end of an attempt
 * keeps the lock, and the next thing that has it is the next attempt, while the process lives that keeps it.
 */
export class KeptLocks {
  readonly #options: KeptLocksOptions;
  /** By the keys of the locks. */
  readonly #kept: Map<string, Kept> = new Map();
  /** The version at which the lock of each name was deleted last, and at which an attempt was closed last. */
  readonly #freed: Map<string, string> = new Map();
  readonly #closed: Map<string, string> = new Map();
  readonly #names: Map<string, string> = new Map();
  #failure: Error | undefined;
  /** The fences of the attempts that began with the lock of the one before. */
  readonly #succeeded: Set<string> = new Set();

  constructor(options: KeptLocksOptions) {
    this.#options = options;
  }

  /** Call it with each change of a lock that the store applied. */
  applied({ key, value, version }: StoredChange): void {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    if (value === null) {
      const name = this.#names.get(key);
      if (name === undefined) return;
      this.#freed.set(name, version);
      this.#checkFreed(name);
      return;
    }
    const { name, holder, note = {} } = JSON.parse(value) as LockValue & { note?: Record<string, unknown> };
    this.#names.set(key, name);
    const next = note["kept"] as Omit<Kept, "session"> | undefined;
    if (next !== undefined) this.#kept.set(key, { ...next, session: holder.instance });
    if (kept === undefined || !this.#options.isLiving(kept.session)) return;
    const { chain, attempt } = next ?? (note as unknown as Kept);
    if (chain === kept.chain && attempt === kept.attempt) {
      this.#succeeded.add(version);
      return;
    }
    this.#failed(`the lock that is kept for attempt ${kept.attempt} of ${kept.chain} is taken by ${value}`);
  }

  /** The store reports its changes within the commit: an error there would break off the commit. */
  #failed(text: string): void {
    this.#failure ??= new Error(text);
  }

  /** Throws if a law was broken. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Whether the run with this fence began with the lock that was kept for it. */
  wasKept(fence: string): boolean {
    return this.#succeeded.has(fence);
  }

  /** Call it with each record that the store applied. */
  closed({ name, status, retry, attempt = 1 }: RunRecord, version: string): void {
    const isTriedAgain = retry?.keepLock === true && attempt < retry.attempts;
    if (!isTriedAgain || (status !== "failed" && status !== "timeout")) return;
    this.#closed.set(name, version);
    this.#checkFreed(name);
  }

  /** One commit closed an attempt and freed its lock. With two stores, versions are not comparable. */
  #checkFreed(name: string): void {
    const version = this.#freed.get(name);
    if (version === undefined || version !== this.#closed.get(name) || this.#options.isClosing()) return;
    this.#failed(`the lock of ${name} is free between two attempts, since ${version}`);
  }

  /** Call it when the store has forgotten its locks. */
  forgotten(): void {
    this.#kept.clear();
  }
}
