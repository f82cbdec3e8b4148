import type { Channel, ChannelOps } from "../channel/channel.js";
import type { CommitResult, Entry, Key, Op } from "../channel/types.js";
import type { Holder, LocksValue, LockValue, StopRequest } from "./entries/schema.js";
import type { LockError } from "./errors.js";

/** The writes of a lock's owner, applied in the same step as taking or releasing the lock. */
export interface PreparedWrites {
  /** The text of the JSON that others see in {@link HeldLock.note}. */
  readonly noteText?: string | undefined;
  /** Checks and writes in the channel of the locks. */
  readonly lockOps?: readonly Op<unknown>[] | undefined;
  /** Checks and writes in other channels of the same store. */
  readonly others?: readonly ChannelOps<unknown>[] | undefined;
  /** Keys that `lockOps` put when the lock is taken. The release of the lock deletes them. */
  readonly ownKeys?: readonly Key[] | undefined;
}

/** The callbacks of a lock's owner about the end of its lease. */
export interface LeaseOwner {
  /** Called when another process requests the holder to stop. */
  onRequest?(request: StopRequest): void;
  /** Called when the lease ended without a release. Default: release the lock, if it is still there. */
  onLeaseOver?(error: LockError): void;
  /**
   * Called when the store no longer has the lock. Returns true if a transaction of the owner may have
   * released it: the owner then ends the lease. Default: the lease is lost.
   */
  onRemoved?(): boolean;
}

/** The session data that the owner of a lock needs. */
export interface HolderSession {
  readonly holder: Holder;
  /** The text of `holder`, as the store gets it. */
  readonly holderText: string;
}

/** The owner's writes before a lock that it could not release is removed. */
export type BeforeRemoval = (lock: Entry<LockValue>) => Promise<unknown>;

/** Lets the owner of a lock write in the same step: a run writes its record together with its lock. */
export interface AtomicWrites extends LeaseOwner {
  /** Called again for each attempt, so that its times are those of the attempt. */
  prepare(session: HolderSession): PreparedWrites;
  /** A check of the prepared ops failed: nothing was written. Change the next `prepare`, or throw. */
  refused(current: Entry<unknown> | undefined): void | Promise<void>;
  /** Called when another holder has the lock, or another waiter is ahead: nothing was written. */
  blocked?(): void;
  /**
   * Called when the store reported a corrupt entry. Resolves to whether the prepared ops check that entry. If
   * so, `prepare` must leave those ops out, and the attempt is repeated.
   */
  corrupt?(): Promise<boolean>;
  /**
   * Called with the error of a release that failed. Returns what the owner does before the lock is removed
   * later; `undefined` if the lock is to be removed like that of a dead process.
   */
  unwritten?(error: unknown): BeforeRemoval | undefined;
}

/** Commits ops on the locks together with the writes of the lock's owner, all or nothing. */
export function commitTogether(
  locks: Channel<LocksValue>,
  ops: readonly Op<LocksValue>[],
  writes: PreparedWrites | undefined,
): Promise<CommitResult<unknown>> {
  const lockOps = writes?.lockOps as readonly Op<LocksValue>[] | undefined;
  return locks.commitWith<unknown[]>(lockOps === undefined ? ops : [...ops, ...lockOps], writes?.others ?? []);
}
