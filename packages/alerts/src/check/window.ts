import { createHash } from "node:crypto";

/** The largest tolerated difference between the clocks of processes, and delay of a record, in ms. */
export const MARGIN = 600_000;

/** The most ids that a window remembers. */
const MOST_SEEN = 1_000;

/**
 * Which records a rule has judged, by their time: all before `from`, and those in `seen`. Records can come
 * out of order because the clocks of processes differ, so `from` stays a margin behind the newest record.
 */
export interface Window {
  readonly from: number;
  readonly newest: number;
  readonly seen: readonly (readonly [time: number, hash: string])[];
}

/** A run, with the time that its window uses. */
export interface Timed {
  readonly id: string;
  readonly time: number;
}

/** A window that has judged everything before `at`. */
export function windowFrom(at: number): Window {
  return { from: at, newest: at, seen: [] };
}

/** Returns a predicate: whether a run was not judged yet. */
export function unseen({ from, seen }: Window): (run: Timed) => boolean {
  const hashes = new Set(seen.map(([, hash]) => hash));
  return ({ id, time }) => time >= from && !hashes.has(hashOf(id));
}

/** The window after `runs` were judged. A time beyond `now` is of a wrong clock, and does not move it. */
export function advanced(window: Window, runs: readonly Timed[], now: number): Window {
  if (runs.length === 0) return window;
  const newest = runs.reduce((last, { time }) => Math.max(last, Math.min(time, now)), window.newest);
  const seen = [...window.seen, ...runs.map(({ id, time }) => [time, hashOf(id)] as const)];
  seen.sort(([a], [b]) => b - a);
  // When `seen` overflows, `from` moves up to the oldest id that is still remembered.
  const bound = seen.length > MOST_SEEN ? (seen[MOST_SEEN - 1]?.[0] ?? 0) : 0;
  const from = Math.max(window.from, newest - MARGIN, bound);
  return { from, newest, seen: seen.filter(([time]) => time >= from) };
}

function hashOf(id: string): string {
  return createHash("sha256").update(id).digest("base64url").slice(0, 12);
}
