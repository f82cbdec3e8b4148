import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import type { Status } from "../../contract/common.js";
import { barsOf, type Drawn } from "./bars.js";

const run = (start: number, end: number, status: Status = "completed"): Drawn => ({
  id: `a@${start}`,
  start,
  end,
  status,
});

test("runs that are a pixel apart or more are bars of their own, with their ids", () => {
  expect(barsOf([run(0, 10), run(20, 30, "failed")], 10)).toEqual([
    [0, 10, "completed", 1, "a@0"],
    [20, 30, "failed", 1, "a@20"],
  ]);
});

test("crowded runs are one bar, with their number and the worst status", () => {
  expect(barsOf([run(0, 1), run(2, 3, "failed"), run(4, 5)], 10)).toEqual([[0, 5, "failed", 3]]);
});

test("several runs of which only their number is known count as so many", () => {
  expect(barsOf([{ start: 0, end: 5, status: "failed", count: 7 }], 10)).toEqual([[0, 5, "failed", 7]]);
  expect(barsOf([run(0, 1), { start: 2, end: 5, status: "failed", count: 7 }], 10)).toEqual([[0, 5, "failed", 8]]);
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
      expect(bars.some(([, , status]) => status === "failed")).toBe(drawn.some(({ status }) => status === "failed"));
    }),
  );
});
