import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SortedKeys } from "./sorted-keys.js";

const LAST = "\uFFFF";

function filled(keys: Iterable<string>): SortedKeys {
  const sorted = new SortedKeys();
  for (const key of keys) sorted.add(key);
  return sorted;
}

const all = (keys: SortedKeys, reverse = false): string[] => [...keys.between("", LAST, reverse)];
const padded = (n: number): string => String(n).padStart(7, "0");

describe("sorted keys", () => {
  test("sorted keys do the same as a set that is sorted each time", () => {
    const key = fc.string({ maxLength: 3 });
    const step = fc.oneof(fc.record({ add: key }), fc.record({ remove: key }));
    const range = fc.tuple(key, key, fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.array(range, { maxLength: 5 }), (steps, ranges) => {
        const model = new Set<string>();
        const keys = new SortedKeys();
        for (const step of steps) {
          if ("add" in step && !model.has(step.add)) {
            model.add(step.add);
            keys.add(step.add);
          }
          if ("remove" in step && model.delete(step.remove)) keys.remove(step.remove);
        }
        for (const [from, to, reverse] of [...ranges, ["", LAST, false] as const, ["", LAST, true] as const]) {
          const expected = [...model].filter((k) => k >= from && k < to).sort((a, b) => (a < b ? -1 : 1));
          expect([...keys.between(from, to, reverse)]).toEqual(reverse ? expected.reverse() : expected);
        }
      }),
    );
  });

  test.each([
    ["in order", (i: number) => i],
    ["against the order", (i: number) => 99_999 - i],
    // 7 and 100,000 have no common factor: each comes once.
    ["in no order", (i: number) => (i * 7_919) % 100_000],
  ])("sorted keys hold 100,000 keys that come %s, and drop the keys that are removed", (_, order) => {
    const keys = new SortedKeys();
    for (let i = 0; i < 100_000; i++) keys.add(padded(order(i)));
    const shown = all(keys);
    expect(shown.length).toBe(100_000);
    expect(shown.every((key, i) => key === padded(i))).toBe(true);
    expect(all(keys, true)).toEqual(shown.reverse());
    expect([...keys.between(padded(51_000), padded(51_003), false)]).toEqual([51_000, 51_001, 51_002].map(padded));
    expect([...keys.between(padded(51_000), padded(51_003), true)]).toEqual([51_002, 51_001, 51_000].map(padded));
    for (let i = 0; i < 100_000; i++) if (order(i) % 1_000 !== 0) keys.remove(padded(order(i)));
    expect(all(keys)).toEqual(Array.from({ length: 100 }, (_, i) => padded(i * 1_000)));
    for (let i = 0; i < 100; i++) keys.remove(padded(i * 1_000));
    expect(all(keys)).toEqual([]);
    keys.add("again");
    expect(all(keys)).toEqual(["again"]);
  });

  test("a range of sorted keys begins and ends anywhere, at the edges of blocks too", () => {
    const keys = filled(Array.from({ length: 3_000 }, (_, i) => padded(i * 2)));
    for (let i = 0; i < 6_000; i += 1) {
      const [next] = keys.between(padded(i), LAST, false);
      expect(next).toBe(i > 5_998 ? undefined : padded(i + (i % 2)));
      const [before] = keys.between("", padded(i), true);
      expect(before).toBe(i === 0 ? undefined : padded(i - (i % 2 === 0 ? 2 : 1)));
    }
  });
});
