import { expect, test } from "vitest";
import { ChannelError } from "../../channel/errors.js";
import { World } from "../../testing/world.js";
import { PendingCleanup, UnwrittenEnds } from "./pending-cleanup.js";

const TTL = 15_000;

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

test("an end that is being written when its process closes is not tried again after the close", async () => {
  const world = new World();
  const { clock } = world;
  const { way, channel, locks } = await world.locks();
  const { token } = await locks.acquire("a");
  const ends = new UnwrittenEnds(new PendingCleanup(channel, async () => {}), clock, TTL);
  let attempts = 0;
  ends.add("a", token, async () => {
    attempts++;
    throw new ChannelError("FULL", "the disk is full", { retryable: true });
  });
  way.fault = ({ kind }) => (kind === "read" ? { type: "slow", ms: 2_000 } : undefined);
  await clock.advance(1_000);
  await clock.until(ends.finish(), 2 * TTL);
  const before = attempts;
  expect(before).toBeGreaterThan(1);
  await clock.advance(TTL);
  expect(attempts).toBe(before);
});
