import { expect, it } from "vitest";
import { CYCLE, cycleDefinition, nextCycle, spreadDefinition, TICKING_SECONDS, ticksOfCycle } from "../definitions.js";
import { grown, latenessOf, onceOf, perSecond, perTick, type RanTick } from "./counts.js";

it("the lateness of ticks is the time from the tick to the begin of its body", () => {
  const ran = Array.from({ length: 200 }, (_, i): RanTick => ["job", 1_000 * i, 1_000 * i + i]);
  expect(latenessOf(ran)).toEqual({ ticks: 200, p50: 99, p99: 197, most: 199 });
});

it("a tick that ran in two processes counts as run twice, and one that ran nowhere as missing", () => {
  const ran: RanTick[] = [
    ["a", 1, 1],
    ["a", 2, 2],
    ["b", 1, 1],
    ["a", 1, 3],
  ];
  expect(onceOf(ran, 4)).toEqual({ ran: 3, twice: 1, missing: 1 });
});

it("what a tick costs leaves out what the processes do without ticks", () => {
  const ticking = { ms: 10_000, grown: grown({ calls: 5 }, { calls: 405 }) };
  const quiet = { ms: 5_000, grown: { calls: 50 } };
  expect(perTick(ticking, quiet, 100)).toEqual({ calls: 3 });
  expect(perSecond(quiet)).toEqual({ calls: 10 });
});

it("the schedules of a crowd tick once a minute, each in the first seconds of its cycle", () => {
  const seconds = Array.from({ length: 1_000 }, (_, i) => Number.parseInt(cycleDefinition(i).cron ?? "", 10));
  for (const second of seconds) expect((second * 1_000) % CYCLE).toBeLessThan(TICKING_SECONDS * 1_000);
  const cycles = [0, 1, 2, 3].map((cycle) => {
    const begin = cycle * CYCLE;
    const ticks = seconds.filter((second) => second * 1_000 >= begin && second * 1_000 < begin + CYCLE).length;
    expect(ticksOfCycle(1_000, begin)).toBe(ticks);
    return ticks;
  });
  expect(cycles).toEqual([250, 250, 250, 250]);
  expect(ticksOfCycle(2, 3 * CYCLE)).toBe(0);
  expect(nextCycle(31_000, 2_000)).toBe(45_000);
});

it("half of the spread schedules have intervals of their own, and the others as many phases as fit", () => {
  const all = Array.from({ length: 10_000 }, (_, i) => spreadDefinition(i));
  expect(new Set(all.map(({ every }) => every)).size).toBe(5_001);
  expect(new Set(all.map(({ cron }) => cron)).size).toBe(241);
});
