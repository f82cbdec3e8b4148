import { openTestManager } from "@ojm/core/testing";
import { expect, test } from "vitest";
import { openScheduler } from "./scheduler.js";

test("a test lets a night pass in a moment, and each run ends before time continues", async () => {
  await using test = await openTestManager({ start: "2026-03-28T12:00:00Z" });
  await using scheduler = openScheduler(test.manager, { clock: test.clock });
  const ran: string[] = [];
  await scheduler.add("report", { cron: "30 1 * * *", timeZone: "Europe/Lisbon" }, async (run) => {
    ran.push(run.name);
    await new Promise((resolve) => setTimeout(resolve, 5));
    ran.push(new Date(test.clock.now()).toISOString());
  });
  await test.clock.advanceTo("2026-03-30T12:00:00Z");
  expect(ran).toEqual(["report", "2026-03-29T01:00:00.000Z", "report", "2026-03-30T00:30:00.000Z"]);
  const ticks: string[] = [];
  for await (const { at, outcome } of scheduler.ticks("report")) ticks.push(`${new Date(at).toISOString()} ${outcome}`);
  expect(ticks).toEqual(["2026-03-30T00:30:00.000Z run", "2026-03-29T01:00:00.000Z run"]);
});

test("a day of a test has a few hundred timers, and not one for each heartbeat", async () => {
  await using test = await openTestManager({ start: "2026-03-28T12:00:00Z" });
  await using scheduler = openScheduler(test.manager, { clock: test.clock });
  let ran = 0;
  await scheduler.add("report", { cron: "30 1 * * *" }, () => void ran++);
  let timers = 0;
  const after = test.clock.after.bind(test.clock);
  test.clock.after = (...timer) => {
    timers++;
    return after(...timer);
  };
  await test.clock.advance(10 * 86_400_000);
  expect(ran).toBe(10);
  // A heartbeat every 5 s alone would be 172,800.
  expect(timers / 10).toBeLessThan(400);
});

test.each([3_600_000, -7_200_000])("a wall clock that a test sets by %i ms is noticed within a minute", async (ms) => {
  await using test = await openTestManager({ start: "2026-03-28T12:20:00Z" });
  await using scheduler = openScheduler(test.manager, { clock: test.clock });
  const ran: string[] = [];
  await scheduler.add("hourly", { every: 3_600_000 }, () => void ran.push(new Date(test.clock.now()).toISOString()));
  await test.clock.advanceTo("2026-03-28T13:00:30Z");
  test.clock.jump(ms);
  await test.clock.advance(60_000);
  expect(ran).toHaveLength(ms > 0 ? 2 : 1);
  await test.clock.advance(3_600_000);
  expect(ran).toHaveLength(ms > 0 ? 3 : 2);
});
