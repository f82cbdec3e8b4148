import { createHash } from "node:crypto";

/** How far the clocks of processes may differ, and how late a record may come, in ms. */
export const MARGIN = 600_000;

/** The most ids that a window remembers. */
const MOST_SEEN = 1_000;

/**
 * Which records a rule has judged, by a time of theirs: all before `from`, and those in `seen`. Records come
 * out of order, as the clocks of processes differ. So `from` stays a margin behind the newest one.
 */
export interface Window {
  readonly from: number;
  readonly newest: number;
  readonly seen: readonly (readonly [time: number, hash: string])[];
}

/** A run, with the time that its window goes by. */
export interface Timed {
  readonly id: string;
  readonly time: number;
}

/** A window that has judged all before `at`. */
export function windowFrom(at: number): Window {
  return { from: at, newest: at, seen: [] };
}

/** Tells whether a run was not judged yet. */
export function unseen({ from, seen }: Window): (run: Timed) => boolean {
  const hashes = new Set(seen.map(([, hash]) => hash));
  return ({ id, time }) => time >= from && !hashes.has(hashOf(id));
}

/**
 * The window after `runs` were judged. A time beyond `now` is of a clock that is ahead: it moves nothing.
 */
export function advanced(window: Window, runs: readonly Timed[], now: number): Window {
  if (runs.length === 0) return window;
  const newest = runs.reduce((last, { time }) => Math.max(last, Math.min(time, now)), window.newest);
  const seen = [...window.seen, ...runs.map(({ id, time }) => [time, hashOf(id)] as const)];
  seen.sort(([a], [b]) => b - a);
  // With more than it remembers, it must not look as far back as it would.
  const bound = seen.length > MOST_SEEN ? (seen[MOST_SEEN - 1]?.[0] ?? 0) : 0;
  const from = Math.max(window.from, newest - MARGIN, bound);
  return { from, newest, seen: seen.filter(([time]) => time >= from) };
}

function hashOf(id: string): string {
  return createHash("sha256").update(id).digest("base64url").slice(0, 12);
}
