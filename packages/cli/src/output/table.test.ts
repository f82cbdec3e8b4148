import { afterEach, describe, expect, test } from "vitest";
import { oneLine, table } from "./table.js";

const { isTTY } = process.stdout;
afterEach(() => {
  process.stdout.isTTY = isTTY;
});

describe("oneLine", () => {
  const long = `${"x".repeat(100)} the reason`;

  test("oneLine keeps the whole text for a file or a pipe, as what matters may stand at the end", () => {
    process.stdout.isTTY = false;
    expect(oneLine(long)).toBe(long);
  });

  test("oneLine cuts the text on a terminal, where a line that wraps breaks the table", () => {
    process.stdout.isTTY = true;
    expect(oneLine(long)).toBe(`${"x".repeat(79)}…`);
  });

  test.each([true, false])(
    "oneLine keeps the text on one line, and shows control characters as escapes (terminal: %s)",
    (terminal) => {
      process.stdout.isTTY = terminal;
      expect(oneLine("a\r\n\tb\u001b[31mc\u009bd\n")).toBe("a b\\u001b[31mc\\u009bd");
    },
  );
});

test("a long cell makes the rule of its column no longer than fits a terminal", async () => {
  const text = await table([
    ["A", "B"],
    ["a", "b".repeat(5_000)],
  ]);
  const [, rule] = text.split("\n");
  expect(rule).toBe(`-  ${"-".repeat(80)}`);
});

test("columns are in line behind wide and combining characters", async () => {
  const text = await table([
    ["NAME", "B"],
    ["注文", "x"],
    ["e\u0301", "y"],
  ]);
  expect(text).toBe("NAME  B\n----  -\n注文  x\ne\u0301     y\n");
});
