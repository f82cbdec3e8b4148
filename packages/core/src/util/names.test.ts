import { expect, test } from "vitest";
import { matchesName } from "./names.js";

test.each([
  ["*", "", true],
  ["*", "billing/a", true],
  ["billing/*", "billing/a/b", true],
  ["billing/*", "billing/", true],
  ["billing/*", "billing", false],
  ["*/daily", "billing/daily", true],
  ["*/daily", "billing/daily2", false],
  ["a*a", "a", false],
  ["a*b*a", "axbxa", true],
  ["a*b*b", "axb", false],
  ["*.*", "a+b", false],
  ["a?c", "abc", false],
  ["report", "report", true],
  ["report", "reports", false],
  ["5*", "5*", true],
])("the pattern %s and the name %s: %s", (pattern, name, expected) => {
  expect(matchesName(pattern, name)).toBe(expected);
});

test("a pattern of many stars is fast", () => {
  expect(matchesName(`${"a*".repeat(1_000)}b`, "a".repeat(100_000))).toBe(false);
});
