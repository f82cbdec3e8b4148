import { describe, expect, test } from "vitest";
import { listed } from "./known-names.js";

describe("the names that an error lists", () => {
  test("few short names are listed whole, in order", () => {
    expect(listed(new Set(["b", "a"]))).toBe("a, b");
  });

  test("of many names, the first are listed, and how many more there are", () => {
    const names = new Set(Array.from({ length: 57 }, (_, i) => `job-${String(i).padStart(2, "0")}`));
    expect(listed(names)).toMatch(/^job-00, job-01, .*, job-19 and 37 more$/);
  });

  test("a name of thousands of characters is cut, and several of them do not fill a screen", () => {
    const names = new Set(Array.from({ length: 9 }, (_, i) => `${i}${"\u{1F600}".repeat(5_000)}`));
    const text = listed(names);
    expect(text).toMatch(/^0(\u{1F600}){58}…, 1/u);
    expect(text.length).toBeLessThan(1_000);
    expect(text).toMatch(/ and \d more$/);
  });

  test("a line break in a name is shown as an escape", () => {
    expect(listed(new Set(["two\nlines"]))).toBe("two\\nlines");
  });
});
