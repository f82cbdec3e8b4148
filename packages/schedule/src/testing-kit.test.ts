import { openTestManager } from "@ojm/core/testing";
import { expect, test } from "vitest";
import { Scheduler } from "./scheduler.js";

test("a test lets a night pass in a moment, and each run ends before time goes on", async () => {
  await using test = await openTestManager({ start: "2026-03-28T12:00:00Z" });
  await using scheduler = new Scheduler(test.manager, { clock: test.clock });
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
