import type { Channel } from "../channel/channel.js";
import type { JsonValue } from "../channel/json.js";
import type { Entry, Op, Version } from "../channel/types.js";
import type { Clock } from "../clock.js";
import type { Holder, LocksValue, LockValue } from "./entries.js";

export type { Holder };

/** A lock that is held now. */
export interface HeldLock {
  readonly name: string;
  readonly holder: Holder;
  /** Since when, in ms since 1970 by the holder's clock. */
  readonly since: number;
  /** The fencing token of its holder. */
  readonly fence: Version;
  /** How many wait for it. */
  readonly waiting: number;
  /** What the holder wants others to know. */
  readonly note?: JsonValue;
}

/** Options of {@link Locks.open}. */
export interface LocksOptions {
  /** How long the locks of a process that fell silent stay taken, in ms. Default: 15,000. */
  readonly ttl?: number;
  /** See {@link JobManagerOptions.heartbeatThread}. Default: true. */
  readonly heartbeatThread?: boolean;
  readonly clock?: Clock;
  /**
   * Called for a lock whose holder is dead, before it is taken over or removed: the place to clean up after that holder. Several
   * processes may call it for the same lock.
   */
  readonly onOrphan?: (lock: Entry<LockValue>) => Promise<void>;
}

/** Options of {@link Locks.acquire}. */
export interface AcquireOptions {
  /** The longest the lock may be held, in ms: then its lease ends and it is released. Default: 3,600,000 (one hour). */
  readonly timeout?: number;
  /** How long to wait for the lock, in ms. Default: 0, now or not at all. */
  readonly wait?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** What others should know of this holder. */
  readonly note?: JsonValue;
}

/** What an attempt to take or release a lock carries beyond the lock itself. */
export interface Burden {
  /** What others should know of the holder. */
  readonly note?: JsonValue;
  /** Writes and checks among the locks, which must happen in the same step. */
  readonly beside?: readonly Op<LocksValue>[];
  /** Writes and checks in the companion's channel, which must happen in the same step. */
  readonly ops: readonly Op<unknown>[];
}

/** Writes in another channel of the same store that happen in the same step as taking or releasing a lock. */
export interface Companion {
  /** Without one, there is only the note. */
  readonly channel?: Channel<unknown>;
  /** Called anew for each attempt, so that it can be of that moment. */
  prepare(holder: Holder): Burden;
  /** Something could not be read. Whether it was what the ops ask for, which `prepare` leaves out from now on; it is not asked for twice. */
  overwritten?(): Promise<boolean>;
  /** A check of the ops failed, and nothing was written: change what `prepare` returns, or throw. */
  refused(current: Entry<unknown> | undefined): void | Promise<void>;
}
