import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import type { Bar, Status } from "../../contract/types.js";
import { barsOf, type Drawn } from "./bars.js";

const run = (start: number, end: number, status: Status = "completed"): Drawn => ({
  id: `a@${start}`,
  start,
  end,
  status,
});

/** How many runs of a bar have a status. */
const numberOf = ([, , status, count, more]: Bar, of: Status): number =>
  typeof more === "object" ? (more[of] ?? 0) : status === of ? count : 0;

test("runs that are a pixel apart or more are bars of their own, with their ids", () => {
  expect(barsOf([run(0, 10), run(20, 30, "failed")], 10)).toEqual([
    [0, 10, "completed", 1, "a@0"],
    [20, 30, "failed", 1, "a@20"],
  ]);
});

test("crowded runs are one bar, with their number, the worst status, and how many of each", () => {
  expect(barsOf([run(0, 1), run(2, 3, "failed"), run(4, 5)], 10)).toEqual([
    [0, 5, "failed", 3, { completed: 2, failed: 1 }],
  ]);
  expect(barsOf([run(0, 1), run(2, 3)], 10)).toEqual([[0, 3, "completed", 2]]);
});

test("several runs of which only their number is known count as so many", () => {
  expect(barsOf([{ start: 0, end: 5, status: "failed", count: 7 }], 10)).toEqual([[0, 5, "failed", 7]]);
  const counts = { failed: 2, completed: 5 };
  expect(barsOf([run(0, 1), { start: 2, end: 5, status: "failed", count: 7, counts }], 10)).toEqual([
    [0, 5, "failed", 8, { failed: 2, completed: 6 }],
  ]);
});

test("long runs that ended otherwise stay apart, however close they are", () => {
  expect(barsOf([run(0, 100), run(101, 200, "failed")], 10).length).toBe(2);
  expect(barsOf([run(0, 100), run(101, 200)], 10)).toEqual([[0, 200, "completed", 2]]);
});

test("no run is lost, no bar is before another, and there are no more bars than pixels and long runs", () => {
  const runs = array(
    record({
      gap: integer({ min: 0, max: 50 }),
      length: integer({ min: 0, max: 50 }),
      status: constantFrom<Status>("completed", "failed"),
    }),
    { maxLength: 200 },
  );
  void assert(
    property(runs, integer({ min: 1, max: 100 }), (all, pixel) => {
      let at = 0;
      const drawn = all.map(({ gap, length, status }) => {
        const start = at + gap;
        at = start + length;
        return run(start, at, status);
      });
      const bars = barsOf(drawn, pixel);
      expect(bars.reduce((sum, [, , , count]) => sum + count, 0)).toBe(drawn.length);
      for (const [i, [start, end]] of bars.entries()) {
        expect(end).toBeGreaterThanOrEqual(start);
        expect(start).toBeGreaterThanOrEqual(bars[i - 1]?.[1] ?? 0);
      }
      const long = drawn.filter(({ start, end }) => end - start >= pixel).length;
      expect(bars.length).toBeLessThanOrEqual(at / pixel + 1 + 2 * long);
      for (const each of ["completed", "failed"] as const) {
        const counted = bars.reduce((sum, bar) => sum + numberOf(bar, each), 0);
        expect(counted).toBe(drawn.filter(({ status }) => status === each).length);
      }
    }),
  );
});
