import { LINES, visible } from "@ojm/core/internal";
import type { Given } from "../command-line/spec.js";

/**
 * Writes what a command has to show to stdout. A reader that goes away, as `head` does, has seen what it
 * wanted: that is no error, and changes no exit code. What cannot be written for another reason ends the
 * process with 1.
 */
export function print(text: string): void {
  // Once: a command that prints for days would gather listeners.
  if (!process.stdout.listeners("error").includes(endUnlessGone)) process.stdout.once("error", endUnlessGone);
  process.stdout.write(text);
}

/** Ends the process with 1 and one line, but not for a reader that went away. */
export function endUnlessGone({ code, message }: NodeJS.ErrnoException): void {
  if (code !== "EPIPE") tellUnwritten(message, () => process.exit(1));
}

/** Tells that the output is lost. */
export function tellUnwritten(why: string, told?: () => void): void {
  process.stderr.write(`ojm: the output cannot be written: ${why}\n`, told);
}

/**
 * A value as JSON that a terminal can be shown: `JSON.stringify` leaves characters as they are that a
 * terminal
 * obeys, or that turn the direction of writing. As escapes they mean the same to each reader of JSON.
 */
export function jsonText(value: unknown, indent?: number): string {
  return visible(JSON.stringify(value, undefined, indent), LINES);
}

/** Whether a program reads the output: then there are no notes on stderr, where it expects an error. */
export function wantsJson({ flags }: Given): boolean {
  return flags.has("json") || flags.has("jsonl");
}

/**
 * Writes lines to stderr. Their text may come from a job file, a store or a driver: a terminal must only show
 * it.
 */
export function tell(text: string, written?: () => void): void {
  process.stderr.write(`${visible(text, LINES)}\n`, written);
}

/** Says what was done, and to whom: as a line, or as the JSON that the user asks for. */
export function done(given: Given, text: string, item: object): undefined {
  if (wantsJson(given)) print(`${jsonText(item)}\n`);
  else print(`${visible(text, LINES)}\n`);
  return undefined;
}
