export type { Holder } from "./entries/schema.js";
export { isLockError, LockError, type LockErrorCode } from "./errors.js";
export type { CloseOptions } from "./grace.js";
export type { Lease } from "./hold/lease.js";
export { type Locks, openLocks } from "./locks.js";
export type { AcquireOptions, HeldLock, LocksOptions, Waiter } from "./types.js";
