import { hostname } from "node:os";
import { processIdentity } from "@ojm/core/internal";
import { beforeEach, describe, expect, it } from "vitest";
import { collect } from "../../../core/src/testing/settle.js";
import type { ScheduleDefinition } from "../definition/types.js";
import { CHANNEL, scheduleKey } from "../store/schema.js";
import { type SchedulerOf, World } from "../testing/world.js";
import { type SchedulerView, type ScheduleView, schedulersIn, schedulesIn } from "./overview.js";

const MINUTE = 60_000;
const at = (time: string): number => Date.parse(`2030-01-01T${time}Z`);

let world: World;
let one: SchedulerOf;
beforeEach(async () => {
  world = new World("2030-01-01T00:00:30Z");
  one = await world.scheduler("one");
});

const add = (definition: ScheduleDefinition, takes = 0): Promise<unknown> =>
  world.clock.until(one.scheduler.add("a", definition, one.body(takes)));

/** The schedules, as read by a process without a scheduler. */
async function views(): Promise<ScheduleView[]> {
  const { manager } = await world.manager();
  return world.clock.until(collect(schedulesIn(manager)));
}

async function view(): Promise<ScheduleView> {
  const [found] = await views();
  return found ?? expect.fail("no schedule");
}

describe("the schedules of a store", () => {
  it("list what was decided, oldest first, and nothing overdue while a process decides", async () => {
    await add({ every: MINUTE });
    await world.until("00:03:10");
    const { name, decided, ticks, next, overdue } = await view();
    expect([name, decided]).toEqual(["a", at("00:03:00")]);
    const some = await world.clock.until(collect(ticks(at("00:01:00"))));
    expect(some.map((tick) => [tick.outcome, tick.at])).toEqual([
      ["run", at("00:02:00")],
      ["run", at("00:03:00")],
    ]);
    expect(next(decided)).toBe(at("00:04:00"));
    expect(overdue(world.clock.now(), 0)).toBeUndefined();
    await world.close();
  });

  it("list the ticks that no process has decided, and count them", async () => {
    await add({ every: MINUTE });
    await world.clock.until(one.scheduler.close());
    await world.until("00:05:10");
    const { overdue } = await view();
    expect(overdue(at("00:05:10"), 0)).toEqual({ at: at("00:01:00"), until: at("00:05:00"), count: 5 });
    expect(overdue(at("00:04:10"), at("00:03:00"))).toEqual({ at: at("00:04:00"), until: at("00:04:00"), count: 1 });
    expect(overdue(at("00:00:50"), 0)).toBeUndefined();
  });

  it("have as overdue the tick at which a blackout ends, and leave out those of the next one that adjoins", async () => {
    const blackout = [
      { from: at("00:00:30"), to: at("00:02:00") },
      { from: at("00:02:00"), to: at("00:04:00") },
    ];
    await add({ every: MINUTE, blackout });
    await world.clock.until(one.scheduler.close());
    await world.until("00:06:10");
    const { overdue } = await view();
    expect(overdue(at("00:06:10"), 0)).toEqual({ at: at("00:04:00"), until: at("00:06:00"), count: 3 });
    expect(overdue(at("00:03:10"), 0)).toBeUndefined();
  });

  it("leave out ticks of a blackout, of a pause, and those whose jitter is not over", async () => {
    await add({ every: MINUTE, blackout: [{ from: "2030-01-01T00:00:00Z", to: "2030-01-01T00:03:00Z" }] });
    const pause = { reason: "r", author: "a", until: "2030-01-01T00:05:00Z" };
    await world.clock.until(one.scheduler.pause("a", pause));
    await world.clock.until(one.scheduler.close());
    await world.until("00:10:00");
    const { overdue } = await view();
    expect(overdue(at("00:04:50"), 0)).toBeUndefined();
    expect(overdue(at("00:07:10"), 0)).toMatchObject({ at: at("00:05:00"), count: 3 });
  });

  it("of a pause without an end, nothing is overdue", async () => {
    await add({ every: MINUTE });
    await world.clock.until(one.scheduler.pause("a", { reason: "r", author: "a" }));
    await world.clock.until(one.scheduler.close());
    await world.until("01:00:00");
    expect((await view()).overdue(world.clock.now(), 0)).toBeUndefined();
  });

  it("a tick that waits for its run is not decided", async () => {
    await add({ every: MINUTE, overlap: "queue" }, 10 * MINUTE);
    await world.until("00:03:10");
    const { decided, overdue } = await view();
    expect(decided).toBe(at("00:02:00") - 1);
    expect(overdue(world.clock.now(), decided)).toBeUndefined();
    await world.close();
  });

  it("one that this version cannot read has no ticks, and hides no other", async () => {
    await add({ every: MINUTE });
    await world.clock.until(one.scheduler.add("b", { every: MINUTE }, one.body()));
    await world.clock.until(one.scheduler.close());
    const channel = await one.manager.channel<unknown>(CHANNEL);
    const stored = (await world.clock.until(channel.get(scheduleKey("a")))) as object;
    await world.clock.until(channel.set(scheduleKey("a"), { ...stored, definition: { cron: "never" } }));
    await world.until("00:05:10");
    const all = await views();
    expect(all.map(({ name, next, overdue }) => [name, next(0), overdue(world.clock.now(), 0)?.count])).toEqual([
      ["a", undefined, undefined],
      ["b", MINUTE, 5],
    ]);
  });
});

