import fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions } from "./version.js";

test("versions compare as numbers, however long they are", () => {
  const version = fc.bigInt({ min: 0n, max: 10n ** 40n });
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(Math.sign(compareVersions(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
  expect(compareVersions("9", "10")).toBeLessThan(0);
});
