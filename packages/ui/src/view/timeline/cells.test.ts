import type { RunStatus } from "@ojm/core";
import type { RollupCell } from "@ojm/core/internal";
import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import { barsOf } from "./bars.js";
import { drawnCells } from "./drawn.js";

const HOUR = 3_600_000;

interface Run {
  readonly start: number;
  readonly end: number;
  readonly status: RunStatus;
}

/** Runs that follow one another; the last one may be running. */
const histories = array(
  record({
    gap: integer({ min: 0, max: 2 * HOUR }),
    length: integer({ min: 0, max: 3 * HOUR }),
    status: constantFrom<RunStatus>("completed", "failed", "skipped"),
  }),
  { minLength: 1, maxLength: 60 },
).map((all) => {
  let at = 0;
  return all.map(({ gap, length, status }): Run => {
    const start = at + gap;
    at = start + length;
    return { start, end: at, status };
  });
});

function cellsOf(runs: readonly Run[]): RollupCell[] {
  const places = [...new Set(runs.map(({ start }) => Math.floor(start / HOUR)))];
  return places.map((place) => {
    const own = runs.filter(({ start }) => Math.floor(start / HOUR) === place);
    const counts: Partial<Record<RunStatus, number>> = {};
    for (const { status } of own) counts[status] = (counts[status] ?? 0) + 1;
    const took = own.map(({ start, end, status }) => (status === "running" ? 0 : end - start));
    const busy = took.reduce((sum, ms) => sum + ms, 0);
    return { at: place * HOUR, runs: counts, busy, longest: Math.max(...took) };
  });
}

test("cells are drawn without a run lost, in order, within the range, and the run in progress has its id", () => {
  const pixels = integer({ min: 1, max: 3 * HOUR });
  const shares = integer({ min: 0, max: 100 });
  void assert(
    property(histories, pixels, shares, shares, (all, pixel, a, b) => {
      const last = all.at(-1);
      const now = last?.end ?? 0;
      const goesOn = a % 2 === 0 && last !== undefined;
      const runs = goesOn ? [...all.slice(0, -1), { ...last, status: "running" as const }] : all;
      const from = Math.floor((now * Math.min(a, b)) / 100);
      const to = Math.floor((now * Math.max(a, b)) / 100) + 1;
      const counted = runs.filter(
        ({ start }) => start >= Math.floor(from / HOUR) * HOUR && start < Math.ceil(to / HOUR) * HOUR,
      );
      const isAlone = goesOn && last.start < from;
      const shown = isAlone ? counted.filter(({ status }) => status === "running") : counted;
      const going = goesOn ? { id: "it", startTime: last.start } : undefined;
      const bars = barsOf(drawnCells(cellsOf(counted), going, { from, to, now, size: HOUR }), pixel);
      expect(bars.reduce((sum, [, , , count]) => sum + count, 0)).toBe(shown.length);
      for (const [i, [start, end, , , id]] of bars.entries()) {
        expect(end).toBeGreaterThanOrEqual(start);
        expect(start).toBeGreaterThanOrEqual(bars[i - 1]?.[1] ?? 0);
        if (!isAlone) expect(start).toBeGreaterThanOrEqual(from);
        if (id === undefined && !goesOn) expect(end).toBeLessThanOrEqual(Math.max(start, to));
      }
      for (const each of ["completed", "failed", "skipped", "running"] as const) {
        const numbers = bars.map(([, , status, count, more]) =>
          typeof more === "object" ? (more[each] ?? 0) : status === each ? count : 0,
        );
        expect(numbers.reduce((a, b) => a + b, 0)).toBe(shown.filter(({ status }) => status === each).length);
      }
    }),
  );
});

test("runs with a status that only a later version knows are drawn, and are never the worst ones", () => {
  const range = { from: 0, to: 2 * HOUR, now: 2 * HOUR, size: HOUR };
  const cell = (at: number, runs: object): RollupCell => ({
    at,
    runs: runs as RollupCell["runs"],
    busy: 10,
    longest: 5,
  });
  const alone = drawnCells([cell(0, { partial: 2 })], undefined, range);
  expect(alone).toMatchObject([{ count: 2, status: "partial" }]);
  const mixed = drawnCells([cell(0, { partial: 2, failed: 1 })], undefined, range);
  expect(mixed).toMatchObject([{ count: 3, status: "failed", counts: { failed: 1, partial: 2 } }]);
  const [bar] = barsOf([...alone, { start: 1, end: 2, status: "completed" }], 10 * HOUR);
  expect(bar).toMatchObject([0, expect.any(Number), "completed", 3, { partial: 2, completed: 1 }]);
});

test("a run longer than its cell is drawn to where it certainly went on", () => {
  const cell = { at: 0, runs: { completed: 1 }, busy: 5 * HOUR, longest: 5 * HOUR };
  const range = { from: 0, to: 9 * HOUR, now: 9 * HOUR, size: HOUR };
  expect(drawnCells([cell], undefined, range)).toEqual([{ count: 1, start: 0, end: 5 * HOUR, status: "completed" }]);
});
