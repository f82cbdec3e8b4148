import { ChannelError } from "./errors.js";

/** What a channel holds: anything that JSON can say. */
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

/** Walks what JSON.stringify will walk, and refuses what that would silently turn into something else. */
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

function checkObject(value: object, path: (string | number)[], above: object[]): void {
  if (above.includes(value)) refuse(path, "a reference to something that contains it");
  if (above.length >= DEEPEST) refuse(path.slice(0, 8), `nested deeper than ${DEEPEST} levels`);
  above.push(value);
  if (hasToJson(value)) check(value.toJSON(String(path.at(-1) ?? "")), path, above);
  else if (Array.isArray(value)) checkArray(value, path, above);
  else checkMap(value, path, above);
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
  // A Map, an Error or a RegExp would become {}, a buffer a map of numbers.
  const tag = Object.prototype.toString.call(value);
  if (tag !== "[object Object]") refuse(path, `a ${tag.slice(8, -1)}`);
  const map = value as Record<string, unknown>;
  for (const field of Object.keys(map)) {
    const inner = map[field];
    // A field that is undefined is left out, as everybody expects of JSON.
    if (inner === undefined) continue;
    path.push(field);
    check(inner, path, above);
    path.pop();
  }
}

/**
 * The JSON text of a value.
 *
 * @throws ChannelError `INVALID_VALUE`, naming the path of what JSON would silently destroy
 */
export function encodeValue(value: unknown): string {
  check(value, [], []);
  return JSON.stringify(value);
}

/** The value of a JSON text that {@link encodeValue} made: always a fresh copy. */
export function decodeValue<V>(text: string): V {
  return JSON.parse(text) as V;
}

/** Whether two JSON values are equal; the order of fields does not matter. */
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
