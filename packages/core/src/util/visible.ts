/*
 * Anybody can write to a store or a job file, and a terminal obeys what it is shown: an escape sequence in a
 * host name can clear the screen, a control character that turns the direction of writing can show one name
 * for another, and a line break can forge a line that nobody wrote.
 */

/** Control characters (C0, DEL, C1), line separators, and what changes the direction of writing. */
const HIDDEN: RegExp = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** What a text of several lines keeps. */
export const LINES = "\n\t";

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text of others on its way to a terminal, a log or a message: what a terminal would obey is written as an
 * escape, such as `\u001b`. The escapes are those of JSON, so that a JSON text stays one that means the same.
 * `kept` stays as it is.
 */
export function visible(text: string, kept = ""): string {
  return text.replace(HIDDEN, (character) => {
    if (kept.includes(character)) return character;
    return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
