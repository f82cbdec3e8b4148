import { isDeepStrictEqual } from "node:util";

/**
 * Whether two values are the same as JSON: the order of fields does not matter, and neither does the sign of
 * zero.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
