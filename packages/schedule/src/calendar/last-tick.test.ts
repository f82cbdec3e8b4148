import { openJobManager } from "@ojm/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cronSchedule } from "./cron.js";
import { lastTickOf, onceForTick } from "./last-tick.js";

const HOUR = 3_600_000;
const at = (iso: string): number => Date.parse(iso);

test.each([
  ["0 2 * * *", undefined, "2026-11-25T02:00:00.000Z", "2026-11-25T02:00:00.000Z"],
  ["0 2 * * *", undefined, "2026-11-25T01:59:59.999Z", "2026-11-24T02:00:00.000Z"],
  ["0 2 * * *", undefined, "2026-11-25T14:00:00.000Z", "2026-11-25T02:00:00.000Z"],
  ["0 2 * * *", "America/New_York", "2026-11-25T14:00:00.000Z", "2026-11-25T07:00:00.000Z"],
  ["*/5 * * * *", undefined, "2026-11-25T14:04:59.999Z", "2026-11-25T14:00:00.000Z"],
  ["0 0 29 2 *", undefined, "2026-11-25T14:00:00.000Z", "2024-02-29T00:00:00.000Z"],
])("%s (%s) at %s is for the tick of %s", (cron, zone, now, tick) => {
  expect(onceForTick(cron, zone, at(now)).key).toBe(`tick ${tick}`);
});

test("a start counts until an interval and an hour after the next tick", () => {
  const now = at("2026-11-25T02:00:03Z");
  expect(now + onceForTick("0 2 * * *", "UTC", now).keep).toBe(at("2026-11-27T03:00:00Z"));
  expect(now + onceForTick("* * * * *", "UTC", now).keep).toBe(at("2026-11-25T03:02:00Z"));
});

test("a run takes what onceForTick returns as its option, and runs once for a tick", async () => {
  await using manager = await openJobManager();
  const options = { once: onceForTick("0 2 * * *", "Europe/Lisbon") };
  await manager.run("nightly-dump", () => {}, options);
  await expect(manager.run("nightly-dump", () => {}, options)).rejects.toMatchObject({ code: "STARTED" });
});

test("the tick is the last one for which no other is between it and the start", () => {
  const crons = fc.constantFrom("30 1 * * *", "*/17 2-4 * * *", "0 9 * * MON", "0 0 1 */3 *");
  const zones = fc.constantFrom("Europe/Lisbon", "America/New_York", "UTC");
  const property = fc.property(crons, zones, fc.nat(400 * 24 * HOUR), (cron, zone, span) => {
    const now = at("2026-01-01T00:00Z") + span;
    const { at: tick } = lastTickOf(cron, zone, now);
    const { next } = cronSchedule(cron, zone);
    expect(tick).toBeLessThanOrEqual(now);
    expect(next(tick - 1)).toBe(tick);
    expect(next(tick)).toBeGreaterThan(now);
  });
  fc.assert(property, { numRuns: 60 });
});

test.each([["0 2 * *"], ["61 * * * *"]])("a wrong expression is refused: %s", (cron) => {
  expect(() => onceForTick(cron)).toThrow(/cron|field/);
});
