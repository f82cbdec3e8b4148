import { visible } from "../../util/text.js";
import { ChannelError, isChannelError } from "../errors.js";
import type { Key } from "../types.js";
import type { JsonValue } from "./json.js";

/*
 * Encodes a key as text. The order of the texts by UTF-8 bytes is the order of the keys, part by part. The
 * text shows where each part ends. So a prefix always consists of whole parts: the prefix "a" never matches
 * the name "ab".
 *
 *   "a b"                           "a!_b␣
 *   ["lock", "daily"]               ["lock␣"daily␣
 *   { name: "daily", startTime: 5 } {name␣"daily␣startTime␣=500:5␣
 *
 * A part is a tag, its text, and one space. The space is the lowest character that occurs, because all
 * characters up to "!" are escaped. The tags, in order: " string, - negative number, = other number, ? null,
 * false and true, [ array, { map. A nested array or map ends with one more space.
 */

const END = " ";
const DEEPEST = 64;
const MOST_SHOWN = 200;

const PLAIN: RegExp = /^["-~]*$/;
const ESCAPED: RegExp = /[\0-!\uD7FF\uE000-\uFFFF]|\p{Surrogate}/gu;

function escapeCharacter(character: string): string {
  if (character === " ") return "!_";
  if (character === "!") return "!~";
  const code = character.charCodeAt(0);
  if (code < 0x20) return `!${code.toString(16).toUpperCase().padStart(2, "0")}`;
  // U+D7FF is the escape character for text that UTF-8 and JavaScript treat differently. Lone surrogates have
  // no UTF-8. Characters from U+E000 sort above surrogate pairs in JavaScript and below them in UTF-8.
  if (code === 0xd7ff) return "\uD7FF0";
  return `\uD7FF${code < 0xe000 ? 1 : 2}${code.toString(16)}`;
}

/** Escapes text: no spaces are left, and UTF-8 bytes and JavaScript's `<` give the same order. */
function escapeText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(ESCAPED, escapeCharacter);
}

function unescapeText(text: string): string {
  if (!text.includes("!") && !text.includes("\uD7FF")) return text;
  return text.replace(/!(_|~|[0-9A-F]{2})|\uD7FF(?:0|[12]([0-9a-f]{4}))/g, (whole, short?: string, code?: string) => {
    if (short === "_") return " ";
    if (short === "~") return "!";
    if (short !== undefined) return String.fromCharCode(Number.parseInt(short, 16));
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return whole.charAt(0);
  });
}

/** Sign, three digits of exponent, decimal digits: `=512:1764000000123`. If negative, complements to 9. */
function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new ChannelError("INVALID_KEY", `a key cannot hold the number ${value}`);
  if (value === 0) return `=000${END}`;
  // The fast path: nearly all numbers in keys are counts and times.
  if (Number.isSafeInteger(value) && value > 0) {
    const whole = String(value);
    return `=${whole.length + 499}:${whole}${END}`;
  }
  const [mantissa = "", exponent = ""] = Math.abs(value).toExponential().split("e");
  const power = Number(exponent);
  let digits = mantissa.replace(".", "");
  // Whole numbers keep their zeros to be readable. That does not change the order.
  if (power >= 0 && power <= 20) digits = digits.padEnd(power + 1, "0");
  if (value > 0) return `=${power + 500}:${digits}${END}`;
  const complement = digits.replace(/\d/g, (digit) => String(9 - Number(digit)));
  return `-${499 - power}:${complement}~${END}`;
}

function decodeNumber(tag: string, text: string): number {
  if (text === "000") return 0;
  const power = Number(text.slice(0, 3));
  const shown = text.slice(4);
  if (tag === "=") return Number(`${shown.charAt(0)}.${shown.slice(1)}e${power - 500}`);
  const digits = shown.slice(0, -1).replace(/\d/g, (digit) => String(9 - Number(digit)));
  return -Number(`${digits.charAt(0)}.${digits.slice(1)}e${499 - power}`);
}

function encodePart(value: unknown, depth: number): string {
  if (typeof value === "string") return `"${escapeText(value)}${END}`;
  if (typeof value === "number") return encodeNumber(value);
  if (typeof value === "boolean" || value === null) return `?${value === null ? "" : value}${END}`;
  if (typeof value === "object") return encodeParts(value, depth) + END;
  throw new ChannelError("INVALID_KEY", `a key cannot hold ${value === undefined ? "undefined" : `a ${typeof value}`}`);
}

