import { expect, test } from "vitest";
import { recordAt } from "../../operator/history.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { World } from "../../testing/world.js";
import { parseRunId, type RunRef } from "../run-id.js";
import { StartTimes } from "./context.js";

test("runs of one name that start at the same moment need one commit each", async () => {
  const world = new World();
  const { manager, way } = await world.manager();
  const start = (i: number) => manager.run("mail", () => i, { lock: `mail/${i}` });
  await world.clock.until(start(0));
  const before = way.commits.length;
  const runs = await world.clock.until(Promise.all(Array.from({ length: 32 }, (_, i) => start(i + 1))));
  expect(way.commits.length - before).toBe(2 * 32);
  expect(new Set(runs.map(({ record }) => record.startTime)).size).toBe(32);
  await manager.close();
});

test("however many runs of a name begin in a moment, they start then, and not later", async () => {
  const world = new World();
  const { manager } = await world.manager();
  const began = world.clock.now();
  const run = (i: number) => manager.run("mail", () => i, { lock: `mail/${i}` });
  const runs = await world.clock.until(Promise.all(Array.from({ length: 3_000 }, (_, i) => run(i))));
  const took = world.clock.now() - began;
  for (const { record } of runs) {
    expect(record.startTime - began).toBeLessThanOrEqual(took + 4);
    expect(record.endTime).toBeGreaterThanOrEqual(record.startTime);
    expect(Number.isInteger(record.duration)).toBe(true);
    expect(record.id).toBe(`mail@${record.startDate}`);
  }
  const ids = runs.map(({ record }) => record.id);
  expect(new Set(ids).size).toBe(3_000);
  const [first, second] = ids;
  for (const id of [first, second])
    expect(await world.clock.until(recordAt(manager, parseRunId(id ?? "") as RunRef))).toMatchObject({ id });
  await manager.close();
});

test("the start times of names that run by turns are all remembered, and not those of ever more names", () => {
  const clock = new FakeClock();
  const times = new StartTimes(clock);
  for (const name of ["a", "b"]) times.taken(name, clock.now());
  expect(["a", "b"].map((name) => times.next(name) - clock.now())).toEqual([1, 1]);
  for (let i = 0; i < 20_000; i++) times.taken(`job ${i}`, clock.now());
  expect(times.next("a")).toBe(clock.now());
});
