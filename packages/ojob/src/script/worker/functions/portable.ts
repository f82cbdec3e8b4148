/**
 * The part of a value that can leave the thread: without functions and the like, and without circular
 * references.
 */
export function portable(value: unknown, seen: Set<object> = new Set()): unknown {
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return undefined;
  seen.add(value);
  if (Array.isArray(value)) return value.map((item) => portable(item, seen) ?? null);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return cloneable(value) ? value : undefined;
  const entries = Object.entries(value).map(([key, item]) => [key, portable(item, seen)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function cloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
