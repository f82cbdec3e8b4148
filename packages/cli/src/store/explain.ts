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
  // An error of the file as a whole has no place before its severity, and reads like all others.
  if (error.name === "JobFileError") return new CommandError(error.message.replace(/^error: /, ""));
  const { name, code, message } = error as Coded & (ChannelError | RunError);
  if (!Object.hasOwn(CODES, name)) return undefined;
  // A driver that is missing has its remedy in its message.
  if (name === "ChannelError" && code !== "UNKNOWN_TYPE" && isUnloadable(error))
    return new CommandError(`${message}. Install or build it again`);
  // A store that is away is no fault of the command: the same one may work in a minute.
  const other = name === "ChannelError" ? EXIT.away : EXIT.failed;
  return new CommandError(message, CODES[name]?.[String(code)] ?? other);
}

/** Whether the module of a backend is there, and a file that it needs is not: no wait makes it work. */
function isUnloadable({ cause }: Error): boolean {
  const { code } = (cause ?? {}) as Coded;
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}
