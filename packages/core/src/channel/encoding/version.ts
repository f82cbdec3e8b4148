import type { Version } from "../types.js";

/**
 * Orders two versions of one channel: negative if `a` is older, 0 if they are the same, positive if `a` is
 * newer.
 *
 * @example
 * entries.sort((a, b) => compareVersions(a.version, b.version)); // by last modification
 */
export function compareVersions(a: Version, b: Version): number {
  // Versions are decimal digits without leading zeros, so the longer one is higher.
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
