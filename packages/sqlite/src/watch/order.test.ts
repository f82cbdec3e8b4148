import fc from "fast-check";
import { expect, it } from "vitest";
import { compareKeys, isInRange } from "./order.js";

const key = fc.string({ unit: "binary", maxLength: 5 });

it("keys are ordered as their UTF-8 bytes are ordered", () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    {
      numRuns: 2_000,
      examples: [
        ["\uffff", "\u{10000}"],
        ["a", "ab"],
      ],
    },
  );
});

it("a range includes its beginning, and excludes its end", () => {
  const range = { from: "b", to: "c" };
  expect(["a", "b", "bz", "c"].map((some) => isInRange(some, range))).toEqual([false, true, true, false]);
});
