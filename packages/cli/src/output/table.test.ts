import { afterEach, describe, expect, test } from "vitest";
import { oneLine, table } from "./table.js";

const { isTTY, columns } = process.stdout;
afterEach(() => {
  process.stdout.isTTY = isTTY;
  process.stdout.columns = columns;
});

const long = `${"x".repeat(100)} the reason`;

test("oneLine keeps the text on one line, and shows control characters as escapes", () => {
  expect(oneLine("a\r\n\tb\u001b[31mc\u009bd\n")).toBe("a b\\u001b[31mc\\u009bd");
});

describe("a long cell", () => {
  const cells = [
    ["A", "B"],
    ["a", long],
  ];

  test("is whole in a file or a pipe, as what matters may stand at its end", async () => {
    process.stdout.isTTY = false;
    expect(await table(cells, [{}, { cut: "text" }])).toBe(`A  B\n-  ${"-".repeat(long.length)}\na  ${long}\n`);
  });

  test("keeps the columns behind it, and their rules, in their places", async () => {
    process.stdout.isTTY = false;
    const [head, rule] = (await table([cells[1] ?? [], ["B", "C"]].map((row) => row.toReversed()))).split("\n");
    expect(rule?.lastIndexOf("  -")).toBe(head?.lastIndexOf("  a"));
  });

  test.each([40, 80, 0])("is cut on a terminal of %i columns, where a line that wraps breaks the table", async (n) => {
    process.stdout.isTTY = true;
    process.stdout.columns = n;
    const width = n || 80;
    const shown = `a  ${"x".repeat(width - 4)}…`;
    expect(await table(cells, [{}, { cut: "text" }])).toBe(`A  B\n-  ${"-".repeat(width - 3)}\n${shown}\n`);
  });
});

test("columns are in line behind wide and combining characters", async () => {
  const text = await table([
    ["NAME", "B"],
    ["注文", "x"],
    ["e\u0301", "y"],
  ]);
  expect(text).toBe("NAME  B\n----  -\n注文  x\ne\u0301     y\n");
});
