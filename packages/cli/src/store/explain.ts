import type { ChannelError, RunError } from "@ojm/core";
import { CommandError, EXIT } from "../errors.js";

/** An error that has a code: those of ojm do. */
interface Coded extends Error {
  readonly code?: unknown;
}

const CODES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ChannelError: {
    UNKNOWN_TYPE: EXIT.usage,
    INVALID_CONFIG: EXIT.usage,
    INVALID_ARGUMENT: EXIT.usage,
    DENIED: EXIT.denied,
    READ_ONLY: EXIT.denied,
  },
  RunError: { LOCKED: EXIT.locked, TIMEOUT: EXIT.timeout, INVALID: EXIT.usage },
  ScheduleError: { UNKNOWN: EXIT.notFound, INVALID: EXIT.usage },
};

/**
 * An error that a user can do something about, as a message with an exit code; `undefined` for a fault of
 * ojm. Told by the names of the classes: to load them costs start-up time.
 */
export function explained(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === "JobFileError") return new CommandError(error.message);
  const { name, code, message } = error as Coded & (ChannelError | RunError);
  if (!Object.hasOwn(CODES, name)) return undefined;
  // A store that is away is no fault of the command: the same one may work in a minute.
  const other = name === "ChannelError" ? EXIT.away : EXIT.failed;
  return new CommandError(message, CODES[name]?.[String(code)] ?? other);
}
