import { hash32 } from "@ojm/core/internal";
import { describe, expect, it } from "vitest";
import { calendarOf, dueTime, hashOf } from "./calendar.js";

describe("the hash of a definition", () => {
  it("is the same whatever the order of the options, and another for another value", () => {
    const one = hashOf({ cron: "@daily", meta: { a: 1, b: [2] } });
    expect(hashOf({ meta: { b: [2], a: 1 }, cron: "@daily" })).toBe(one);
    expect(hashOf({ cron: "@daily", meta: { a: 1, b: [3] } })).not.toBe(one);
    expect(one).toMatch(/^[0-9a-f]{16}$/);
  });

  it("a number that stands for a text is spread evenly", () => {
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const bucket = hash32(`schedule-${i} process`) % 10;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(count).toBeGreaterThan(850);
  });
});

describe("the jitter of a tick", () => {
  it("is the same for the same tick, within its limit, and never past the next tick", () => {
    const definition = { every: 10_000, jitter: 60_000 };
    const schedule = calendarOf(definition);
    const delays = new Set<number>();
    let last = 0;
    for (let at = schedule.next(0), i = 0; i < 1_000; at = schedule.next(at), i++) {
      const due = dueTime("a", definition, at);
      expect(dueTime("a", { ...definition }, at)).toBe(due);
      expect(due).toBeGreaterThanOrEqual(at);
      expect(due).toBeLessThan(at + 10_000);
      expect(due).toBeGreaterThan(last);
      last = due;
      delays.add(due - at);
    }
    expect(delays.size).toBeGreaterThan(900);
    expect(dueTime("a", { every: 10_000, jitter: 50 }, 20_000)).toBeLessThan(20_050);
    expect(dueTime("a", { every: 10_000 }, 20_000)).toBe(20_000);
  });
});
