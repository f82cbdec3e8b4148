import { expect, it } from "vitest";
import { collect } from "../../../core/src/testing/settle.js";
import { memberPartKey } from "../store/schema.js";
import { isMember } from "../store/valid.js";
import { World } from "../testing/world.js";

const members = async (world: World, from: Awaited<ReturnType<World["scheduler"]>>): Promise<string[]> => {
  const channel = await from.manager.channel("oJobManager-schedules");
  const entries = await world.clock.until(collect(channel.entries({ prefix: ["member"] })));
  return entries.filter(({ value }) => isMember(value)).map(({ key }) => String((key as readonly string[])[1]));
};

it("the others see a process as soon as its first schedule is added", async () => {
  const world = new World();
  const one = await world.scheduler("one");
  const began = world.clock.now();
  await world.clock.until(one.scheduler.add("a", { every: 60_000 }, one.body()));
  world.kill(one);
  // No time has passed: a process that is killed now must have neighbours that know it.
  expect(world.clock.now()).toBe(began);
  const two = await world.scheduler("two");
  expect(await members(world, two)).toEqual(["one"]);
});

it("a store that refuses its first sign does not hold up a process", async () => {
  const world = new World();
  const one = await world.scheduler("one");
  one.way.once("member", { type: "refused" });
  await world.clock.until(one.scheduler.add("a", { every: 60_000 }, one.body()));
  expect(await members(world, one)).toEqual([]);
  await world.clock.advance(2_000);
  expect(await members(world, one)).toEqual(["one"]);
  await world.close();
});

it("a process whose list the store has lost writes it again, and its schedule stays attended", async () => {
  const world = new World();
  const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
  await world.clock.until(one.scheduler.add("a", { every: 60_000 }, one.body()));
  await world.clock.advance(1_000);
  const codes = async (): Promise<string[]> =>
    (await world.clock.until(two.scheduler.why("a"))).map(({ code }) => code);
  expect(await codes()).not.toContain("unattended");
  const channel = await two.manager.channel("oJobManager-schedules");
  await world.clock.until(channel.unset(memberPartKey("one", 0)));
  expect(await codes()).toContain("unattended");
  await world.clock.advance(5_000);
  expect(await codes()).not.toContain("unattended");
  await world.close();
});
