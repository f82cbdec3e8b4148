/**
 * Each minute in twelve zones, a tick each.
 * @module-tag full
 */
import { expect, it } from "vitest";
import { Year } from "./testing/year/year.js";

/*
 *   OJM_YEAR=365 npx vitest run packages/schedule/src/year.test.ts     every minute of this many days
 *   OJM_YEAR=31 OJM_YEAR_FROM=2030-03-01 npx vitest run …               from another day on
 */
const DAYS = Number(process.env["OJM_YEAR"] ?? 0);
const FROM = process.env["OJM_YEAR_FROM"] ?? "2030-01-01";

/** Clocks change then in Lisbon and Troll, in New York and St. John's, on Lord Howe and Chatham. */
const CHANGES = ["2030-03-31T00:00:00Z", "2030-11-03T05:00:00Z", "2030-04-06T14:00:00Z"];

it.each(CHANGES)("each minute in twelve zones has the outcome that its policies say: from %s", async (start) => {
  const year = new Year(start);
  expect(await year.pass(2)).toEqual([]);
  expect(year.ticks).toBeGreaterThan(12 * 100);
  const all = ["missed not-latest", "missed policy", "missed too-many", "run", "skipped overlap"];
  expect([...year.kinds]).toEqual(expect.arrayContaining(all));
  await year.close();
});

/** By default, two hours of a day without a change: `OJM_YEAR` runs whole days. */
const [ROUNDS, HOURS] = DAYS > 0 ? [DAYS, 24] : [1, 2];

it(
  `each minute of ${ROUNDS * HOURS} hours in twelve zones has the outcome that its policies say`,
  async () => {
    const year = new Year(`${FROM}T00:00:00Z`);
    const began = performance.now();
    for (let day = 1; day <= ROUNDS; day++) {
      expect(await year.pass(HOURS)).toEqual([]);
      const seconds = Math.round((performance.now() - began) / 1_000);
      if (DAYS > 0) console.log(`day ${day}: ${year.ticks} ticks in ${seconds} s`);
    }
    await year.close();
  },
  ROUNDS * 600_000,
);
