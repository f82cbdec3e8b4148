import { describe, expect, it } from "vitest";
import type { ScheduleDefinition } from "../definition/types.js";
import type { StoredSchedule } from "../store/schema.js";
import { nextRun, nextTicks } from "./overview.js";

const NOW = Date.parse("2030-01-01T11:00:00Z");

const run = (definition: ScheduleDefinition, more: Partial<StoredSchedule> = {}, held?: string): string | undefined => {
  const of = { name: "a", definition, ...more } as StoredSchedule;
  const tick = nextRun(of, NOW, held === undefined ? {} : { held: Date.parse(held) });
  return tick && new Date(tick.at).toISOString();
};

describe("the next tick that will be run", () => {
  const noon = { cron: "30 12 * * *", timeZone: "UTC" };

  it("is behind pauses, blackouts and holds", () => {
    const pause = { reason: "x", by: "ana", at: NOW, until: Date.parse("2030-01-02T12:30:00Z") };
    const blackout = [{ from: "2030-01-02T00:00:00Z", to: "2030-01-04T00:00:00Z" }];
    expect(run(noon)).toBe("2030-01-01T12:30:00.000Z");
    expect(run(noon, { paused: pause })).toBe("2030-01-02T12:30:00.000Z");
    expect(run({ ...noon, blackout }, { paused: pause })).toBe("2030-01-04T12:30:00.000Z");
    expect(run(noon, {}, "2030-01-03T12:00:00Z")).toBe("2030-01-03T12:30:00.000Z");
    expect(run({ ...noon, overlap: "queue" }, {}, "2030-01-03T12:00:00Z")).toBe("2030-01-01T12:30:00.000Z");
  });

  it("is never, while a pause has no end or each tick lies in a blackout", () => {
    expect(run(noon, { paused: { reason: "x", by: "ana", at: NOW } })).toBeUndefined();
    const blackout = [{ cron: "0 12 * * *", timeZone: "UTC", duration: 7_200_000 }];
    expect(run({ ...noon, blackout })).toBeUndefined();
  });

  it("is never, if a pause, a hold or a blackout ends after the last year of cron expressions", () => {
    const end = "9999-12-31T00:00:00Z";
    expect(run(noon, { paused: { reason: "x", by: "ana", at: NOW, until: Date.parse(end) } })).toBeUndefined();
    expect(run(noon, {}, end)).toBeUndefined();
    expect(run({ ...noon, jitter: 60_000, blackout: [{ from: "2030-01-01T00:00:00Z", to: end }] })).toBeUndefined();
    expect(run({ every: 3_600_000 }, {}, end)).toBe("9999-12-31T00:00:00.000Z");
  });
});

it("the next ticks of a cron expression end with the year 2999", () => {
  const of = { name: "a", definition: { cron: "0 0 1 1 *", jitter: 60_000 } } as unknown as StoredSchedule;
  const ticks = nextTicks(of, NOW, 10_000, {});
  expect(ticks).toHaveLength(2999 - 2030);
  expect(ticks.at(-1)?.at).toBe(Date.parse("2999-01-01T00:00:00Z"));
});
