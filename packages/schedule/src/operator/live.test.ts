import { beforeEach, describe, expect, it } from "vitest";
import { scribble } from "../../../core/src/testing/scribble.js";
import type { ScheduleView } from "../control/overview.js";
import { CHANNEL } from "../store/schema.js";
import { type SchedulerOf, World } from "../testing/world.js";
import { followStore, type LiveStore } from "./live.js";

const MINUTE = 60_000;
const at = (time: string): number => Date.parse(`2030-01-01T${time}Z`);

let world: World;
let one: SchedulerOf;
let closing: AbortController;
beforeEach(async () => {
  world = new World("2030-01-01T00:00:30Z");
  one = await world.scheduler("one");
  closing = new AbortController();
});

async function followed(changed: (name: string | undefined) => void = () => {}): Promise<LiveStore> {
  const { manager } = await world.manager();
  const others = (name: string | undefined, of: "runs" | "others"): void => {
    if (of === "others") changed(name);
  };
  const live = followStore(manager, { signal: closing.signal, changed: others, clock: world.clock });
  await world.clock.until(live.ready);
  return live;
}

const schedulesOf = async (live: LiveStore): Promise<ScheduleView[]> =>
  (await world.clock.until(live.fresh())).schedules.map(({ schedule }) => schedule);

async function end(): Promise<void> {
  closing.abort();
  await world.close();
}

describe("followed schedules", () => {
  it("are reported as they come, are paused, are decided on, and go", async () => {
    let changes = 0;
    const live = await followed(() => void changes++);
    expect(await schedulesOf(live)).toEqual([]);
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:02:10");
    expect(await schedulesOf(live)).toMatchObject([{ name: "a", decided: at("00:02:00") }]);
    expect((await schedulesOf(live))[0]?.upcoming(world.clock.now())).toEqual({
      at: at("00:03:00"),
      due: at("00:03:00"),
    });
    await world.clock.until(one.scheduler.pause("a", { reason: "the disk is full", author: "ana" }));
    await world.clock.advance(1_000);
    expect((await schedulesOf(live))[0]?.paused).toMatchObject({ reason: "the disk is full", by: "ana" });
    expect((await schedulesOf(live))[0]?.upcoming(world.clock.now())).toMatchObject({ skipped: "paused" });
    await world.clock.until(one.scheduler.remove("a"));
    await world.clock.advance(1_000);
    expect(await schedulesOf(live)).toEqual([]);
    expect(changes).toBeGreaterThan(3);
    await end();
  });

  it("are known, and run, beside entries that are not JSON", async () => {
    const channel = await one.manager.channel<unknown>(CHANNEL);
    const damaged = [
      ["schedule", "x"],
      ["cursor", "x"],
      ["member", "x"],
      ["member", "x", 0],
      ["request", "x", "r"],
    ];
    const damage = async (): Promise<void> => {
      for (const key of damaged) await scribble({ way: one.way, channel: channel as never }, key, "{ not JSON");
    };
    await damage();
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const live = await followed();
    await world.until("00:02:10");
    expect(one.ran).toEqual(["00:01:00", "00:02:00"]);
    await damage();
    await world.until("00:03:10");
    expect(await schedulesOf(live)).toMatchObject([{ name: "a", decided: at("00:03:00") }]);
    expect(live.schedulers()).toMatchObject([{ by: { instance: "one" } }]);
    await end();
  });

  it("name what changed, and not what was there before", async () => {
    await world.clock.until(one.scheduler.add("old", { cron: "0 0 1 1 *" }, one.body()));
    const reported: (string | undefined)[] = [];
    await followed((name) => reported.push(name));
    expect(reported).toEqual([]);
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:02:10");
    expect(reported).toContain("a");
    expect(reported).toContain(undefined);
    expect(reported).not.toContain("old");
    const pause = (): Promise<unknown> => one.scheduler.pause("old", { reason: "holidays" });
    for (const change of [pause, () => one.scheduler.remove("old")]) {
      reported.length = 0;
      await world.clock.until<unknown>(change());
      await world.clock.advance(10);
      expect(reported).toContain("old");
    }
    await end();
  });

  it("are there from the first, with the schedulers that have them", async () => {
    for (const name of ["b", "a"]) {
      await world.clock.until(one.scheduler.add(name, { every: MINUTE }, one.body()));
    }
    await world.clock.advance(1_000);
    const live = await followed();
    expect((await schedulesOf(live)).map(({ name }) => name)).toEqual(["a", "b"]);
    const [scheduler, ...others] = live.schedulers();
    expect([...(scheduler?.schedules.keys() ?? [])].sort()).toEqual(["a", "b"]);
    expect(others).toEqual([]);
    await end();
  });

  it("a scheduler that died is no longer reported, and its ticks become overdue", async () => {
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const live = await followed();
    await world.until("00:02:10");
    expect(live.schedulers()).toHaveLength(1);
    world.kill(one);
    await world.until("00:05:10");
    expect(live.schedulers()).toEqual([]);
    const [schedule] = await schedulesOf(live);
    expect(schedule?.overdue(world.clock.now(), 0)).toEqual({ at: at("00:03:00"), until: at("00:05:00"), count: 3 });
    closing.abort();
  });

  it("entries that no scheduler wrote are left out", async () => {
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const channel = await world.clock.until(one.manager.channel("oJobManager-schedules"));
    const live = await followed();
    await world.clock.until(channel.set(["schedule", "b"], "what is this"));
    await world.clock.until(channel.set(["member", "x"], { parts: 1 }));
    await world.clock.advance(1_000);
    expect((await schedulesOf(live)).map(({ name }) => name)).toEqual(["a"]);
    expect(live.schedulers()).toHaveLength(1);
    await end();
  });
});
