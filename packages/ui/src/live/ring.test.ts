import { expect, test } from "vitest";
import { Ring } from "./ring.js";

const at = (ring: Ring, n: number): void => {
  for (let i = 0; i < n; i++) ring.add("fresh", { at: i });
};

test("a ring has the events after the one that was read last", () => {
  const ring = new Ring();
  expect(ring.after(0)).toEqual([]);
  at(ring, 3);
  expect(ring.after(1)?.map(({ seq }) => seq)).toEqual([2, 3]);
  expect(ring.after(3)).toEqual([]);
});

test("a ring knows what it has not: events that it dropped, and those of another server", () => {
  const ring = new Ring();
  at(ring, 2_005);
  expect(ring.after(4)).toBeUndefined();
  expect(ring.after(5)?.length).toBe(2_000);
  expect(ring.after(9_999)).toBeUndefined();
});

test("a ring of large events stays small", () => {
  const ring = new Ring();
  for (let i = 0; i < 50; i++) ring.add("changed", { at: i, names: ["x".repeat(100_000)] });
  expect(ring.after(0)).toBeUndefined();
  expect(ring.after(40)?.length).toBe(10);
});
