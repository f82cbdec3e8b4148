import { beforeEach, expect, test } from "vitest";
import { type ManagerOf, World } from "../testing/world.js";
import { lockToTake } from "./take-lock.js";

let world: World;
let one: ManagerOf;

beforeEach(async () => {
  world = new World();
  one = await world.manager();
});

const by = { reason: "it hangs", author: "bo" };
const find = (what: "any" | "hold"): ReturnType<typeof lockToTake> =>
  world.clock.until(lockToTake(one.manager, "a", what));
const holdA = (): Promise<unknown> => world.clock.until(one.manager.hold("a", { reason: "the schema", author: "ana" }));

test("a free lock cannot be taken", async () => {
  expect(await find("any")).toEqual({ problem: 'no process holds "a"' });
  expect(await find("hold")).toEqual({ problem: '"a" is not on hold' });
});

test("ending a hold takes a hold, and no lock of a run", async () => {
  await holdA();
  const held = await find("hold");
  expect(held).toMatchObject({ holder: expect.stringMatching(/^the hold of ana \(the schema\), since \S+Z$/) });
  if (held.problem !== undefined) throw new Error(held.problem);
  expect(await world.clock.until(held.take(by))).toMatchObject({ unlocked: true });
  const run = await world.clock.until(one.manager.start("a"));
  const locked = await find("hold");
  expect(locked.problem).toMatch(/^"a" is not on hold: its lock is held by \S+, pid \d+, since \S+Z$/);
  expect(locked).not.toHaveProperty("take");
  run.assertHeld();
});

test("the lock that was found is taken, and not the lock of a later run", async () => {
  await holdA();
  const found = await find("any");
  if (found.problem !== undefined) throw new Error(found.problem);
  await world.clock.until(one.manager.unlock("a", { reason: "the schema is there" }));
  const later = await world.clock.until(one.manager.start("a"));
  expect(await world.clock.until(found.take(by))).toMatchObject({
    unlocked: false,
    problem: expect.stringMatching(/^the hold of ana .* does not hold "a" any more: nothing was done$/),
  });
  later.assertHeld();
  const run = await find("any");
  if (run.problem !== undefined) throw new Error(run.problem);
  expect(await world.clock.until(run.take(by))).toMatchObject({ unlocked: true, run: { status: "cancelled" } });
});
