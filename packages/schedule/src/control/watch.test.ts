import { afterEach, beforeEach, expect, test } from "vitest";
import { World } from "../testing/world.js";
import { followSchedules } from "./watch.js";

let world: World;
const over = new AbortController();

beforeEach(() => {
  world = new World();
});

afterEach(() => over.abort());

test("a follower is told of each tick, pause and removal, and not of what was there before", async () => {
  const { clock } = world;
  const one = await world.scheduler("one");
  await clock.until(one.scheduler.add("old", { cron: "0 0 1 1 *" }, one.body()));
  const told: string[] = [];
  const options = { signal: over.signal, clock };
  await clock.until(followSchedules(one.manager, (name) => told.push(name), options));
  expect(told).toEqual([]);
  await clock.until(one.scheduler.add("a", { every: 60_000 }, one.body()));
  await clock.advance(10);
  expect(told).toContain("a");
  told.length = 0;
  await clock.advance(70_000);
  expect(told).toContain("a");
  expect(told).not.toContain("old");
  told.length = 0;
  await clock.until(one.scheduler.pause("old", { reason: "holidays" }));
  await clock.advance(10);
  expect(told).toEqual(["old"]);
  told.length = 0;
  await clock.until(one.scheduler.remove("old"));
  await clock.advance(10);
  expect(told).toContain("old");
  await clock.until(one.scheduler.close());
});
