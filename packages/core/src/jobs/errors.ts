import type { HeldLock } from "../locks/types.js";

/**
 * Why a run did not start or did not complete. `LOCKED`: somebody else runs this name. `TIMEOUT`: it ran as long as it may.
 * `CANCELLED`: it was told to stop. `LOST`: its lock was taken from it, or may have been, because the store could not be reached in time.
 * `TICK_TAKEN`: this tick of its schedule, or a later one, was run already. `ENDED`: it was over already. `INVALID`: a name or an option is not what it must be.
 */
export type RunErrorCode = "LOCKED" | "TIMEOUT" | "CANCELLED" | "LOST" | "TICK_TAKEN" | "ENDED" | "INVALID";

const BRAND = Symbol.for("ojm.RunError");

/** A run that did not start or did not complete, for a reason that is not its body's. A store that fails gives a `ChannelError`. */
export class RunError extends Error {
  override readonly name: string = "RunError";
  readonly code: RunErrorCode;
  /** The name of the job. */
  readonly job: string;
  /** Who runs it, where `code` is `LOCKED` and somebody does. */
  readonly held: HeldLock | undefined;

  constructor(code: RunErrorCode, job: string, message: string, details: { cause?: unknown; held?: HeldLock } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.job = job;
    this.held = details.held;
  }
}

/** Whether `error` is a {@link RunError}, from this copy of the package or another. */
export function isRunError(error: unknown): error is RunError {
  return typeof error === "object" && error !== null && BRAND in error;
}
