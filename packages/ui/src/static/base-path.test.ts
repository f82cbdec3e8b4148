import { expect, test } from "vitest";
import { plain } from "./base-path.js";

test("a base path is one of plain segments, and slashes at its end do not count", () => {
  expect(["/ops/ojm", "/ops/ojm//", "", "/"].map(plain)).toEqual(["/ops/ojm", "/ops/ojm", "", ""]);
  expect([undefined, "ops", "/a b", "//a", "/a/../b?"].map(plain)).toEqual([
    ...Array.from({ length: 5 }, () => undefined),
  ]);
});

test("a prefix of many slashes does not take a time that is quadratic in its length", () => {
  // In quadratic time, it would take many seconds.
  expect(plain(`${"/".repeat(150_000)}x`)).toBeUndefined();
});
