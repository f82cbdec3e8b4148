import fc from "fast-check";
import { expect, it } from "vitest";
import { intervalSchedule } from "./schedule.js";

it("an interval first ticks one interval after the start, and a late look does not shift its ticks", () => {
  const schedule = intervalSchedule(1000, 500);
  expect(schedule.next(0)).toBe(1500);
  expect(schedule.next(500)).toBe(1500);
  expect(schedule.next(1500)).toBe(2500);
  expect(schedule.next(4321)).toBe(4500);
});

it("the next tick of an interval is the first one after the given instant, whatever the interval", () => {
  const intervals = fc.oneof(fc.integer({ min: 1, max: 1e9 }), fc.double({ min: 1, max: 1e6, noNaN: true }));
  const property = fc.property(intervals, fc.integer({ min: 0, max: 2e12 }), fc.nat(1000), (interval, start, count) => {
    const schedule = intervalSchedule(interval, start);
    let tick = start;
    for (let index = 0; index < 5; index++) {
      const next = schedule.next(tick);
      expect(next).toBeGreaterThan(tick);
      expect(next - tick).toBeLessThan(interval + 1);
      tick = next;
    }
    expect(schedule.next(start + count * interval)).toBeCloseTo(start + (count + 1) * interval, 0);
  });
  fc.assert(property);
});

it("an interval may be a text with its unit", () => {
  expect(intervalSchedule("10m", 0).next(0)).toBe(600_000);
});

it.each([0, -5, Number.NaN, Number.POSITIVE_INFINITY])("an interval of %s ms is refused", (interval) => {
  const message = `"timeInterval" must be a number of milliseconds, 1 or more, not ${interval}.`;
  expect(() => intervalSchedule(interval, 0)).toThrow(expect.objectContaining({ setting: "timeInterval", message }));
});
