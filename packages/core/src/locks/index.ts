import type { Lease as HeldLease } from "./hold/lease.js";
import type { Locks as OpenedLocks } from "./locks.js";

export type { Holder, LocksValue } from "./entries/schema.js";
export { isLockError, LockError, type LockErrorCode } from "./errors.js";
export type { LockLostEvent, LockWaitedEvent, LockWaitingEvent, SessionRenewalEvent } from "./events.js";
export type { CloseOptions } from "./grace.js";
export { openLocks } from "./locks.js";
export type { AcquireOptions, HeldLock, LocksOptions, Waiter, WaitersOptions } from "./types.js";

/** Locks by name, kept in a channel. {@link openLocks} opens them. */
export type Locks = OpenedLocks;

/** A lock as its holder sees it. `Locks.acquire` takes one. */
export type Lease = HeldLease;
