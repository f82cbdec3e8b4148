import { expect, test } from "vitest";
import { LINES, visible } from "./visible.js";

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i));

/** All that a terminal obeys, or that reorders what it shows. */
const HIDDEN = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  "\u061c",
  "\u200e",
  "\u200f",
  ...range(0x2028, 0x202e),
  ...range(0x2066, 0x2069),
];

test("every character that a terminal would obey is shown as an escape", () => {
  for (const character of HIDDEN) expect(visible(`a${character}b`)).toMatch(/^a\\([nrt]|u[0-9a-f]{4})b$/);
  expect(visible("\u001b[2Ja\u009b\u202eb\nc\td\r")).toBe("\\u001b[2Ja\\u009b\\u202eb\\nc\\td\\r");
});

test("a text without control characters stays as it is", () => {
  for (const text of ["", "büro-7", "日本語", "C:\\new", "🙂", "a\u00a0b", "é"]) expect(visible(text)).toBe(text);
});

test("a text that was made visible is not changed a second time", () => {
  const once = visible(HIDDEN.join("x"));
  expect(visible(once)).toBe(once);
});

test("a text of several lines keeps its line breaks and tabs, and no other control characters", () => {
  expect(visible("a\n\tb\nc\u001b[31m\rd\u2028e", LINES)).toBe("a\n\tb\nc\\u001b[31m\\rd\\u2028e");
});

test("a JSON text that was made visible is still JSON and means the same", () => {
  const value = { text: HIDDEN.join("x") };
  const shown = visible(JSON.stringify(value));
  expect(JSON.parse(shown)).toEqual(value);
  for (const character of HIDDEN) expect(shown).not.toContain(character);
});
