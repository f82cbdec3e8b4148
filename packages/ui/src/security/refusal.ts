import { isChannelError, isRunError } from "@ojm/core";
import { emitWarning } from "@ojm/core/internal";
import { isQueueError, type QueueErrorCode } from "@ojm/queue";
import { isScheduleError } from "@ojm/schedule";
import type { ErrorBody, ErrorCode, SignIn } from "../contract/types.js";

const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  DENIED: 403,
  NOT_FOUND: 404,
  METHOD: 405,
  CONFLICT: 409,
  LIMIT: 429,
  AWAY: 503,
  FAULT: 500,
};

/** A request that is rejected. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly signIn: SignIn | undefined;

  constructor(code: ErrorCode, message: string, headers: Readonly<Record<string, string>> = {}, signIn?: SignIn) {
    super(message);
    this.code = code;
    this.headers = headers;
    this.signIn = signIn;
  }

  response(): Response {
    const { code, message, signIn } = this;
    const body: ErrorBody = { error: { code, message, ...(signIn !== undefined && { signIn }) } };
    return Response.json(body, { status: STATUS[this.code], headers: this.headers });
  }
}

const SCHEDULE: Readonly<Record<string, ErrorCode>> = { INVALID: "INVALID", UNKNOWN: "NOT_FOUND", CLOSED: "AWAY" };
const QUEUE: Readonly<Record<QueueErrorCode, ErrorCode>> = { INVALID: "INVALID", UNKNOWN: "NOT_FOUND", CLOSED: "AWAY" };
const CHANNEL: Readonly<Record<string, ErrorCode>> = {
  INVALID_ARGUMENT: "INVALID",
  INVALID_KEY: "INVALID",
  INVALID_VALUE: "INVALID",
  DENIED: "DENIED",
  READ_ONLY: "DENIED",
  NOT_SUPPORTED: "CONFLICT",
  TOO_LARGE: "INVALID",
  CORRUPT: "CONFLICT",
};

/**
 * The answer to a client about an error. It has no details of a fault: the warning in the log of the server
 * has them. `mask` is applied because a message may contain the reason of a hold.
 */
export function refusalOf(error: unknown, mask: (text: string) => string = (text) => text): Refusal {
  if (error instanceof Refusal) return new Refusal(error.code, mask(error.message), error.headers, error.signIn);
  if (isScheduleError(error)) return new Refusal(SCHEDULE[error.code] ?? "CONFLICT", mask(error.message));
  if (isQueueError(error)) return new Refusal(QUEUE[error.code], mask(error.message));
  if (isRunError(error)) return new Refusal(error.code === "INVALID" ? "INVALID" : "CONFLICT", mask(error.message));
  if (isChannelError(error)) return new Refusal(CHANNEL[error.code] ?? "AWAY", mask(withoutFolders(error.message)));
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  emitWarning("OJM_UI", `in the UI: ${text}`);
  return new Refusal("FAULT", "this is a fault of the server: its log has a warning OJM_UI");
}

/** Replaces paths by file names: readers must not learn the folders of the server. */
const withoutFolders = (text: string): string => text.replace(/(?<![\w:/])(?:\/[^\s/:]+)+\/(?=[^\s/])/g, "");
