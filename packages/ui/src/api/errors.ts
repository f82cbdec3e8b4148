import { isChannelError, isRunError } from "@ojm/core";
import { emitWarning } from "@ojm/core/internal";
import { isScheduleError } from "@ojm/schedule";
import type { ErrorCode } from "../contract/types.js";
import { Refusal } from "../security/refusal.js";

const RUN: Readonly<Record<string, ErrorCode>> = { INVALID: "INVALID" };
const SCHEDULE: Readonly<Record<string, ErrorCode>> = { INVALID: "INVALID", UNKNOWN: "NOT_FOUND", CLOSED: "AWAY" };
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
  if (error instanceof Refusal) return new Refusal(error.code, mask(error.message), error.headers);
  if (isScheduleError(error)) return new Refusal(SCHEDULE[error.code] ?? "CONFLICT", mask(error.message));
  if (isRunError(error)) return new Refusal(RUN[error.code] ?? "CONFLICT", mask(error.message));
  if (isChannelError(error)) return new Refusal(CHANNEL[error.code] ?? "AWAY", mask(withoutFolders(error.message)));
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  emitWarning("OJM_UI", `in the UI: ${text}`);
  return new Refusal("FAULT", "this is a fault of the server: its log has a warning OJM_UI");
}

/** Replaces paths by file names: readers must not learn the folders of the server. */
const withoutFolders = (text: string): string => text.replace(/(?<![\w:/])(?:\/[^\s/:]+)+\/(?=[^\s/])/g, "");
