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
 * What a client is told of an error. Of a fault it learns nothing: the server's log has the warning. `mask`:
 * an error says why a job is held.
 */
export function refusalOf(error: unknown, mask: (text: string) => string = (text) => text): Refusal {
  if (error instanceof Refusal) return new Refusal(error.code, mask(error.message), error.headers);
  if (isScheduleError(error)) return new Refusal(SCHEDULE[error.code] ?? "CONFLICT", mask(error.message));
  if (isRunError(error)) return new Refusal(RUN[error.code] ?? "CONFLICT", mask(error.message));
  if (isChannelError(error)) return new Refusal(CHANNEL[error.code] ?? "AWAY", mask(withoutFolders(error.message)));
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  emitWarning("OJM_UI", `in the cockpit: ${text}`);
  return new Refusal("FAULT", "this is a fault of the server: its log has a warning OJM_UI");
}

/** A text in which files have their name alone: where they are on the server is no reader's business. */
const withoutFolders = (text: string): string => text.replace(/(?<![\w:/])(?:\/[^\s/:]+)+\/(?=[^\s/])/g, "");
