import { expect, test } from "vitest";
import { World } from "../../testing/world.js";
import { PendingCleanup } from "./pending-cleanup.js";

test("a store that is away is asked for the first leftover alone, and all leftovers stay for the next time", async () => {
  const { way, channel } = await new World().locks();
  const cleanup = new PendingCleanup(channel, async () => {});
  for (const name of ["a", "b", "c"]) cleanup.add(name, `token of ${name}`);
  way.fault = () => ({ type: "refused" });
  const before = way.reads + way.commits.length;
  await expect(cleanup.remove(cleanup.all)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(way.reads + way.commits.length).toBe(before + 1);
  expect(cleanup.size).toBe(3);
  way.fault = () => undefined;
  await cleanup.remove(cleanup.all);
  expect(cleanup.size).toBe(0);
});
