import type { MapEntry, MapNode } from "../yaml/node.js";

/** A key that belongs to a shortcut: `(if)` itself, or `((then))`, one of its options. */
export interface ShortcutKey {
  readonly option: boolean;
  readonly name: string;
}

/**
 * Reads a key of a shortcut. Real files align their keys, and OpenAF takes them without brackets behind the
 * name: `(pass      )`, `((then)`.
 */
export function shortcutKey(key: string): ShortcutKey | undefined {
  if (!key.startsWith("(")) return undefined;
  const option = key.startsWith("((");
  return { option, name: key.slice(option ? 2 : 1).replace(/\s*\)+\s*$/, "") };
}

/** The keys that a regular expression must match to be this shortcut, or this option. */
export function keyPattern(name: string, option: boolean): string {
  return `^${option ? "\\(\\(" : "\\("}${name}\\s*\\)*\\s*$`;
}

/** The key of this shortcut, or of this option, as it is written in a file that aligns nothing. */
export function writtenKey(name: string, option: boolean): string {
  return option ? `((${name}))` : `(${name})`;
}

/** The entries of a map that belong to a shortcut, and the others. */
export function splitEntries({ entries }: MapNode): {
  readonly shortcuts: readonly (MapEntry & ShortcutKey)[];
  readonly others: readonly MapEntry[];
} {
  const read = entries.map((entry) => ({ entry, key: shortcutKey(entry.key) }));
  return {
    shortcuts: read.flatMap(({ entry, key }) => (key === undefined ? [] : [{ ...entry, ...key }])),
    others: read.flatMap(({ entry, key }) => (key === undefined ? [entry] : [])),
  };
}
