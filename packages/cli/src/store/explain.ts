import { CommandError, EXIT } from "../errors.js";

const CODES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ChannelError: {
    UNKNOWN_TYPE: EXIT.usage,
    INVALID_CONFIG: EXIT.usage,
    INVALID_ARGUMENT: EXIT.usage,
    INVALID_KEY: EXIT.usage,
    INVALID_VALUE: EXIT.usage,
    TOO_LARGE: EXIT.usage,
    DENIED: EXIT.denied,
    READ_ONLY: EXIT.denied,
  },
  RunError: { LOCKED: EXIT.locked, TIMEOUT: EXIT.timeout, INVALID: EXIT.usage },
  ScheduleError: { UNKNOWN: EXIT.notFound, INVALID: EXIT.usage },
  QueueError: { UNKNOWN: EXIT.notFound, INVALID: EXIT.usage },
};

/**
 * An error that a user can do something about, as a message with an exit code; `undefined` for a fault of
 * ojm. It compares class names: loading the classes costs start-up time.
 */
export function explained(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  if (!(error instanceof Error)) return undefined;
  // An error about the whole file has no place before its severity: drop the severity, as in other errors.
  if (error.name === "JobFileError") return new CommandError(error.message.replace(/^error: /, ""));
  const { name, code, message } = error as Error & { readonly code?: unknown };
  if (!Object.hasOwn(CODES, name)) return undefined;
  // The message about a missing driver already has the remedy.
  if (name === "ChannelError" && code !== "UNKNOWN_TYPE" && isUnloadable(error))
    return new CommandError(`${message}. Install or build it again`);
  // A store that is away is not a fault of the command: it may work in a minute.
  const other = name === "ChannelError" ? EXIT.away : EXIT.failed;
  const lasts = !(error as { readonly retryable?: boolean }).retryable;
  const exit = (code !== "READ_ONLY" || lasts ? CODES[name]?.[String(code)] : undefined) ?? other;
  // The message about a wrong command line says already what to write instead: it needs no page.
  return new CommandError(message, exit, exit === EXIT.usage ? undefined : { cause: error });
}

/** Whether the module of a backend exists, but a file that it needs does not: waiting does not help. */
function isUnloadable({ cause }: Error): boolean {
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}
