import type { Channel, Key } from "@ojm/core";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../../../core/src/testing/settle.js";
import { schedulersIn, schedulesIn } from "../control/overview.js";
import { scheduleDamage } from "../control/ticks.js";
import { openScheduler } from "../scheduler.js";
import { type SchedulerOf, World } from "../testing/world.js";
import { CHANNEL, cursorKey, memberKey, memberPartKey, requestKey, scheduleKey, tickKey, unrunKey } from "./schema.js";

/* Entries with fields and values that only a later version of ojm knows. */

const MINUTE = 60_000;
const at = (time: string): number => Date.parse(`2030-01-01T${time}Z`);

let world: World;
let one: SchedulerOf;
let channel: Channel<unknown>;

beforeEach(async () => {
  world = new World("2030-01-01T00:00:30Z");
  one = await world.scheduler("one");
  channel = await world.clock.until(one.manager.channel<unknown>(CHANNEL));
  onTestFinished(() => world.close());
});

const get = (key: Key): Promise<unknown> => world.clock.until(channel.get(key));
const set = (key: Key, value: unknown): Promise<unknown> => world.clock.until(channel.set(key, value));

/** Adds these fields to an entry. */
const extend = async (key: Key, more: object): Promise<unknown> =>
  set(key, { ...((await get(key)) as object), ...more });

/** Whether an entry is neither damaged nor known. */
const isUnknown = async (key: Key): Promise<boolean> => {
  const entry = { key, value: await get(key) };
  return !scheduleDamage.isDamaged(entry) && scheduleDamage.isUnknown?.(entry) === true;
};

describe("unknown fields", () => {
  it("of a schedule and its cursor stay when ticks are decided, it is paused, resumed and replaced", async () => {
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.clock.until(one.scheduler.close());
    await extend(scheduleKey("a"), { later: 1 });
    await extend(cursorKey("a"), { later: 2 });
    const stay = async (): Promise<void> => {
      expect(await get(scheduleKey("a"))).toMatchObject({ later: 1 });
      expect(await get(cursorKey("a"))).toMatchObject({ later: 2 });
    };
    const two = await world.scheduler("two");
    await world.clock.until(two.scheduler.add("a", { every: MINUTE }, two.body()));
    await world.until("00:02:30");
    expect(two.ran).toEqual(["00:01:00", "00:02:00"]);
    await stay();
    await world.clock.until(two.scheduler.pause("a", { reason: "r" }));
    await world.until("00:04:30");
    await world.clock.until(two.scheduler.resume("a"));
    await stay();
    await world.clock.until(two.scheduler.add("a", { every: 2 * MINUTE }, two.body()));
    await world.until("00:06:30");
    await stay();
  });

  it("of a request stay when it is carried out", async () => {
    await world.clock.until(one.scheduler.add("a", { every: 60 * MINUTE }, one.body()));
    const request = { type: "run", reason: "r", by: "ana", at: world.clock.now(), later: 1 };
    await set(requestKey("a", "x"), request);
    await world.clock.advance(5_000);
    expect(one.ran).toHaveLength(1);
    expect(await get(requestKey("a", "x"))).toMatchObject({ later: 1, run: expect.stringContaining("a@") });
  });
});

