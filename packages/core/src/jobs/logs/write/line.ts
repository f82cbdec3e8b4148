import { encodeValue } from "../../../channel/encoding/json.js";
import { nearestJson } from "../../../channel/encoding/nearest-json.js";
import type { LogLevel, LogStream } from "../types.js";

/** The longest line, in UTF-8 bytes. */
export const LONGEST_LINE: number = 16 * 1_024;

/** The most bytes of a UTF-16 unit in UTF-8. */
const MOST_BYTES = 3;

/** The letter of a level or stream, in the text of a chunk. */
export const LETTERS: Readonly<Record<LogLevel | LogStream, string>> = {
  debug: "D",
  info: "I",
  warn: "W",
  error: "E",
  stdout: "o",
  stderr: "e",
};

/** The lines of a text. Its last line break ends the last line, and begins no other. */
export function linesOf(text: string): string[] {
  if (!text.includes("\n")) return [text];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The last state of a line that carriage returns have overwritten. */
export function lastState(line: string): string {
  if (!line.includes("\r")) return line;
  const whole = line.replace(/\r+$/, "");
  return whole.slice(whole.lastIndexOf("\r") + 1);
}

/** A line as it is kept: cut at {@link LONGEST_LINE}. `more`: bytes that were left out already. */
export function cut(line: string, more = 0): string {
  if (more === 0 && line.length * MOST_BYTES <= LONGEST_LINE) return line;
  const bytes = Buffer.from(line);
  if (more === 0 && bytes.length <= LONGEST_LINE) return line;
  let end = Math.min(bytes.length, LONGEST_LINE);
  // Do not cut a character in two: go back to its first byte.
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return `${bytes.toString("utf8", 0, end)}… [${bytes.length - end + more} bytes cut]`;
}

/** A text with fields behind it, as JSON on one line. Never throws. */
export function withFields(text: unknown, fields: unknown): string {
  const shown = inWords(text);
  if (fields === undefined) return shown;
  return `${shown} ${jsonOf(fields)}`.trimEnd();
}

/** Nearly all fields are plain. What JSON would change takes three times as long. */
function jsonOf(fields: unknown): string {
  try {
    return encodeValue(fields);
  } catch {
    return JSON.stringify(nearestJson(fields, "fields").kept) ?? "";
  }
}

/** A JavaScript program may pass anything as a text. */
function inWords(text: unknown): string {
  if (typeof text === "string") return text;
  if (text instanceof Error) return String(text.stack ?? text);
  const { kept } = nearestJson(text, "text");
  return typeof kept === "string" ? kept : (JSON.stringify(kept) ?? String(typeof text));
}
