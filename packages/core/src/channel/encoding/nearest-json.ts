import { types } from "node:util";
import type { JsonValue } from "./json.js";

/** The depth limit of {@link encodeValue}, which rejects deeper values. */
const DEEPEST = 512;

/** A path or a text of thousands of characters would bury the message. */
const MOST_SHOWN = 120;

/** The nearest JSON of a value, and what differs. */
export interface NearestJson {
  /** `undefined` if nothing of the value can be kept. */
  readonly kept: JsonValue | undefined;
  /** What was converted or left out: its path, what it was, and the result. */
  readonly lost: readonly string[];
}

/**
 * The JSON that is nearest to a value. Numbers that JSON lacks become texts, a Map becomes a map, a Set a
 * list, an Error a text. Functions and the like are left out. `name`: the start of each path.
 */
export function nearestJson(value: unknown, name: string): NearestJson {
  const copy = new Copy();
  return { kept: copy.of(() => value, name, ""), lost: copy.lost };
}

class Copy {
  readonly lost: string[] = [];
  readonly #above: object[] = [];

  /** `key` is what JSON.stringify passes to `toJSON`. `inMap`: the value is a field of a map. */
  of(read: () => unknown, path: string, key: string, inMap = false): JsonValue | undefined {
    try {
      const value = read();
      // JSON leaves out a field that is undefined, as callers expect. A `toJSON` that returns a copy of its
      // own map, such as `{ ...this }`, is a field of that copy.
      if (inMap && (value === undefined || (key === "toJSON" && typeof value === "function"))) return undefined;
      return this.#any(hasToJson(value) ? value.toJSON(key) : value, path);
    } catch (error) {
      // A getter, a proxy or a toJSON of the program may throw anything.
      const why = error instanceof Error ? error.message : String(error);
      return this.#leaveOut(path, `cannot be read (${shorten(why)})`);
    }
  }

  #any(value: unknown, path: string): JsonValue | undefined {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : this.#keepAs("a text", path, `is ${value}`, String(value));
      case "bigint":
        return this.#keepAs("a text", path, "is a bigint", String(value));
      case "object":
        return value === null ? null : this.#object(value, path);
      case "undefined":
        return this.#leaveOut(path, "is undefined");
      default:
        return this.#leaveOut(path, `is a ${typeof value}`);
    }
  }

  #object(value: object, path: string): JsonValue | undefined {
    if (this.#above.includes(value)) return this.#leaveOut(path, "is a reference to something that contains it");
    if (this.#above.length >= DEEPEST) return this.#leaveOut(path, `is nested deeper than ${DEEPEST} levels`);
    this.#above.push(value);
    try {
      return this.#parts(value, path);
    } finally {
      this.#above.pop();
    }
  }

  #parts(value: object, path: string): JsonValue | undefined {
    if (Array.isArray(value)) return this.#list(value, path);
    if (types.isMap(value)) return this.#entries(value, path);
    if (types.isSet(value)) return this.#keepAs("a list", path, "is a Set", this.#list([...value], path));
    if (types.isNativeError(value)) {
      return this.#keepAs("a text", path, "is an Error", `${value.name}: ${value.message}`);
    }
    if (types.isRegExp(value)) return this.#keepAs("a text", path, "is a RegExp", String(value));
    const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
    if (types.isTypedArray(value)) {
      return this.#keepAs("a list", path, `is a ${tag}`, this.#list([...value], path));
    }
    if (tag === "Object") return this.#map(Object.keys(value), (field) => (value as Fields)[field], path);
    return this.#leaveOut(path, `is ${/^[AEIOU]/.test(tag) ? "an" : "a"} ${tag}`);
  }

  #entries(value: ReadonlyMap<unknown, unknown>, path: string): JsonValue | undefined {
    const keys = [...value.keys()];
    if (keys.every((key) => typeof key === "string")) {
      this.lost.push(`${shorten(path)} is a Map: kept as a map`);
      return this.#map(keys, (key) => value.get(key), path);
    }
    this.lost.push(`${shorten(path)} is a Map: kept as a list of pairs`);
    return this.#list([...value], path);
  }

  #list(items: readonly unknown[], path: string): JsonValue {
    // Do not use `map`: it skips the holes of a sparse list, which count as undefined.
    return Array.from(items, (item, index) => this.of(() => item, `${path}[${index}]`, String(index)) ?? null);
  }

  #map(fields: readonly string[], read: (field: string) => unknown, path: string): JsonValue {
    const map: Record<string, JsonValue> = {};
    for (const field of fields) {
      const kept = this.of(() => read(field), `${path}.${field}`, field, true);
      // An assignment to a field called "__proto__" would set the prototype.
      if (kept !== undefined) Object.defineProperty(map, field, { ...FIELD, value: kept });
    }
    return map;
  }

  #keepAs<T>(form: string, path: string, what: string, kept: T): T {
    this.lost.push(`${shorten(path)} ${what}: kept as ${form}`);
    return kept;
  }

  #leaveOut(path: string, what: string): undefined {
    this.lost.push(`${shorten(path)} ${what}: left out`);
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

const FIELD = { writable: true, enumerable: true, configurable: true } as const;

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return typeof value === "object" && value !== null && "toJSON" in value && typeof value.toJSON === "function";
}

function shorten(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}
