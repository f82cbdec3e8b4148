import type { HeldLock } from "./types.js";

/**
 * Why a lock was not had, or is held no more. `LOCKED`: somebody else holds it, and the time to wait was over. `TIMEOUT`: it was held
 * as long as its `timeout` allows. `LOST`: it was taken away, or may have been, because the store could not be told in time that the
 * holder is alive. `RELEASED`: it was given back.
 */
export type LockErrorCode = "LOCKED" | "TIMEOUT" | "LOST" | "RELEASED";

const BRAND = Symbol.for("ojm.LockError");

/** A lock that could not be had, or is held no more. A store that fails gives a `ChannelError` instead. */
export class LockError extends Error {
  override readonly name: string = "LockError";
  readonly code: LockErrorCode;
  readonly lock: string;
  /** Who holds it, where `code` is `LOCKED` and somebody does. */
  readonly held: HeldLock | undefined;

  constructor(code: LockErrorCode, lock: string, message: string, held?: HeldLock) {
    super(message);
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.lock = lock;
    this.held = held;
  }
}

/** Whether `error` is a {@link LockError}, from this copy of the package or another. */
export function isLockError(error: unknown): error is LockError {
  return typeof error === "object" && error !== null && BRAND in error;
}
