import type { Fields } from "./types.js";

/** Splits a text at a separator. A backslash before a separator makes it a part of the text. */
export function splitBySeparator(text: unknown, separator: string = ";"): string[] {
  if (text === undefined || text === null) return [];
  const parts: string[] = [];
  let part = "";
  const all = String(text);
  for (let i = 0; i < all.length; i++) {
    if (all[i] === "\\" && all.startsWith(separator, i + 1)) {
      part += separator;
      i += separator.length;
    } else if (all.startsWith(separator, i)) {
      parts.push(part);
      part = "";
      i += separator.length - 1;
    } else part += all[i];
  }
  return [...parts, part];
}

/**
 * Splits a text at a pattern, but not within pairs like `[["'", "'"], ["(", ")"]]`, which are removed unless
 * `keep`.
 */
export function splitBySepWithEnc(
  text: string,
  separator: string = "\\s+",
  enclosures: readonly (readonly [string, string])[] = [],
  keep?: unknown,
): string[] {
  if (text === "") return [];
  const at = new RegExp(separator, "y");
  const parts: string[] = [];
  let own = "";
  for (let i = 0; i < text.length; ) {
    const pair = enclosures.find(([start]) => text.startsWith(start, i));
    const end = pair === undefined ? -1 : text.indexOf(pair[1], i + pair[0].length);
    at.lastIndex = i;
    const found = at.exec(text)?.[0] ?? "";
    if (pair !== undefined && end >= 0) {
      own += text.slice(i, end + pair[1].length);
      i = end + pair[1].length;
    } else if (found !== "") {
      parts.push(own);
      own = "";
      i += found.length;
    } else own += text[i++];
  }
  const bare = (part: string): string => {
    const pair = enclosures.find(([start, end]) => part.length > 1 && part.startsWith(start) && part.endsWith(end));
    return pair === undefined || keep ? part : part.slice(pair[0].length, -pair[1].length);
  };
  return [...parts, own].map((part) => bare(part.trim()));
}

/** How {@link splitKVBySeparator} reads. */
interface KeyValueOptions {
  readonly sep?: string;
  readonly ksep?: string;
  readonly esc?: string;
  readonly qto?: string;
  /** The value of a key without one. */
  readonly nul?: unknown;
}

/** Reads `a=1 b="two words"` as a map. */
export function splitKVBySeparator(text: string, options: KeyValueOptions = {}): Fields {
  const { sep = " ", ksep = "=", esc = "\\", qto = '"', nul = null } = options;
  const map: Fields = {};
  let key: string | undefined;
  let buffer = "";
  let quoted = false;
  const finish = (): void => {
    if (key !== undefined) map[key] = buffer;
    else if (buffer !== "") map[buffer] = nul;
    [key, buffer] = [undefined, ""];
  };
  const all = text.trimStart();
  for (let i = 0; i < all.length; i++) {
    const char = all[i] ?? "";
    const next = all[i + 1];
    if (char === esc && next !== undefined && [esc, sep, qto, "'"].includes(next)) buffer += all[++i];
    else if (char === qto) quoted = !quoted;
    else if (!quoted && char === sep) finish();
    else if (!quoted && char === ksep && key === undefined) [key, buffer] = [buffer, ""];
    else buffer += char;
  }
  finish();
  return map;
}