/** Encodes an array or map without its end: more parts may follow, or the space that ends it. */
function encodeParts(value: object, depth: number): string {
  if (depth > DEEPEST)
    throw new ChannelError("INVALID_KEY", `a key is nested deeper than ${DEEPEST} levels, or in itself`);
  if (Array.isArray(value)) {
    let text = "[";
    for (const part of value) text += encodePart(part, depth + 1);
    return text;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new ChannelError("INVALID_KEY", `a key cannot hold a ${value.constructor.name}: only plain maps and arrays`);
  }
  const map = value as Record<string, unknown>;
  let text = "{";
  for (const field of sortedFields(map)) {
    // An empty name would look like the end of the map.
    text += `${field === "" ? "!" : escapeText(field)}${END}${encodePart(map[field], depth + 1)}`;
  }
  return text;
}

/** Most maps have their fields in order. Sorting them takes longer than the rest of their text. */
function sortedFields(map: object): string[] {
  const fields = Object.keys(map);
  for (let i = 1; i < fields.length; i++) if ((fields[i - 1] as string) > (fields[i] as string)) return fields.sort();
  return fields;
}

/**
 * Encodes a key as text.
 *
 * @throws ChannelError `INVALID_KEY`
 */
export function encodeKey(key: Key): string {
  if (typeof key === "object" && key !== null) {
    const text = encodeParts(key, 0);
    if (text.length > 1) return text;
    throw new ChannelError("INVALID_KEY", "a key cannot be an empty map or array");
  }
  if (key === null) throw new ChannelError("INVALID_KEY", "a key cannot be null");
  return encodePart(key, 0);
}

/** Encodes the name of a channel, the first part of all keys of its entries. */
export function encodeChannelName(name: string): string {
  return escapeText(name) + END;
}

/** Reads the text of a key, which may be anything: any program can write. Each step advances or throws. */
class Reader {
  at = 0;
  depth = 0;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** Whether the current array or map ends here. If so, moves past its end. */
  closes(): boolean {
    if (this.text[this.at] !== END) return false;
    this.at++;
    return true;
  }

  word(): string {
    const end = this.text.indexOf(END, this.at);
    if (end < 0) throw foreignKey(this.text);
    const word = this.text.slice(this.at, end);
    this.at = end + 1;
    return word;
  }

  value(): JsonValue {
    const tag = this.text.charAt(this.at++);
    if (tag === "[" || tag === "{") {
      if (++this.depth > DEEPEST + 1) throw foreignKey(this.text);
      const parts = this.parts(tag);
      this.depth--;
      return parts;
    }
    const word = this.word();
    if (tag === '"') return unescapeText(word);
    if (tag === "?") return word === "" ? null : word === "true";
    return decodeNumber(tag, word);
  }

  parts(tag: string): JsonValue {
    if (tag === "[") {
      const list: JsonValue[] = [];
      while (!this.done && !this.closes()) list.push(this.value());
      return list;
    }
    const fields: [string, JsonValue][] = [];
    while (!this.done && !this.closes()) {
      const name = this.word();
      fields.push([name === "!" ? "" : unescapeText(name), this.value()]);
    }
    // Do not assign: a field named __proto__ must become a field.
    return Object.fromEntries(fields);
  }
}

/**
 * Decodes a text of {@link encodeKey}. The fields of maps come back in sorted order.
 *
 * @throws ChannelError `CORRUPT` if no key has this text: another program wrote it into the store
 */
export function decodeKey(text: string): Key {
  const key = new Reader(text).value() as Key;
  if (!isTextOf(text, key)) throw foreignKey(text);
  return key;
}

/** Like {@link decodeKey}; `undefined` if no key has this text. */
export function decodeKeyIfOurs(text: string): Key | undefined {
  try {
    return decodeKey(text);
  } catch (error) {
    if (!isChannelError(error) || error.code !== "CORRUPT") throw error;
    return undefined;
  }
}

/** Only the canonical text of a key counts. Otherwise two texts would be two entries of one key. */
function isTextOf(text: string, key: Key): boolean {
  try {
    return encodeKey(key) === text;
  } catch (error) {
    if (!isChannelError(error)) throw error;
    return false;
  }
}

/** No call can name such a key, so only the store's own tools can delete it. */
function foreignKey(text: string): ChannelError {
  const shown = visible(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);
  const message = `the key "${shown}" was not written by ojm. Delete it with the tools of the store`;
  return new ChannelError("CORRUPT", message);
}

/** The end, exclusive, of the range of keys that begin with `prefix`: an encoded key or channel name. */
export function endOfPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}!`;
}

/**
 * The end of a range whose last key is `key`, an encoded key. Keys have no control characters, so no other
 * key lies in between.
 *
 * @example
 * const onlyThisKey = { from: key, to: justAfter(key) };
 */
export function justAfter(key: string): string {
  return `${key}\x01`;
}

/** The key of a range of one key, as in a watch of a single key; otherwise `undefined`. */
export function onlyKeyOf({ from, to }: { readonly from: string; readonly to: string }): string | undefined {
  return to.length === from.length + 1 && to === justAfter(from) ? from : undefined;
}
