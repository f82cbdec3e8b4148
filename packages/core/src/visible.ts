/*
 * Text of others on its way to a terminal or a log. A store and a job file are written by whoever can, and a terminal obeys what it is shown: an escape
 * sequence in a host name can clear the screen or rename the window, a control character that turns the direction of writing can show one name for
 * another, and a line break can forge a line that nobody wrote.
 */

/** Control characters (C0, DEL, C1), line separators, and what changes the direction of writing. */
const HIDDEN: RegExp = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** The same, but for tabs and line breaks. */
const HIDDEN_IN_LINES: RegExp = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text as one line that a terminal only shows: what it would obey is written as an escape, such as `\x1b` or `\u202e`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, escaped);
}

/** As {@link visible}, of a text that may have several lines, such as a stack or the help of a job. */
export function visibleLines(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(HIDDEN_IN_LINES, escaped);
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  const digits = code.toString(16);
  return SHORT[character] ?? (code < 0x100 ? `\\x${digits.padStart(2, "0")}` : `\\u${digits.padStart(4, "0")}`);
}
