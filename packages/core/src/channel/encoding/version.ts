import type { Version } from "../types.js";

/** The digits of a version: as many as a whole number of 64 bits can have. */
const DIGITS = 19;

/**
 * The version that a backend returned, in the form that callers see: zero-padded, so that texts sort like
 * their numbers. Callers compare fences in SQL, in a shell and in systems that do not know ojm.
 */
export function versionOf(stored: string): Version {
  return stored.padStart(DIGITS, "0");
}

/** The form that backends know: without zeros in front. */
export function storedVersion(version: Version): string {
  // `versionOf` always returns this length. Pass on any other text as it is.
  if (version.length !== DIGITS) return version;
  let zeros = 0;
  while (zeros < version.length - 1 && version.charCodeAt(zeros) === 48) zeros++;
  return zeros === 0 ? version : version.slice(zeros);
}

/**
 * Orders two versions of one channel: negative if `a` is older, 0 if they are the same, positive if `a` is
 * newer. Compares them as numbers, with or without zeros in front. Versions of a channel all have 19 digits,
 * so `<` and `===` give the same answer.
 *
 * @example
 * entries.sort((a, b) => compareVersions(a.version, b.version)); // by last modification
 */
export function compareVersions(a: Version, b: Version): number {
  if (a.length !== b.length) return compareVersions(a.padStart(b.length, "0"), b.padStart(a.length, "0"));
  return a < b ? -1 : a > b ? 1 : 0;
}
