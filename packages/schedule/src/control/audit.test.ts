import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect } from "../../../core/src/testing/settle.js";
import { type SchedulerOf, World } from "../testing/world.js";

const MINUTE = 60_000;

let world: World;
let one: SchedulerOf;
let two: SchedulerOf;

beforeEach(async () => {
  world = new World();
  one = await world.scheduler("one");
  two = await world.scheduler("two");
  await world.clock.until(one.scheduler.add("a", { every: MINUTE, missed: "none" }, one.body(10_000)));
  await world.until("00:00:30");
});

afterEach(() => world.close());

const audit = (): Promise<object[]> => world.clock.until(collect(two.manager.audit({ name: "a" })));

describe("the audit", () => {
  it("records who paused, resumed and ran a schedule, and why, newest first", async () => {
    await world.clock.until(two.scheduler.pause("a", { reason: "holidays", author: "ana@b", until: "2030-01-02" }));
    await world.clock.advance(1_000);
    await world.clock.until(two.scheduler.runNow("a", { reason: "one of them", author: "bo@b" }));
    await world.clock.advance(1_000);
    await world.clock.until(two.scheduler.resume("a", { author: "cy@b" }));
    await world.clock.advance(1_000);
    await world.clock.until(
      two.scheduler.backfill("a", { from: "2029-12-31T23:50Z", reason: "a gap", author: "di@b" }),
    );
    await world.clock.advance(1_000);
    await world.clock.until(two.scheduler.remove("a", { reason: "renamed", author: "ed@b" }));
    expect(await audit()).toMatchObject([
      { action: "remove", name: "a", reason: "renamed", author: "ed@b" },
      { action: "backfill", author: "di@b", reason: "a gap", details: { ticks: expect.any(Number) } },
      { action: "resume", author: "cy@b" },
      { action: "run-now", author: "bo@b", reason: "one of them" },
      {
        action: "pause",
        author: "ana@b",
        reason: "holidays",
        by: { pid: process.pid },
        details: { until: Date.UTC(2030, 0, 2) },
      },
    ]);
  });

  it("does not record the resume of a schedule that was not paused", async () => {
    await world.clock.until(two.scheduler.resume("a", { author: "ana@b" }));
    expect(await audit()).toEqual([]);
  });
});

describe("a backfill", () => {
  const ask = (): Promise<unknown> =>
    world.clock.until(
      two.scheduler.backfill("a", {
        from: "2029-12-31T23:50Z",
        to: "2029-12-31T23:55Z",
        reason: "a gap",
        author: "ana@b",
      }),
    );
  const progress = (): Promise<object[]> => world.clock.until(collect(two.scheduler.backfills("a")));

  it("reports its progress, and nothing once it is done", async () => {
    expect(await progress()).toEqual([]);
    await ask();
    await world.clock.advance(15_000);
    const [run] = await world.records(one);
    expect(await progress()).toMatchObject([
      {
        schedule: "a",
        by: "ana@b",
        reason: "a gap",
        ticks: 5,
        remaining: 3,
        again: false,
        from: Date.UTC(2029, 11, 31, 23, 50),
      },
    ]);
    expect(run).toMatchObject({ trigger: "backfill by ana@b: a gap" });
    await world.clock.advance(3 * MINUTE);
    expect(await progress()).toEqual([]);
    expect(await world.records(one)).not.toHaveLength(0);
  });

  it("counts the ticks that are to run, and not those that were run before", async () => {
    const part = { from: "2029-12-31T23:51Z", to: "2029-12-31T23:53Z", reason: "a part" };
    await world.clock.until(two.scheduler.backfill("a", part));
    await world.clock.advance(3 * MINUTE);
    expect(await progress()).toEqual([]);
    await ask();
    const seen: object[] = [];
    for (let i = 0; i < 60; i++) {
      seen.push(...(await progress()));
      await world.clock.advance(1_000);
    }
    expect(seen[0]).toMatchObject({ ticks: 3, remaining: 2 });
    expect(seen.at(-1)).toMatchObject({ ticks: 3, remaining: 0 });
  });

  it("is stopped from another process: the run in progress ends, and no further one begins", async () => {
    await ask();
    await world.clock.advance(15_000);
    const before = one.ran.length;
    const stopped = await world.clock.until(two.scheduler.stopBackfills("a", { reason: "wrong days", author: "bo@b" }));
    expect(stopped).toMatchObject([{ ticks: 5, remaining: 3, run: expect.stringMatching(/^a@/) }]);
    expect(await progress()).toEqual([]);
    await world.until("00:00:59");
    expect(one.ran).toHaveLength(before);
    const records = await world.records(one);
    expect(records.map(({ status }) => status)).toEqual(records.map(() => "completed"));
    const [last] = await audit();
    expect(last).toMatchObject({ action: "stop-backfill", author: "bo@b", details: { ticks: 5, remaining: 3 } });
    expect(await world.clock.until(two.scheduler.stopBackfills("a", { reason: "again" }))).toEqual([]);
  });
});
