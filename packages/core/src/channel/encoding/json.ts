import { ChannelError } from "../errors.js";

/** The value of an entry: any JSON. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [field: string]: JsonValue | undefined };

const DEEPEST = 512;

type Path = readonly (string | number)[];

function show(path: Path): string {
  let text = "value";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : `.${step}`;
  return text;
}

function refuse(path: Path, what: string): never {
  throw new ChannelError("INVALID_VALUE", `${show(path)} is ${what}, which JSON cannot hold`);
}

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function";
}

/** Visits everything that JSON.stringify visits. Rejects a value that JSON would silently change. */
function check(value: unknown, path: (string | number)[], above: object[]): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) refuse(path, String(value));
      return;
    case "object":
      if (value !== null) checkObject(value, path, above);
      return;
    case "undefined":
      refuse(path, "undefined");
      break;
    default:
      refuse(path, `a ${typeof value}`);
  }
}

/**
 * Whether a value that was read can be written again. Another program can leave text that parses to more than
 * a channel accepts: a number such as `1e999`, or deep nesting.
 */
export function isStorable(value: unknown): boolean {
  try {
    check(value, [], []);
    return true;
  } catch {
    return false;
  }
}

function checkObject(value: object, path: (string | number)[], above: object[]): void {
  // JSON.stringify calls toJSON once, not on its result.
  const converted: unknown = hasToJson(value) ? value.toJSON(String(path.at(-1) ?? "")) : value;
  if (typeof converted === "object" && converted !== null) checkParts(converted, path, above);
  else check(converted, path, above);
}

function checkParts(converted: object, path: (string | number)[], above: object[]): void {
  if (above.includes(converted)) refuse(path, "a reference to something that contains it");
  if (above.length >= DEEPEST) refuse(path.slice(0, 8), `nested deeper than ${DEEPEST} levels`);
  above.push(converted);
  if (Array.isArray(converted)) checkArray(converted, path, above);
  else checkMap(converted, path, above);
  above.pop();
}

function checkArray(value: readonly unknown[], path: (string | number)[], above: object[]): void {
  for (let i = 0; i < value.length; i++) {
    path.push(i);
    check(value[i], path, above);
    path.pop();
  }
}

function checkMap(value: object, path: (string | number)[], above: object[]): void {
  // JSON.stringify turns a Map, an Error or a RegExp into {}, and a buffer into a map of numbers.
  const tag = Object.prototype.toString.call(value);
  if (tag !== "[object Object]") refuse(path, `a ${tag.slice(8, -1)}`);
  const map = value as Record<string, unknown>;
  for (const field of Object.keys(map)) {
    const inner = map[field];
    // JSON leaves out a field that is undefined, as callers expect.
    if (inner === undefined) continue;
    // A `toJSON` that returns a copy of its own map, such as `{ ...this }`, is a field of that copy.
    if (field === "toJSON" && typeof inner === "function") continue;
    path.push(field);
    check(inner, path, above);
    path.pop();
  }
}

/** The depth to which {@link isPlain} checks. Deeper and circular values get the full check. */
const SHALLOW = 16;

/** Whether JSON keeps all of a value. Nearly all values pass this fast check, which tracks no path. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      return value === null || (depth < SHALLOW && isPlainObject(value, depth + 1));
    default:
      return false;
  }
}

function isPlainObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth)) return false;
    return !hasToJson(value);
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  const map = value as Record<string, unknown>;
  for (const field in map) {
    const inner = map[field];
    if (inner !== undefined && !isPlain(inner, depth)) return false;
  }
  return !hasToJson(value) && !(Symbol.toStringTag in value);
}

/**
 * Encodes a value as JSON text.
 *
 * @throws ChannelError `INVALID_VALUE` for a value that JSON would silently change; the message names its
 * path
 */
export function encodeValue(value: unknown): string {
  if (!isPlain(value, 0)) check(value, [], []);
  return JSON.stringify(value);
}

/**
 * Decodes a text of {@link encodeValue}. The result is always a new copy.
 *
 * @throws ChannelError `CORRUPT`; the message names the encoded `key` of the entry
 */
export function decodeValue<V>(text: string, key: string): V {
  try {
    return JSON.parse(text) as V;
  } catch (cause) {
    throw new ChannelError("CORRUPT", `the value of the entry ${key} is not JSON: it was not written by ojm`, {
      cause,
    });
  }
}

/** Whether two JSON values are equal. The order of fields does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const fields = Object.keys(left);
  return (
    fields.length === Object.keys(right).length &&
    fields.every((field) => Object.hasOwn(right, field) && sameJson(left[field], right[field]))
  );
}
