import type { KeyRange } from "@ojm/core/backend";

/** Ranks surrogates above all other UTF-16 units, as the UTF-8 of their characters is. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Compares two keys by their UTF-8 bytes, as SQLite does, without encoding them. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Whether a key lies in a range. */
export function isInRange(key: string, range: KeyRange): boolean {
  return compareKeys(key, range.from) >= 0 && compareKeys(key, range.to) < 0;
}
