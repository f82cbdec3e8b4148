import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronSchedule } from "./cron.js";
import { samples } from "./testing/samples.js";
import { changes, type Sample, ticks, type Walk, walk } from "./testing/walk.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Zones, and days (in UTC) around which their clocks were or will be changed. */
const CHANGES: readonly (readonly [zone: string, ...days: string[]])[] = [
  ["Europe/Lisbon", "2026-03-29", "2026-10-25"],
  ["Europe/Dublin", "2026-03-29", "2026-10-25"],
  ["America/New_York", "2026-03-08", "2026-11-01"],
  ["Australia/Lord_Howe", "2026-04-05", "2026-10-04"],
  ["America/Sao_Paulo", "2018-11-04", "2019-02-17"],
  ["America/Santiago", "2026-04-05", "2026-09-06"],
  ["America/Nuuk", "2024-03-31", "2024-10-27"],
  ["Asia/Kathmandu", "1986-01-01"],
  ["Asia/Pyongyang", "2015-08-15", "2018-05-05"],
  ["Asia/Tehran", "2022-03-22", "2022-09-22"],
  ["Africa/Casablanca", "2026-02-15", "2026-03-22"],
  ["Africa/Cairo", "2026-04-24", "2026-10-30"],
  ["Antarctica/Troll", "2026-03-29", "2026-10-25"],
  ["Pacific/Apia", "2011-12-30"],
  ["Pacific/Kwajalein", "1993-08-21"],
];

/**
 * Instants from which to search: near the change of clocks, and before and after. Everything before them
 * counts as already seen.
 */
function starts(stretch: Walk): fc.Arbitrary<number> {
  const [change = 0] = changes(stretch);
  const first = (stretch.instants[0] ?? 0) + 0.4 * (change - (stretch.instants[0] ?? 0));
  const anywhere = fc.integer({ min: Math.ceil(first), max: stretch.instants.at(-1) ?? 0 });
  return fc.oneof(
    anywhere,
    fc.integer({ min: change - HOUR, max: change + HOUR }),
    fc.constantFrom(change - 1, change),
  );
}

/** From the start, the next five ticks are those of the walk. */
function holds(zone: string, stretch: Walk, sample: Sample, start: number): void {
  const end = (stretch.instants.at(-1) ?? 0) + stretch.step;
  const expected = ticks(sample, stretch).filter((tick) => tick > start);
  const schedule = cronSchedule(sample.text, zone);
  let after = start;
  for (const tick of expected.slice(0, 5)) {
    after = schedule.next(after);
    expect(new Date(after).toISOString()).toBe(new Date(tick).toISOString());
  }
  if (expected.length < 5) expect(schedule.next(after)).toBeGreaterThanOrEqual(end);
}

/** The zones of `npm test`: a change by an hour, by half an hour, and a day that was skipped. */
const FIRST: readonly string[] = ["Europe/Lisbon", "Australia/Lord_Howe", "Pacific/Apia"];

for (const [zone, ...days] of CHANGES) {
  const tags = FIRST.includes(zone) ? [] : ["full"];
  describe(`clock changes in ${zone}`, { tags }, () => aroundChanges(zone, days));
}

function aroundChanges(zone: string, days: readonly string[]): void {
  it.each(days)("around %s random cron expressions tick as the clocks show minute by minute", (day) => {
    const middle = Date.parse(day);
    const stretch = walk(zone, middle - 84 * HOUR, middle + 60 * HOUR, MINUTE);
    expect(changes(stretch)).toHaveLength(1);
    const property = fc.property(samples(false), starts(stretch), (sample, start) => {
      holds(zone, stretch, sample, start);
    });
    fc.assert(property, { numRuns: 100 });
  });

  it.each(days)("around %s random cron expressions with seconds tick as the clocks show second by second", (day) => {
    const middle = Date.parse(day);
    const [change = 0] = changes(walk(zone, middle - 84 * HOUR, middle + 60 * HOUR, MINUTE));
    const stretch = walk(zone, change - 3 * HOUR, change + 3 * HOUR, SECOND);
    const property = fc.property(samples(true), starts(stretch), (sample, start) => {
      holds(zone, stretch, sample, start);
    });
    fc.assert(property, { numRuns: 20 });
  });
}
