/** The exit codes. A code means the same in every command. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  away: 5,
  running: 8,
  locked: 75,
  started: 76,
  timeout: 124,
  signal: 128,
} as const;

/** The name of an exit code, for programs. */
export function nameOf(code: number): string {
  return Object.entries(EXIT).find(([, one]) => one === code)?.[0] ?? "failed";
}

/** A failure with a message for the user. The program ends with `code`. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly code: number;

  constructor(message: string, code: number = EXIT.usage, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The error for a name or an id that the store does not have. */
export function notFound(message: string): CommandError {
  return new CommandError(message, EXIT.notFound);
}
