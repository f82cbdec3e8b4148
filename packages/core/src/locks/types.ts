import type { JsonValue } from "../channel/encoding/json.js";
import type { Entry, Version } from "../channel/types.js";
import type { Clock } from "../util/clock.js";
import type { Duration } from "../util/duration.js";
import type { Holder, LockValue } from "./entries/schema.js";

export type { Holder };

/** A held lock, of {@link Locks.find} and {@link Locks.list}. The holder may have died unnoticed. */
export interface HeldLock {
  readonly name: string;
  readonly holder: Holder;
  /** When the holder took the lock, in ms since 1970 by the wall clock of the holder. */
  readonly since: number;
  /** The fencing token of the lease. */
  readonly fence: Version;
  /** The number of waiters in the queue of the lock. */
  readonly waiting: number;
  /** The `note` that the holder passed to {@link Locks.acquire}. */
  readonly note?: JsonValue;
}

/** A process that waits for a lock, as {@link Locks.waiters} returns it. */
export interface Waiter extends Holder {
  /** The start of its wait, in ms since 1970 by its own wall clock. */
  readonly since?: number;
}

/** Options of {@link Locks.waiters}. */
export interface WaitersOptions {
  /** The most waiters to return, those next in line first. Default: 100. */
  readonly limit?: number;
}

/** Options of {@link Locks.open}. */
export interface LocksOptions {
  /** Time to live of the session. The locks of a hung or lost process are free after it. Default: 15 s. */
  readonly ttl?: Duration;
  /** Whether a thread keeps the session too: see {@link JobManagerOptions.heartbeatThread}. Default: true. */
  readonly heartbeatThread?: boolean;
  readonly clock?: Clock;
  /**
   * Called for a lock of a dead holder, before the lock is taken over or removed. Use it to clean up after
   * that holder. Several processes may call it for the same lock, so it must be safe to repeat. `isUnused`:
   * the process lives, but no caller got the lock, because the answer of the store was lost.
   */
  readonly onOrphan?: (lock: Entry<LockValue>, isUnused: boolean) => Promise<void>;
}

/** Options of {@link Locks.acquire}. */
export interface AcquireOptions {
  /** The longest hold: then `signal` fires with `TIMEOUT` and the lock is released. Default: one hour. */
  readonly timeout?: Duration;
  /** How long to wait for the lock. Default: 0, a single attempt. */
  readonly wait?: Duration;
  /** Ends the wait early: the call rejects with `LOCKED`, at once if the signal had fired already. */
  readonly signal?: AbortSignal;
  /** JSON that others see in {@link HeldLock.note}, for example the purpose of the lock. */
  readonly note?: JsonValue;
}
