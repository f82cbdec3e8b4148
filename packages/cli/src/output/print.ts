import { explanationOf, LINES, visible } from "@ojm/core/internal";
import type { Given } from "../command-line/spec.js";

/**
 * Writes the output of a command to stdout. A reader that closes its end, as `head` does, is not an error and
 * does not change the exit code. Any other write error ends the process with 1.
 */
export function print(text: string): void {
  // Once: a command that prints for days would gather listeners.
  if (!process.stdout.listeners("error").includes(endUnlessGone)) process.stdout.once("error", endUnlessGone);
  process.stdout.write(text);
}

/** Ends the process with 1 and one line, but not if the reader closed its end. */
export function endUnlessGone({ code, message }: NodeJS.ErrnoException): void {
  if (code !== "EPIPE") reportUnwritten(message, () => process.exit(1));
}

/** Prints that the output is lost. */
export function reportUnwritten(why: string, written?: () => void): void {
  process.stderr.write(`ojm: the output cannot be written: ${why}\n`, written);
}

/**
 * A value as JSON that is safe on a terminal. `JSON.stringify` does not escape all control characters, nor
 * those that change the direction of the text. Escaped, they mean the same to every JSON parser.
 */
export function jsonText(value: unknown, indent?: number): string {
  return visible(JSON.stringify(value, undefined, indent), LINES);
}

/** Whether a program reads the output: then there are no notes on stderr, which it takes for errors. */
export function wantsJson({ flags }: Given): boolean {
  return flags.has("json") || flags.has("jsonl");
}

/** Writes lines to stderr. Control characters are escaped: the text may come from a store or a driver. */
export function printError(text: string, written?: () => void): void {
  process.stderr.write(`${visible(text, LINES)}\n`, written);
}

/** The classes of errors whose codes the page of errors explains. */
const EXPLAINED = ["ChannelError", "LockError", "RunError", "ScheduleError", "QueueError"];

/** The line after an error that has a code: the address of its cause and remedy. Empty for other errors. */
export function explanationLine(error: unknown): string {
  const { name, code } = (error ?? {}) as { readonly [field: string]: unknown };
  return EXPLAINED.includes(String(name)) && typeof code === "string" ? `\nSee ${explanationOf(code)}` : "";
}

/** Prints what was done, and to what: as a line, or as the requested JSON. */
export function done(given: Given, text: string, item: object): undefined {
  if (wantsJson(given)) print(`${jsonText(item)}\n`);
  else print(`${visible(text, LINES)}\n`);
  return undefined;
}
