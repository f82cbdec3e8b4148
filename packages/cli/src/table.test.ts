import { afterEach, describe, expect, test } from "vitest";
import { oneLine, table } from "./table.js";

const { isTTY } = process.stdout;
afterEach(() => {
  process.stdout.isTTY = isTTY;
});

describe("oneLine", () => {
  const long = `${"x".repeat(100)} the reason`;

  test("keeps the whole text where it goes into a file or a pipe: what matters may stand at its end", () => {
    process.stdout.isTTY = false;
    expect(oneLine(long)).toBe(long);
  });

  test("cuts it on a terminal, where a line that wraps breaks the table", () => {
    process.stdout.isTTY = true;
    expect(oneLine(long)).toBe(`${"x".repeat(79)}…`);
  });

  test.each([true, false])(
    "keeps it one line, and shows as escapes what a terminal would obey (terminal: %s)",
    (terminal) => {
      process.stdout.isTTY = terminal;
      expect(oneLine("a\r\n\tb\u001b[31mc\u009bd\n")).toBe("a b\\u001b[31mc\\u009bd");
    },
  );
});

test("a long cell makes no longer rule than fits a terminal", () => {
  const [, rule] = table([
    ["A", "B"],
    ["a", "b".repeat(5_000)],
  ]).split("\n");
  expect(rule).toBe(`-  ${"-".repeat(80)}`);
});
