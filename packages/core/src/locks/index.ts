export type { Holder, LocksValue } from "./entries/schema.js";
export { isLockError, LockError, type LockErrorCode } from "./errors.js";
export type { Lease } from "./hold/lease.js";
export { type Locks, openLocks } from "./locks.js";
export type { AcquireOptions, HeldLock, LocksOptions } from "./types.js";
