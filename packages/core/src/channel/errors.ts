/** The stable code of a {@link ChannelError}. `docs/on-call/errors.md` has cause and remedy of each. */
export type ChannelErrorCode =
  | "CLOSED"
  | "INVALID_KEY"
  | "INVALID_VALUE"
  | "INVALID_ARGUMENT"
  | "INVALID_CONFIG"
  | "NOT_SUPPORTED"
  | "UNKNOWN_TYPE"
  | "TOO_LARGE"
  | "TIMEOUT"
  | "ABORTED"
  | "UNAVAILABLE"
  | "GONE"
  | "IN_USE"
  | "DENIED"
  | "FULL"
  | "READ_ONLY"
  | "CORRUPT"
  | "FAILED";

/** Details of a {@link ChannelError}. */
export interface ChannelErrorDetails {
  /** Whether the same call may succeed later. Default: false. */
  retryable?: boolean;
  /** `unknown` if the store may have changed: the call was sent, and not answered. Default: `not-applied`. */
  outcome?: "not-applied" | "unknown";
  /** The error of the driver or the system. */
  cause?: unknown;
}

// A brand instead of instanceof: two copies of this package in one program must agree on what an error is.
const BRAND = Symbol.for("ojm.ChannelError");

/**
 * A fault of a channel or its store. A lost race is not a fault: it is a value (`{ ok: false }`).
 *
 * Messages name keys, never values. Recognise the error by {@link isChannelError} and its `code`.
 */
export class ChannelError extends Error {
  override readonly name: string = "ChannelError";
  readonly code: ChannelErrorCode;
  readonly retryable: boolean;
  readonly outcome: "not-applied" | "unknown";

  constructor(code: ChannelErrorCode, message: string, details: ChannelErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.outcome = details.outcome ?? "not-applied";
  }
}

/** Whether `error` is a {@link ChannelError}, from this copy of the package or another. */
export function isChannelError(error: unknown): error is ChannelError {
  return typeof error === "object" && error !== null && BRAND in error;
}