describe.each([
  ["an unknown option", { every: MINUTE, spread: 5 }],
  ["an unknown value of an option", { every: MINUTE, overlap: "merge" }],
  ["an unknown calendar", { cron: "@blue-moon" }],
])("a schedule with %s", (_, definition) => {
  const isCalendarKnown = "every" in definition;

  beforeEach(async () => {
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.clock.until(one.scheduler.add("b", { every: MINUTE }, one.body()));
    await extend(scheduleKey("a"), { definition, hash: "later", revision: 2 });
    // A scheduler of the later version can run it.
    await set(memberKey("m"), { by: { host: "h", pid: 1, instance: "m" }, parts: 1 });
    await set(memberPartKey("m", 0), { schedules: [["a", "later"]] });
  });

  it("is not run, has no ticks, is named, and hides no other schedule", async () => {
    await world.until("00:03:10");
    expect(one.ran).toHaveLength(3);
    const { manager } = await world.manager();
    const views = await world.clock.until(collect(schedulesIn(manager)));
    const now = world.clock.now();
    expect(views.map((view) => [view.name, view.definition() !== undefined, view.upcoming(now)?.at])).toEqual([
      ["a", false, undefined],
      ["b", true, at("00:04:00")],
    ]);
    const [a] = views;
    expect([a?.next(now), a?.nextRun(now), a?.overdue(now, 0)]).toEqual([undefined, undefined, undefined]);
    expect((await world.clock.until(collect(one.scheduler.schedules()))).map(({ name }) => name)).toEqual(["b"]);
    expect(await isUnknown(scheduleKey("a"))).toBe(true);
    expect(await isUnknown(scheduleKey("b"))).toBe(false);
    const codes = (await world.clock.until(one.scheduler.why("a"))).map(({ code }) => code);
    expect(codes).toContain("unreadable");
    expect(codes).not.toContain("next");
  });

  it("is paused by this version, and neither resumed nor backfilled by it", async () => {
    const cursor = await get(cursorKey("a"));
    await world.clock.until(one.scheduler.pause("a", { reason: "r" }));
    const refused = { name: "ScheduleError", code: "INVALID", message: expect.stringContaining("does not know") };
    const calls: (() => Promise<unknown>)[] = [
      () => one.scheduler.resume("a"),
      () => one.scheduler.backfill("a", { from: at("00:00:00"), reason: "r" }),
      () => one.scheduler.next("a"),
      () => one.scheduler.words("a"),
    ];
    for (const call of calls) await expect(world.clock.until(call())).rejects.toMatchObject(refused);
    expect(await get(scheduleKey("a"))).toMatchObject({ definition, paused: { reason: "r" } });
    expect(await get(cursorKey("a"))).toEqual(cursor);
    expect(await world.clock.until(one.scheduler.remove("a"))).toBe(true);
  });

  it("is taken over by the definition of this version once it was rolled back; the ticks before are missed", async () => {
    await world.until("00:05:10");
    await extend(cursorKey("a"), { at: at("00:02:00"), waiting: [at("00:02:00")] });
    const two = await world.scheduler("two");
    await world.clock.until(two.scheduler.add("a", { every: 2 * MINUTE }, two.body()));
    await world.until("00:08:10");
    // The tick that waited for its run is run first.
    expect(two.ran).toEqual(["00:05:10", "00:06:00", "00:08:00"]);
    expect(await world.ticks(two)).toEqual([
      "00:02:00 run by two",
      isCalendarKnown ? "00:03:00-00:05:00 (3) missed unreadable" : "00:04:00 missed unreadable",
      "00:06:00 run by two",
      "00:08:00 run by two",
    ]);
  });

  it("that was paused is taken over: the ticks of the pause are skipped", async () => {
    await world.until("00:03:10");
    await extend(cursorKey("a"), { at: at("00:01:00") });
    await world.clock.until(one.scheduler.pause("a", { reason: "r", until: at("00:04:30") }));
    await world.until("00:06:10");
    const two = await world.scheduler("two");
    await world.clock.until(two.scheduler.add("a", { every: 2 * MINUTE }, two.body()));
    expect((await world.ticks(two)).slice(-2)).toEqual(
      isCalendarKnown
        ? ["00:02:00-00:04:00 (3) skipped paused", "00:05:00-00:06:00 (2) missed unreadable"]
        : ["00:02:00-00:04:00 (2) skipped paused", "00:06:00 missed unreadable"],
    );
  });

  it("is removed: the ticks that wait or are due have an outcome", async () => {
    await world.until("00:05:10");
    await extend(cursorKey("a"), { at: at("00:02:00"), waiting: [at("00:02:00")] });
    expect(await world.clock.until(one.scheduler.remove("a"))).toBe(true);
    const due = isCalendarKnown ? ["00:03:00-00:05:00 (3) refused removed"] : [];
    expect((await world.ticks(one)).filter((tick) => !tick.includes("run by"))).toEqual([
      "00:02:00 refused removed",
      ...due,
    ]);
    expect(await get(scheduleKey("a"))).toBeUndefined();
    expect(await get(cursorKey("a"))).toBeUndefined();
  });
});

describe("an unknown outcome of a tick", () => {
  const decided = { outcome: "delegated", reason: "elsewhere", by: { host: "h", pid: 1, instance: "i" }, revision: 1 };

  it("is listed as it is written, and no backfill replaces it", async () => {
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:01:10");
    const value = { ...decided, decided: world.clock.now() };
    await set(tickKey("a", at("00:00:00")), value);
    await set(unrunKey("a", at("00:00:00")), 0);
    expect(await world.ticks(one)).toEqual(["00:00:00 delegated elsewhere", "00:01:00 run by one"]);
    const unrun = await world.clock.until(collect(one.scheduler.ticks("a", { unrun: true })));
    expect(unrun).toMatchObject([{ outcome: "delegated" }]);
    expect(await isUnknown(tickKey("a", at("00:00:00")))).toBe(true);
    const backfill = { from: at("00:00:00"), to: at("00:01:00"), again: true, reason: "r" };
    await world.clock.until(one.scheduler.backfill("a", backfill));
    await world.clock.advance(20_000);
    expect(await get(tickKey("a", at("00:00:00")))).toEqual(value);
  });

  it("is not decided again by a process that finds the cursor before it", async () => {
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const value = { ...decided, decided: world.clock.now() };
    await set(tickKey("a", at("00:01:00")), value);
    await extend(cursorKey("a"), { ahead: at("00:03:00") });
    await world.clock.until(one.scheduler.close());
    const two = openScheduler(one.manager, { clock: world.clock, instance: "two" });
    await world.clock.until(two.add("a", { every: MINUTE }, one.body()));
    await world.until("00:02:10");
    await world.clock.until(two.close());
    expect(one.ran).toEqual(["00:02:00"]);
    expect(await get(tickKey("a", at("00:01:00")))).toEqual(value);
  });
});

it("a request of an unknown type is left alone and named, and the next one is carried out", async () => {
  await world.clock.until(one.scheduler.add("a", { every: 60 * MINUTE }, one.body()));
  const now = world.clock.now();
  const later = { type: "rehearse", reason: "r", by: "ana", at: now };
  await set(requestKey("a", "x"), later);
  await set(requestKey("a", "y"), { ...later, type: "run", at: now + 1 });
  await world.clock.advance(5_000);
  expect(one.ran).toHaveLength(1);
  expect(await get(requestKey("a", "x"))).toEqual(later);
  expect(await isUnknown(requestKey("a", "x"))).toBe(true);
});

it("an item of an unknown form in the list of a member hides no other", async () => {
  await set(memberKey("m"), { by: { host: "h", pid: 1, instance: "m" }, parts: 1 });
  await set(memberPartKey("m", 0), { schedules: [["a", "1"], { name: "b" }, ["c", "2"]] });
  const [member] = await world.clock.until(collect(schedulersIn(one.manager)));
  expect([...(member?.schedules ?? [])]).toEqual([
    ["a", "1"],
    ["c", "2"],
  ]);
  expect(await isUnknown(memberPartKey("m", 0))).toBe(true);
});
