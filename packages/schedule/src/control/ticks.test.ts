import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect } from "../../../core/src/testing/settle.js";
import { type SchedulerOf, World } from "../testing/world.js";
import { schedulesIn } from "./overview.js";
import type { TicksOptions } from "./ticks.js";

const MINUTE = 60_000;

let world: World;
let one: SchedulerOf;

beforeEach(async () => {
  world = new World();
  one = await world.scheduler("one");
  await world.clock.until(one.scheduler.add("a", { every: MINUTE, missed: "none" }, one.body()));
});

afterEach(() => world.close());

async function ticks(options: TicksOptions): Promise<string[]> {
  const all = await world.clock.until(collect(one.scheduler.ticks("a", options)));
  return all.map((tick) => world.tickText(tick));
}

const at = (time: string): string => `2030-01-01T${time}Z`;

/** Runs until 00:10, is paused until 00:12, runs until 00:20, and is away until 00:25. */
async function someAreNotRun(): Promise<void> {
  await world.until("00:10:30");
  await world.clock.until(one.scheduler.pause("a", { reason: "a look" }));
  await world.until("00:12:30");
  await world.clock.until(one.scheduler.resume("a"));
  await world.until("00:20:30");
  await world.clock.until(one.scheduler.close());
  await world.until("00:25:30");
  one = await world.scheduler("two");
  await world.clock.until(one.scheduler.add("a", { every: MINUTE, missed: "none" }, one.body()));
  await world.until("00:30:30");
}

it("finds the ticks that were not run, newest first, without those that were", async () => {
  await someAreNotRun();
  expect(await ticks({ unrun: true })).toEqual([
    "00:21:00-00:24:00 (4) missed policy",
    "00:12:00 skipped paused",
    "00:11:00 skipped paused",
  ]);
  expect(await ticks({ unrun: true, limit: 1 })).toEqual(["00:21:00-00:24:00 (4) missed policy"]);
  expect(await ticks({ unrun: true, to: at("00:12:00") })).toEqual(["00:11:00 skipped paused"]);
  expect(await ticks({ unrun: true, from: at("00:12:00"), to: at("00:20:00") })).toEqual(["00:12:00 skipped paused"]);
});

it("finds a range of ticks that began before the time, and reaches into it", async () => {
  await someAreNotRun();
  const range = "00:21:00-00:24:00 (4) missed policy";
  expect(await ticks({ unrun: true, from: at("00:23:00") })).toEqual([range]);
  expect(await ticks({ from: at("00:24:00"), to: at("00:26:00") })).toEqual(["00:25:00 run by two", range]);
  expect(await ticks({ unrun: true, from: at("00:25:00") })).toEqual([]);
});

it("does not count a tick as not run once a backfill ran it", async () => {
  await someAreNotRun();
  await world.clock.until(
    one.scheduler.backfill("a", { from: at("00:12:00"), to: at("00:12:30"), reason: "it is needed" }),
  );
  await world.clock.until(
    one.scheduler.backfill("a", { from: at("00:23:00"), to: at("00:23:30"), reason: "it is needed" }),
  );
  await world.clock.advance(20_000);
  expect(await ticks({ unrun: true })).toEqual([
    "00:24:00 missed policy",
    "00:21:00-00:22:00 (2) missed policy",
    "00:11:00 skipped paused",
  ]);
});

it("reads only the requested ticks", async () => {
  await someAreNotRun();
  const read = await entriesRead(one, () => ticks({ unrun: true, from: at("00:11:00"), to: at("00:12:00") }));
  // One of them is the cursor, which has the waiting ticks.
  expect(read).toBeLessThanOrEqual(4);
  expect(await entriesRead(one, () => ticks({ limit: 2 }))).toBe(3);
  // And the entry before, whose range may reach into the time.
  expect(await entriesRead(one, () => ticks({ from: at("00:15:00"), to: at("00:18:00") }))).toBe(5);
});

describe("ticks that wait for their run", () => {
  /** The first run takes ten minutes; three ticks wait for it. */
  async function someWait(): Promise<void> {
    await world.clock.until(one.scheduler.add("b", { every: MINUTE, overlap: "queue" }, one.body(10 * MINUTE)));
    await world.until("00:04:30");
  }

  const ofB = async (options: TicksOptions, of = one): Promise<string[]> =>
    (await world.clock.until(collect(of.scheduler.ticks("b", options)))).map((tick) => world.tickText(tick));

  it("are listed at their place, newest first", async () => {
    await someWait();
    expect(await ofB({})).toEqual(["00:04:00 waiting", "00:03:00 waiting", "00:02:00 waiting", "00:01:00 run by one"]);
    await world.until("00:11:30");
    expect((await ofB({})).slice(-3)).toEqual(["00:03:00 waiting", "00:02:00 run by one", "00:01:00 run by one"]);
  });

  it("are within the time and the limit that are requested, and count as not run so far", async () => {
    await someWait();
    expect(await ofB({ limit: 2 })).toEqual(["00:04:00 waiting", "00:03:00 waiting"]);
    expect(await ofB({ from: at("00:03:00"), to: at("00:04:00") })).toEqual(["00:03:00 waiting"]);
    expect(await ofB({ unrun: true, limit: 9 })).toEqual(["00:04:00 waiting", "00:03:00 waiting", "00:02:00 waiting"]);
    expect(await ofB({ limit: 0 })).toEqual([]);
  });

  it("are listed by another process once those that would run them are gone", async () => {
    await someWait();
    const two = await world.scheduler("two");
    await world.clock.until(one.scheduler.close());
    await world.until("00:30:00");
    expect(await ofB({}, two)).toEqual([
      "00:04:00 waiting",
      "00:03:00 waiting",
      "00:02:00 waiting",
      "00:01:00 run by one",
    ]);
    const why = await world.clock.until(two.scheduler.why("b"));
    const text = "3 ticks wait for their run, the first since 2030-01-01T00:02:00.000Z";
    expect(why.find(({ code }) => code === "waiting")).toEqual({ code: "waiting", text });
    // The last tick that has an outcome is reported besides the waiting ones.
    expect(why.find(({ code }) => code === "tick")?.tick).toMatchObject({
      outcome: "run",
      at: Date.parse(at("00:01:00")),
    });
  });

  it("stand before the next tick", async () => {
    await someWait();
    const next = await world.clock.until(one.scheduler.next("b", { limit: 2 }));
    expect(next.map(({ waiting }) => waiting)).toEqual([3, undefined]);
    const [, b] = await world.clock.until(collect(one.scheduler.schedules({ limit: 1 })));
    expect(b?.next.map(({ waiting }) => waiting)).toEqual([3]);
    const [, view] = await world.clock.until(collect(schedulesIn(one.manager)));
    expect(view?.waiting.map((time) => world.time(time))).toEqual(["00:02:00", "00:03:00", "00:04:00"]);
    expect(view?.upcoming(world.clock.now())?.waiting).toBe(3);
  });
});

/** The number of entries that a call reads. */
async function entriesRead({ way }: SchedulerOf, call: () => Promise<unknown>): Promise<number> {
  let read = 0;
  const [scan, look] = [way.scan.bind(way), way.read.bind(way)];
  way.scan = async (request, options) => {
    const page = await scan(request, options);
    read += page.entries.length;
    return page;
  };
  way.read = (keys, options) => {
    read += keys.length;
    return look(keys, options);
  };
  await call();
  Object.assign(way, { scan, read: look });
  return read;
}
