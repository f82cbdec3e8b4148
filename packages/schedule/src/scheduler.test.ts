import { beforeEach, describe, expect, it } from "vitest";
import { World } from "./testing/world.js";

const MINUTE = 60_000;

let world: World;
beforeEach(() => {
  world = new World("2030-01-01T00:00:30Z");
});

describe("a scheduler", () => {
  it("runs a job at each of its ticks, and keeps what became of them", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:03:30");
    expect(one.ran).toEqual(["00:01:00", "00:02:00", "00:03:00"]);
    expect(await world.ticks(one)).toEqual(["00:01:00 run by one", "00:02:00 run by one", "00:03:00 run by one"]);
    const [first] = await world.records(one);
    expect(first).toMatchObject({ status: "completed", trigger: "schedule", schedule: "a", delay: 0 });
    await world.close();
    expect(world.clock.pending).toBe(0);
  });

  it("runs each tick once, however many processes add the schedule, and another one when the first is closed", async () => {
    const all = await Promise.all(["one", "two", "three"].map((name) => world.scheduler(name)));
    for (const { scheduler, body } of all) await world.clock.until(scheduler.add("a", { every: MINUTE }, body()));
    await world.until("00:03:30");
    expect(world.ran).toHaveLength(3);
    const [owner] = new Set(world.ran.map((line) => line.slice(9)));
    const first = all.find(({ name }) => name === owner);
    await world.clock.until(first?.scheduler.close() ?? Promise.resolve());
    await world.until("00:05:30");
    expect(world.ran).toHaveLength(5);
    expect(world.ran.slice(3).join()).not.toContain(` ${owner}`);
  });

  it("runs the ticks of a process that died, the next one by the second of the members within a second", async () => {
    const all = await Promise.all(["one", "two", "three"].map((name) => world.scheduler(name)));
    for (const { scheduler, body } of all) await world.clock.until(scheduler.add("a", { every: MINUTE }, body()));
    await world.until("00:01:30");
    const [owner] = world.ran.map((line) => line.slice(9));
    const first = all.find(({ name }) => name === owner);
    if (first !== undefined) world.kill(first);
    await world.until("00:01:59");
    await world.until("00:04:30");
    expect(world.ran.map((line) => line.slice(0, 8))).toEqual(["00:01:00", "00:02:00", "00:03:00", "00:04:00"]);
  });
});
