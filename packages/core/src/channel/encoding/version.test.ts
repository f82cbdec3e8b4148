import fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions, storedVersion, versionOf } from "./version.js";

const stored = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String);

test("versions compare as numbers, however long they are, with or without zeros in front", () => {
  const version = fc.bigInt({ min: 0n, max: 10n ** 40n });
  const written = fc.tuple(version, fc.nat(45)).map(([n, width]) => ({ n, text: String(n).padStart(width, "0") }));
  fc.assert(
    fc.property(written, written, (a, b) => {
      expect(Math.sign(compareVersions(a.text, b.text))).toBe(a.n < b.n ? -1 : a.n > b.n ? 1 : 0);
    }),
  );
  expect(compareVersions("9", "10")).toBeLessThan(0);
});

test("versions of 64 bits have one width, sort as texts as their numbers do, and come back as the store knows them", () => {
  fc.assert(
    fc.property(stored, stored, (a, b) => {
      const [one, two] = [versionOf(a), versionOf(b)];
      expect(one).toHaveLength(19);
      expect(one < two).toBe(BigInt(a) < BigInt(b));
      expect(storedVersion(one)).toBe(a);
    }),
  );
});
