import type { HeldLock } from "../locks/types.js";

/**
 * Why a run did not start or did not complete.
 *
 * - `LOCKED`: another holder has the lock, others have the permits, or the rate is used up, and the wait is
 *   over.
 * - `TIMEOUT`: the run held its lock for its whole `timeout`.
 * - `CANCELLED`: the program or an operator cancelled the run.
 * - `CLOSING`: the process of the run closes. The lock is held until the job function returns.
 * - `LOST`: the lock was removed or replaced, or the session was not renewed in time.
 * - `ENDED`: the run was already over, or another program closed, overwrote or removed its record. Or the
 *   key of a {@link JobManager.once} is done, and its result is not stored.
 * - `STARTED`: a run of the same window or key has started, see {@link RunOptions.once}.
 * - `INVALID`: a name or an option is not valid.
 */
export type RunErrorCode = "LOCKED" | "TIMEOUT" | "CANCELLED" | "CLOSING" | "LOST" | "ENDED" | "STARTED" | "INVALID";

const BRAND = Symbol.for("ojm.RunError");

/** Why a run did not start or complete, if neither its body nor the store (`ChannelError`) failed. */
export class RunError extends Error {
  override readonly name: string = "RunError";
  readonly code: RunErrorCode;
  /** The name of the job. */
  readonly job: string;
  /** The lock and its holder, with `LOCKED`; `undefined` if it is free, with waiters in its queue. */
  readonly held: HeldLock | undefined;
  /** With `LOCKED`, the permit for which the run waited in vain; `undefined` if it waited for its lock. */
  readonly permit: string | undefined;
  /** With `LOCKED`, the rate for which the run waited in vain. */
  readonly rate: string | undefined;

  constructor(
    code: RunErrorCode,
    job: string,
    message: string,
    details: { cause?: unknown; held?: HeldLock; permit?: string; rate?: string } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.job = job;
    this.held = details.held;
    this.permit = details.permit;
    this.rate = details.rate;
  }
}

/** Throws `INVALID` for a wrong option, or name, of the job. */
export function refusing(job: unknown): (what: string) => never {
  return (what) => {
    throw new RunError("INVALID", String(job), what);
  };
}

/** Whether `error` is a {@link RunError}, from this copy of the package or another. */
export function isRunError(error: unknown): error is RunError {
  return typeof error === "object" && error !== null && BRAND in error;
}
