import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect } from "../../../core/src/testing/settle.js";
import { snapshot } from "../operator/index.js";
import { type SchedulerOf, World } from "../testing/world.js";

const MINUTE = 60_000;
const REASON = { reason: "the database moves", author: "ana@b" };

let world: World;
let one: SchedulerOf;
let two: SchedulerOf;

beforeEach(async () => {
  world = new World();
  one = await world.scheduler("one");
  two = await world.scheduler("two");
});

afterEach(() => world.close());

const begin = (options: object = {}): Promise<unknown> =>
  world.clock.until(two.manager.startMaintenance({ ...REASON, ...options }));
const end = (): Promise<unknown> => world.clock.until(two.manager.endMaintenance({ author: "bo@b" }));

describe("during a maintenance, no tick is run; at its end", () => {
  it.each([
    ["latest", ["00:10:00 missed not-latest", "00:15:00 run by one"]],
    ["none", ["00:10:00 missed policy", "00:15:00 missed policy"]],
    ["all", ["00:10:00 run by one", "00:15:00 run by one"]],
  ] as const)("the rule `missed: %s` decides its ticks", async (missed, late) => {
    await world.clock.until(one.scheduler.add("a", { every: 5 * MINUTE, missed }, one.body()));
    await world.until("00:06:00");
    await begin();
    await world.until("00:17:30");
    expect(await world.ticks(one)).toEqual(["00:05:00 run by one"]);
    await end();
    await world.until("00:18:00");
    expect(await world.ticks(one)).toEqual(["00:05:00 run by one", ...late]);
    await world.until("00:21:00");
    expect(one.ran.at(-1)).toBe("00:20:00");
  });

  it("by its own end, too, and another process starts nothing either", async () => {
    for (const who of [one, two])
      await world.clock.until(who.scheduler.add("a", { every: MINUTE, missed: "none" }, who.body()));
    await begin({ until: world.clock.now() + 150_000 });
    await world.until("00:02:20");
    expect(world.ran).toEqual([]);
    await world.until("00:03:10");
    // The tick of 00:02 is not late at its end.
    expect(world.ran.length).toBe(2);
    expect(await world.clock.until(two.manager.maintenance())).toEqual([]);
  });

  it("a pause from before still holds, and a schedule that was added meanwhile begins", async () => {
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.clock.until(one.scheduler.pause("a", { reason: "holidays" }));
    await begin();
    await world.clock.until(two.scheduler.add("b", { every: MINUTE }, two.body()));
    await world.until("00:02:30");
    expect(world.ran).toEqual([]);
    await end();
    await world.until("00:03:30");
    expect([one.ran, two.ran.at(-1)]).toEqual([[], "00:03:00"]);
  });

  it("ticks that waited for their run still wait", async () => {
    await world.clock.until(one.scheduler.add("a", { every: MINUTE, overlap: "queue" }, one.body(90_000)));
    await world.until("00:02:10");
    await begin();
    await world.until("00:05:00");
    expect(one.ran).toEqual(["00:01:00"]);
    expect(await world.ticks(one)).toEqual(["00:01:00 run by one", "00:02:00 waiting"]);
    await end();
    await world.clock.advance(1_000);
    expect(one.ran.length).toBe(2);
  });
});

it("a maintenance of a pattern leaves other names alone; a backfill waits, and a person can run a job", async () => {
  for (const name of ["billing/a", "crm"])
    await world.clock.until(one.scheduler.add(name, { every: MINUTE, missed: "none" }, one.body()));
  await world.until("00:00:30");
  await begin({ names: "billing/*" });
  await world.until("00:01:30");
  expect((await world.records(one, "billing/a")).length).toBe(0);
  expect((await world.records(one, "crm")).length).toBe(1);
  await world.clock.until(two.scheduler.runNow("billing/a", { reason: "a test" }));
  await world.clock.until(
    two.scheduler.backfill("billing/a", { from: "2029-12-31T23:55Z", to: "2029-12-31T23:58Z", reason: "a gap" }),
  );
  await world.clock.advance(10_000);
  const triggers = async (): Promise<string[]> =>
    (await world.records(one, "billing/a")).map(({ trigger }) => trigger.split(" ")[0] ?? "");
  expect(await triggers()).toEqual(["run"]);
  await end();
  await world.until("00:01:55");
  expect(await triggers()).toEqual(["run", "schedule", "backfill", "backfill", "backfill"]);
});

it("it is shown: by why, next, the overview and the audit, and its ticks are not overdue", async () => {
  await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
  const until = Date.UTC(2030, 0, 1, 0, 10, 30);
  await begin({ until });
  await world.until("00:08:30");
  const why = await world.clock.until(two.scheduler.why("a"));
  expect(why.map(({ code }) => code)).toEqual(["maintenance-window", "never", "next"]);
  expect(why[0]?.text).toBe("maintenance by ana@b until 2030-01-01T00:10:30.000Z: the database moves");
  expect(why[2]?.text).toContain("The next one that runs is at 2030-01-01T00:11:00.000Z");
  expect(await world.clock.until(two.scheduler.next("a"))).toMatchObject([{ skipped: "maintenance" }]);
  const all = await world.clock.until(collect(two.scheduler.schedules()));
  expect(all).toMatchObject([{ name: "a", nextRun: { at: Date.UTC(2030, 0, 1, 0, 11) } }]);
  const state = await world.clock.until(snapshot(two.manager));
  expect(state.maintenance).toMatchObject([{ names: "*", by: "ana@b", until }]);
  expect(state.problems.filter(({ kind }) => kind === "overdue")).toEqual([]);
  expect(await begin({ names: "*", reason: "longer" })).toMatchObject({ reason: "the database moves" });
  await world.clock.advance(1_000);
  await end();
  expect(await world.clock.until(collect(two.manager.audit({ name: "*" })))).toMatchObject([
    { action: "end-maintenance", author: "bo@b" },
    { action: "maintenance", author: "ana@b", reason: "longer" },
    { action: "maintenance", author: "ana@b", reason: "the database moves", details: { until } },
  ]);
});

it("a wrong request is rejected", async () => {
  await expect(world.clock.until(one.manager.startMaintenance({ reason: "" }))).rejects.toThrow(/needs a reason/);
  await expect(begin({ until: 5 })).rejects.toThrow(/must be a time in the future/);
  await expect(begin({ name: "a" })).rejects.toThrow(/name/);
});
