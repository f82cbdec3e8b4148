import { encodeKey } from "../channel/encoding/key.js";
import type { Key } from "../channel/types.js";
import type { Dice } from "./simulation/dice.js";

/* Entries as a person or a fault may have changed them: random, but the same for the same dice. */

/** An entry as it is stored. The text of its value need not be JSON. */
export interface StoredText {
  readonly key: Key;
  readonly text: string;
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json };

/** Nested so deeply that a recursive function overflows the stack. */
const DEEP: string = "[".repeat(20_000) + "]".repeat(20_000);

const TEXTS: readonly string[] = [
  "",
  "x",
  "NaN",
  "Infinity",
  "1e300",
  "__proto__",
  "\u001b[2J\u001b]0;title\u0007",
  "a\nb\r\tc",
  "\u202egnp.\u2066x\u2069\u200f\u061c",
  "\u009b31m\u0000\u007f",
  "\ud800",
  "x".repeat(5_000),
];

const NUMBERS: readonly string[] = [
  "0",
  "-1",
  "0.5",
  "1e300",
  "-1e300",
  "1e999",
  "8640000000000001",
  "9007199254740993",
];

const OTHERS: readonly string[] = [
  "null",
  "true",
  "false",
  "[]",
  "{}",
  "[null]",
  '[{"token":"t"}]',
  '{"a":{"b":[1,{}]}}',
  DEEP,
];

/** The text of an unexpected value. */
function junk(dice: Dice): string {
  return dice.pick([() => JSON.stringify(dice.pick(TEXTS)), () => dice.pick(NUMBERS), () => dice.pick(OTHERS)])();
}

/** Writes a value as JSON, with `piece` as the text at `path`. Without `piece`, that place is left out. */
function withPiece(value: Json, path: readonly (string | number)[], piece: string | undefined): string {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== "object" || value === null) return piece ?? "null";
  const inner = (key: string | number, item: Json): string | undefined =>
    key !== step ? JSON.stringify(item) : rest.length > 0 ? withPiece(item, rest, piece) : piece;
  if (Array.isArray(value))
    return `[${(value as readonly Json[]).map((item, i) => inner(i, item) ?? "null").join(",")}]`;
  const fields = Object.entries(value as Readonly<Record<string, Json>>).flatMap(([key, item]) => {
    const text = inner(key, item);
    return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`];
  });
  return `{${fields.join(",")}}`;
}

/** The paths of all places in a value. */
function pathsOf(value: Json): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [[]];
  const entries: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [[], ...entries.flatMap(([key, item]) => pathsOf(item).map((path) => [key, ...path]))];
}

/** The text of a value with a part missing, changed or added. */
export function damagedText(dice: Dice, text: string): string {
  const value = JSON.parse(text) as Json;
  const path = dice.pick(pathsOf(value));
  const kind = dice.chance();
  if (kind < 0.04) return text.slice(0, Math.floor(dice.between(0, text.length)));
  if (kind < 0.25) return withPiece(value, path, undefined);
  if (kind < 0.35) return `{"extra":${junk(dice)},${text.slice(1)}`;
  return withPiece(value, path, junk(dice));
}

/** The text of a key, cut off, changed or appended to, by a program that does not know the encoding. */
export function damagedKeyText(dice: Dice, key: Key): string {
  const text = encodeKey(key);
  const at = Math.floor(dice.between(1, text.length));
  const piece = dice.pick([" ", "!", "[", "{", "x", '"', "=1 ", "?x ", "\u001b[2J", "[".repeat(300)]);
  const kind = dice.chance();
  if (kind < 0.4) return text.slice(0, at);
  if (kind < 0.7) return text + piece;
  return text.slice(0, at) + piece + text.slice(at + 1);
}

/** A key with a part changed, added or removed. */
export function damagedKey(dice: Dice, key: Key): Key {
  const part = dice.pick<string | number | boolean>(["", "x", "queue", 5, true, 1e300, -1, "\u001b[2J"]);
  if (typeof key !== "object") return key;
  if (Array.isArray(key)) {
    const parts = [...(key as readonly (string | number | boolean)[])];
    const at = Math.floor(dice.between(1, parts.length));
    const kind = dice.chance();
    if (kind < 0.5) parts[at] = part;
    else if (kind < 0.75) parts.push(part);
    else if (parts.length > 1) parts.pop();
    return parts;
  }
  const field = dice.pick(["name", "startTime", "zone"]);
  return dice.chance() < 0.2 ? { name: "lone" } : { ...key, [field]: part };
}
