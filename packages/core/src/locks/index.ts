export type { Holder, LocksValue } from "./entries/schema.js";
export { isLockError, LockError, type LockErrorCode } from "./errors.js";
export { Lease } from "./hold/lease.js";
export { Locks } from "./locks.js";
export type { AcquireOptions, HeldLock, LocksOptions } from "./types.js";
