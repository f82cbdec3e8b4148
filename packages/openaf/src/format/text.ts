import type { Functions } from "../data/types.js";
import { color } from "../print/color.js";
import { visibleLength } from "../print/width.js";
import { leftPad, rightPad } from "./numbers.js";

/** Breaks the lines of a text at blanks, so that none is wider. */
export function wordWrap(text: unknown, width: number, newLine: string = "\n", tab: number = 4): string {
  const expanded = String(text).replaceAll("\t", " ".repeat(tab));
  return expanded
    .split(newLine)
    .map((line) => wrapLine(line, width).join(newLine))
    .join(newLine);
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (visibleLength(rest) > width && width > 0) {
    const head = headOf(rest, width);
    const blank = head.lastIndexOf(" ");
    const cut = blank > 0 ? blank : head.length;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return rest === "" && lines.length > 0 ? lines : [...lines, rest];
}

/** The longest beginning of a text that is no wider, with at least one character. */
function headOf(text: string, width: number): string {
  let head = "";
  for (const char of text) {
    if (head !== "" && visibleLength(head + char) > width) break;
    head += char;
  }
  return head;
}

/** Whether a text is as a pattern with `*` and `?` says, in any case unless `useCase`. */
function wildcardRE(pattern: string, useCase?: unknown): RegExp {
  const source = pattern
    .replace(/([.+^${}()|[\]\\])/g, "\\$1")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, useCase ? "" : "i");
}

/** How many characters must change to make one text of another. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (char === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The text of a list that is nearest to a text, if it is near enough. */
function closest(text: string, list: readonly string[], threshold: number = 3): string | false {
  const near = [...list].sort((a, b) => distance(text, a) - distance(text, b))[0];
  return near !== undefined && distance(text, near) <= threshold ? near : false;
}

/** `ow.format.string`. */
export const TEXT: Functions = {
  leftPad,
  rightPad,
  wordWrap,
  wildcardRE,
  wildcardTest: (text: string, pattern: string, useCase?: unknown): boolean => wildcardRE(pattern, useCase).test(text),
  distance,
  closest,
  unicode: (code: number): string => String.fromCodePoint(code),
  separatorsToUnix: (path: string): string => path.replaceAll("\\", "/"),
  separatorsToWindows: (path: string): string => path.replaceAll("/", "\\"),
  tabExpand: (text: string, size: number = 8): string => text.replaceAll("\t", " ".repeat(size)),
  printable: (bytes: Uint8Array, other: string = "."): string =>
    [...bytes].map((byte) => (byte >= 32 ? String.fromCharCode(byte) : other)).join(""),
  toHex: (bytes: Uint8Array, separator: string = " "): string =>
    [...bytes].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(separator),
  bool: (value: unknown, light?: unknown): string =>
    value ? color("GREEN", light ? "✓" : "✔") : color("RED", light ? "✕" : "✖"),
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
  "`": "&#x60;",
  "=": "&#x3D;",
};

/** Escapes what HTML writes otherwise. */
export function escapeHTML(text: unknown): string {
  return String(text ?? "").replace(/[&<>"'`=]/g, (char) => ENTITIES[char] ?? char);
}
