import { expect, test } from "vitest";
import { cut, LONGEST_LINE, lastState, linesOf, RawLines, withFields } from "./log-writer.js";

/** The lines of raw output that comes in these pieces, including the open one. */
function linesOfPieces(...pieces: string[]): string[] {
  const raw = new RawLines();
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  for (const piece of pieces) raw.add(piece, add);
  raw.end(add);
  return lines;
}

test.each([
  ["", [""]],
  ["a", ["a"]],
  ["a\nb", ["a", "b"]],
  ["a\n\nb\n", ["a", "", "b"]],
  ["\n", [""]],
])("the lines of a text: %j", (text, lines) => {
  expect(linesOf(text)).toEqual(lines);
});

test.each([
  ["plain", "plain"],
  ["10%\r20%\r30%", "30%"],
  ["windows\r", "windows"],
  ["10%\r20%\r\r", "20%"],
  ["\r", ""],
])("a line keeps its last state: %j", (line, last) => {
  expect(lastState(line)).toBe(last);
});

test("a line of 16 KiB is stored, and a longer one is cut at a whole character and says how much was cut", () => {
  const longest = "x".repeat(LONGEST_LINE);
  expect(cut(longest)).toBe(longest);
  expect(cut(`${longest}yz`)).toBe(`${longest}… [2 bytes cut]`);
  // Four bytes each, after one byte: the last one would begin within the limit, and end behind it.
  const smileys = `x${"😀".repeat(LONGEST_LINE / 4)}`;
  expect(cut(smileys)).toBe(`x${"😀".repeat(LONGEST_LINE / 4 - 1)}… [4 bytes cut]`);
  expect(cut("short")).toBe("short");
  expect(cut("short", 7)).toBe("short… [7 bytes cut]");
});

test("fields follow the text as JSON, whatever they are", () => {
  expect(withFields("a", undefined)).toBe("a");
  expect(withFields("a", { b: 1, c: "d\ne" })).toBe('a {"b":1,"c":"d\\ne"}');
  expect(withFields("a", { n: 10n, f: () => 1 })).toBe('a {"n":"10"}');
  const circle: Record<string, unknown> = { ok: true };
  circle["self"] = circle;
  expect(withFields("a", circle)).toContain('"ok":true');
  const trap = Object.defineProperty({}, "x", { enumerable: true, get: () => expect.unreachable() });
  expect(withFields("a", { trap })).toMatch(/^a/);
});

test("a text that is none becomes one", () => {
  expect(withFields(5, undefined)).toBe("5");
  expect(withFields(new RangeError("far"), undefined)).toContain("RangeError: far\n    at ");
  for (const odd of [undefined, null, Symbol("s"), () => 1, Object.create(null), { toString: 1 }])
    expect(typeof withFields(odd, undefined)).toBe("string");
});

test.each<[string[], string[]]>([
  [["a\nb\n"], ["a", "b"]],
  [
    ["a", "b", "c\n", "d"],
    ["abc", "d"],
  ],
  [
    ["\n", "\n\n"],
    ["", "", ""],
  ],
  [["10%\r", "20%\r", "30%"], ["30%"]],
  [
    ["10%", "\r", "20%", "\r", "30%\n", "x"],
    ["30%", "x"],
  ],
  [
    ["line\r", "\nnext\r\n"],
    ["line", "next"],
  ],
  [["é", "😀\n"], ["é😀"]],
  [[""], []],
])("raw output in pieces becomes lines: %j", (pieces, lines) => {
  expect(linesOfPieces(...pieces)).toEqual(lines);
});

test("a raw line without end keeps 16 KiB in memory, and says how much it cut", () => {
  const pieces = Array.from({ length: 100 }, () => "0123456789".repeat(1_000));
  const [line = ""] = linesOfPieces(...pieces, "\n");
  expect(line).toMatch(new RegExp(`… \\[${1_000_000 - LONGEST_LINE} bytes cut\\]$`));
  expect(line.length).toBeLessThan(LONGEST_LINE + 40);
  expect(linesOfPieces("x".repeat(LONGEST_LINE + 1), "\nshort\n")).toEqual([
    `${"x".repeat(LONGEST_LINE)}… [1 bytes cut]`,
    "short",
  ]);
  const smileys = linesOfPieces("x".repeat(LONGEST_LINE - 1), "😀😀\n");
  expect(smileys).toEqual([`${"x".repeat(LONGEST_LINE - 1)}… [8 bytes cut]`]);
});

test("what a carriage return overwrites does not count as cut", () => {
  expect(linesOfPieces("x".repeat(50_000), "\rshort\n")).toEqual(["short"]);
});
