import { isMap } from "./types.js";

/** A new map with the fields of both. `over` wins. Maps within are merged in the same way. */
export function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return clone(over === undefined ? base : over);
  const merged = clone(base) as Record<string, unknown>;
  for (const [key, value] of Object.entries(over as object)) {
    // An assignment to a field called "__proto__" would set the prototype.
    const both = Object.hasOwn(merged, key) ? merge(merged[key], value) : clone(value);
    Object.defineProperty(merged, key, { value: both, writable: true, enumerable: true, configurable: true });
  }
  return merged;
}

/** A deep copy. Functions within are shared. */
export function clone<T>(value: T): T {
  try {
    return structuredClone(value);
  } catch {
    if (Array.isArray(value)) return value.map(clone) as T;
    if (!isMap(value)) return value;
    return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, clone(item)])) as T;
  }
}
