import type { HeldLock } from "./types.js";

/**
 * Why a call did not get a lock, or why a lease ended.
 *
 * - `LOCKED`: another holder has the lock, and `wait` is over.
 * - `TIMEOUT`: the lease held the lock for its whole `timeout`.
 * - `LOST`: the lock was removed or replaced, or the session was not renewed in time.
 * - `RELEASED`: the lease released the lock.
 * - `CLOSING`: the program closes its locks. The lease holds the lock until it is released.
 */
export type LockErrorCode = "LOCKED" | "TIMEOUT" | "LOST" | "RELEASED" | "CLOSING";

const BRAND = Symbol.for("ojm.LockError");

/** A call did not get a lock, or a lease ended. If the store fails, the error is a `ChannelError` instead. */
export class LockError extends Error {
  override readonly name: string = "LockError";
  readonly code: LockErrorCode;
  readonly lock: string;
  /** The lock and its holder, with `LOCKED`; `undefined` if it is free, with waiters in its queue. */
  readonly held: HeldLock | undefined;
  /** The cause alone, without the name of the lock. Only of a lease that ended. */
  readonly why: string | undefined;
  /** Whether the lock was lost because the store answered no renewal of its session. */
  readonly isUnanswered: boolean;

  constructor(
    code: LockErrorCode,
    lock: string,
    message: string,
    details: { held?: HeldLock; why?: string; isUnanswered?: boolean } = {},
  ) {
    super(message);
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.lock = lock;
    this.held = details.held;
    this.why = details.why;
    this.isUnanswered = details.isUnanswered ?? false;
  }
}

/** Whether `error` is a {@link LockError}, from this copy of the package or another. */
export function isLockError(error: unknown): error is LockError {
  return typeof error === "object" && error !== null && BRAND in error;
}