it("a pause until the year 9999 breaks no reader of its schedule", async () => {
  await add({ cron: "* * * * *", jitter: 1_000 });
  await world.clock.until(one.scheduler.pause("a", { reason: "r", author: "a", until: "9999-12-31T00:00:00Z" }));
  const { nextRun, upcoming, next } = await view();
  expect(upcoming(world.clock.now())).toMatchObject({ at: at("00:01:00"), skipped: "paused" });
  expect(nextRun(world.clock.now())).toBeUndefined();
  expect(next(Date.parse("9999-12-31T00:00:00Z"))).toBeUndefined();
  const [summary] = await world.clock.until(collect(one.scheduler.schedules()));
  expect([summary?.name, summary?.nextRun]).toEqual(["a", undefined]);
  const last = (await world.clock.until(one.scheduler.why("a"))).at(-1);
  expect(last).toMatchObject({ code: "next", text: expect.stringMatching(/skipped: the schedule is paused$/) });
  await world.close();
});

describe("the schedulers of a store", () => {
  /** The schedulers, as read by a process without one. */
  async function schedulers(): Promise<SchedulerView[]> {
    const { manager } = await world.manager();
    return world.clock.until(collect(schedulersIn(manager)));
  }

  it("list their process, and which definition they have of each schedule", async () => {
    const two = await world.scheduler("two");
    await add({ every: MINUTE });
    await world.clock.until(two.scheduler.add("a", { every: 2 * MINUTE }, two.body()));
    await world.until("00:02:10");
    const [{ hash } = expect.fail("no schedule")] = await views();
    const all = await schedulers();
    expect(all.map(({ by, schedules }) => [by.instance, by.pid, schedules.get("a") === hash])).toEqual([
      ["one", process.pid, false],
      ["two", process.pid, true],
    ]);
    await world.close();
  });

  it("leave out one that was closed or died, and entries that no scheduler wrote", async () => {
    const two = await world.scheduler("two");
    await add({ every: MINUTE });
    await world.clock.until(two.scheduler.add("b", { every: MINUTE }, two.body()));
    const channel = await one.manager.channel<unknown>(CHANNEL);
    await world.clock.until(channel.set(["member", "x"], { by: "nobody", parts: 1 }));
    await world.until("00:01:10");
    expect((await schedulers()).map(({ by }) => by.instance)).toEqual(["one", "two"]);
    await world.clock.until(two.scheduler.close());
    expect((await schedulers()).map(({ by }) => by.instance)).toEqual(["one"]);
    const by = { host: hostname(), pid: process.pid, instance: "y" };
    const gone = { ...processIdentity(), started: "1" };
    await world.clock.until(channel.set(["member", "y"], { by, parts: 0, process: gone }, { ttl: 15_000 }));
    expect((await schedulers()).map(({ by }) => by.instance)).toEqual(["one"]);
    world.kill(one);
    await world.until("00:02:00");
    expect(await schedulers()).toEqual([]);
  });

  it("a pause is listed with its schedule", async () => {
    await add({ every: MINUTE });
    expect((await view()).paused).toBeUndefined();
    await world.clock.until(one.scheduler.pause("a", { reason: "holidays", author: "ana" }));
    expect((await view()).paused).toMatchObject({ reason: "holidays", by: "ana" });
    await world.close();
  });
});
