import { beforeAll, describe, expect, test } from "vitest";
import { type ColumnRoom, grid } from "./grid.js";
import { cut, fit, prepareWidths, widthOf } from "./width.js";

beforeAll(() => prepareWidths());

const COLUMNS: readonly ColumnRoom[] = [{ cut: "name" }, { rank: 2 }, { rank: 1 }, { cut: "text" }, {}];
const rows = (name: string, error = "connect ECONNREFUSED 10.0.0.4:5432", fence = "12345"): string[][] => [
  ["RUN", "STARTED", "STATUS", "ERROR", "FENCE"],
  [name, "3 min ago", "failed", error, fence],
];

describe("a table on a terminal", () => {
  test.each([20, 40, 80, 160])("no line of it is longer than %i columns, whatever its cells hold", (width) => {
    for (const name of ["a", "x".repeat(300), "注文".repeat(50), "e\u0301".repeat(90)]) {
      for (const line of grid(rows(name), COLUMNS, width).lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
    }
  });

  test("the columns of the highest rank are left out first", () => {
    const [head = "", body = ""] = grid(rows("nightly-report"), COLUMNS, 40).lines;
    expect(head).toBe("RUN             STARTED    STATUS");
    expect(body).toBe("nightly-report  3 min ago  failed");
  });

  test("a text is cut before a column is left out, a name only where it takes most of the line", () => {
    const [, body] = grid(rows("nightly-report"), COLUMNS, 60).lines;
    expect(body).toBe("nightly-report  3 min ago  failed  connect ECONNREFU…  12345");
    const [, half] = grid(rows("a-name-of-18-chars"), COLUMNS, 36).lines;
    expect(half).toBe("a-name-of-18-chars  failed");
    const [, most] = grid(rows("a-name-of-thirty-characters-ok"), COLUMNS, 36).lines;
    expect(most).toBe("a-name-of-thirty…  3 min ago  failed");
  });

  test("a column in which nothing stands takes no room", () => {
    expect(grid(rows("a", ""), COLUMNS, 80).lines[0]).toBe("RUN  STARTED    STATUS  FENCE");
  });

  test("what fits is not cut", () => {
    expect(grid(rows("a"), COLUMNS, 160).lines).toEqual(grid(rows("a"), COLUMNS, Number.POSITIVE_INFINITY).lines);
  });
});

test("off a terminal, nothing is cut, and each column has its place", () => {
  const { lines } = grid(rows("x".repeat(300), ""), COLUMNS, Number.POSITIVE_INFINITY);
  expect(lines[0]).toBe(`RUN${" ".repeat(299)}STARTED    STATUS  ERROR  FENCE`);
  expect(lines[1]).toContain("x".repeat(300));
});

test("the first column by rank is there on however narrow a screen", () => {
  expect(fit([{ natural: 30, least: 10, rank: 0 }], 5)).toEqual([5]);
});

test("a cut text keeps whole characters, and takes no more columns than it may", () => {
  expect(cut("注文注文", 5)).toBe("注文…");
  expect(cut("注文注文", 6)).toBe("注文…");
  expect(cut("abc", 3)).toBe("abc");
  expect(cut("abcd", 3)).toBe("ab…");
  expect(cut("abcd", 0)).toBe("");
});
