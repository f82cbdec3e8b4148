import { isArray, isSame } from "./compare.js";
import { type Fields, isMap } from "./types.js";

/**
 * Merges two maps. The second wins, maps within are merged, and lists are joined. Of a list and a map, each
 * item of the list is merged with the map.
 */
export function merge(a: unknown, b: unknown, alternative?: unknown, deDup?: unknown): unknown {
  if (a === undefined) return b;
  if (b === undefined) return a;
  if (isArray(b)) return b.map((item) => merge(a, item, alternative, deDup));
  if (isArray(a)) return a.map((item) => merge(item, b, alternative, deDup));
  if (!isMap(b)) return a;
  return mergeFields(isMap(a) ? a : {}, b, Boolean(deDup));
}

function mergeFields(a: Fields, b: Fields, deDup: boolean): Fields {
  const merged = { ...a };
  for (const [key, value] of Object.entries(b)) define(merged, key, mergeField(own(merged, key), value, deDup));
  return merged;
}

function mergeField(before: unknown, value: unknown, deDup: boolean): unknown {
  if (isArray(value)) {
    if (before === undefined) return [...value];
    const list = isArray(before) ? before : [before];
    return [...list, ...(deDup ? value.filter((item) => !list.some((one) => isSame(one, item))) : value)];
  }
  return isMap(value) ? mergeFields(isMap(before) ? before : {}, value, deDup) : value;
}

/** A copy: of maps and lists a deep one, of anything else the value itself. Of `null` it is `undefined`. */
export function clone<T>(value: T): T {
  return (value === null ? undefined : copyOf(value)) as T;
}

function copyOf(value: unknown): unknown {
  if (isArray(value)) return value.map(copyOf);
  if (!isMap(value)) return value;
  const copy: Fields = {};
  for (const [key, item] of Object.entries(value)) define(copy, key, copyOf(item));
  return copy;
}

/** Adds the fields of further objects to the first. With `true` before it, maps within are merged too. */
export function extend(...given: readonly unknown[]): unknown {
  const deep = given[0] === true;
  const [target = {}, ...sources] = typeof given[0] === "boolean" ? given.slice(1) : given;
  for (const source of sources) if (source !== null && typeof source === "object") extendBy(target, source, deep);
  return target;
}

function extendBy(target: unknown, source: object, deep: boolean): void {
  for (const [key, value] of Object.entries(source)) {
    if (value === undefined || value === target) continue;
    const before = own(target as Fields, key);
    if (deep && (isMap(value) || isArray(value))) {
      const within =
        isArray(value) === isArray(before) && typeof before === "object" && before ? before : isArray(value) ? [] : {};
      extendBy(within, value, true);
      define(target as Fields, key, within);
    } else define(target as Fields, key, value);
  }
}

function own(map: Fields, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Sets a field, also one called "__proto__". */
function define(map: Fields, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}
