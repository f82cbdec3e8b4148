import { availableParallelism } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { isMap } from "./types.js";

/** Whether it is a list. */
export function isArray(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

/** Whether two values are the same, down to all fields. */
export function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}

/** Whether two values are equal by JavaScript's `==`: "1" equals 1. */
export function looselyEqual(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? undefined) === (b ?? undefined)) return true;
  const isPlain = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);
  return typeof a !== typeof b && isPlain(a) && isPlain(b) && Number(a) === Number(b);
}

/** The index of the first item that is the same as a value, or -1. */
export function arrayContains(list: readonly unknown[], value: unknown, read?: (item: unknown) => unknown): number {
  return list.findIndex((item) => isSame(value, read === undefined ? item : read(item)));
}

/** The list with one of each of its items. Anything else stays as it is. */
export function uniqArray(list: unknown): unknown {
  if (!isArray(list)) return list;
  const kept: unknown[] = [];
  for (const item of list) if (arrayContains(kept, item) < 0) kept.push(item);
  return kept;
}

/** Removes the item at an index from the list itself. */
export function deleteFromArray(list: unknown[], index: number): unknown[] {
  list.splice(index, 1);
  return list;
}

/** A list of numbers: `count` of them, from `start` (1), each `step` times its number. */
export function range(count: number = 1, start: number = 1, step: number = 1): number[] {
  if (!(count >= 0)) throw new RangeError(`range takes a count from 0 on, not ${count}`);
  return Array.from({ length: count }, (_, i) => (i + start) * step);
}

/** Cuts a list into this many lists of about the same length. */
export function splitArray(list: readonly unknown[], parts: number = availableParallelism()): unknown[][] {
  const count = Math.min(parts, list.length);
  const from = (part: number): number => Math.round((list.length / count) * part);
  return Array.from({ length: count }, (_, i) => list.slice(from(i), from(i + 1)));
}

/** The map with its keys in order, and the maps in its lists; with `deep`, all maps within. */
export function sortMapKeys(map: Record<string, unknown>, deep?: unknown): Record<string, unknown> {
  const sorted = (value: unknown, inList: boolean): unknown => {
    if (isArray(value)) return value.map((item) => sorted(item, true));
    return isMap(value) && (inList || deep) ? sortMapKeys(value, deep) : value;
  };
  const keys = Object.keys(map).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(map[key], false)]));
}

/** Sorts a copy of a list of numbers or texts, or by a function. */
export function quickSort(list: readonly unknown[], order?: (a: unknown, b: unknown) => number): unknown[] {
  return [...list].sort(order ?? ((a, b) => ((a as number) < (b as number) ? -1 : a === b ? 0 : 1)));
}
