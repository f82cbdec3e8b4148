import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronSchedule } from "./cron.js";
import { countTicks, intervalSchedule, lastTick, newestTicks, type Schedule } from "./schedule.js";

const DAY = 86_400_000;
const START = Date.parse("2026-03-20T00:00Z");

/** All ticks after `after` and up to `to`, one by one. */
function walked(schedule: Schedule, after: number, to: number): number[] {
  const ticks: number[] = [];
  for (let at = schedule.next(after); at <= to; at = schedule.next(at)) ticks.push(at);
  return ticks;
}

const schedules = fc.constantFrom(
  cronSchedule("30 1 * * *", "Europe/Lisbon"),
  cronSchedule("*/17 2-4 * * *", "America/New_York"),
  cronSchedule("0 9 * * MON"),
  intervalSchedule(3_700_000, 0),
);

describe("the search for ticks", () => {
  it("finds the last tick, the newest ticks and their number as a walk does", () => {
    const property = fc.property(schedules, fc.nat(20 * DAY), fc.nat(20 * DAY), (schedule, from, length) => {
      const all = walked(schedule, START + from, START + from + length);
      const [first] = all;
      if (first === undefined) return;
      const last = lastTick(schedule, first, START + from + length);
      expect(last).toBe(all.at(-1));
      expect(newestTicks(schedule, first, last, 5)).toEqual(all.slice(-5));
      expect(countTicks(schedule, first, last, 1_000)).toBe(all.length - 1);
    });
    fc.assert(property);
  });

  it("finds the newest of the ticks of years without a walk", () => {
    const each = cronSchedule("* * * * * *");
    const first = each.next(START);
    const last = lastTick(each, first, START + 20 * 365 * DAY);
    expect(newestTicks(each, first, last, 3)).toEqual([last - 2_000, last - 1_000, last]);
    expect(countTicks(each, first, last, 100)).toBe(100);
  });
});
