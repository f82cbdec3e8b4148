import { type Channel, openChannel } from "@ojm/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { Subscriptions } from "./subscriptions.js";

const FLOOD = 100_000;

/** What a watch of core keeps for a slow reader, and what a follower reads ahead. */
const MOST = 10_000 + 10;

/** A follower that is held back in its first change until it is let go, and all that it told. */
async function heldBack(channel: Channel) {
  const subscriptions = new Subscriptions();
  onTestFinished(() => subscriptions.close());
  const told: string[] = [];
  const seen = { gaps: 0, dropped: 0 };
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const handler = {
    onChange: ({ op, k, v }: { op: string; k: unknown; v?: unknown }) => {
      told.push(`${op} ${k} ${v ?? ""}`.trim());
      return held;
    },
    onGap: () => seen.gaps++,
    onDropped: (count: number) => (seen.dropped += count),
  };
  await subscriptions.follow(channel, handler, (error) => expect.unreachable(error.message));
  const letGoOf = async (): Promise<void> => {
    letGo();
    while (await subscriptions.catchUp());
  };
  return { told, seen, letGo: letGoOf, stop: () => subscriptions.close() };
}

async function opened(): Promise<Channel> {
  const channel = await openChannel(`flood-${Math.random()}`);
  onTestFinished(() => channel.close());
  return channel;
}

async function flood(channel: Channel, keyOf: (i: number) => string): Promise<void> {
  for (let i = 0; i < FLOOD; ) {
    const writes = Array.from({ length: 1_000 }, () => channel.set(keyOf(i), i++));
    await Promise.all(writes);
  }
  // All that the reader reads ahead it has read by then.
  await new Promise((resolve) => setImmediate(resolve));
}

describe("a follower of a channel in a flood of changes", () => {
  test("a slow follower gets changes in order up to the bound, then the last state of each key, deleted ones too", async () => {
    const channel = await opened();
    await channel.set("old", 0);
    const { told, seen, letGo } = await heldBack(channel);
    await flood(channel, (i) => `k${i % 10}`);
    await channel.unset("old");
    await channel.unset("k3");
    await letGo();
    expect(told.length).toBeLessThanOrEqual(MOST);
    expect(told.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, i) => `set k${i % 10} ${i}`));
    expect(seen).toEqual({ gaps: 1, dropped: 0 });
    for (const k of [0, 1, 2, 4, 5, 6, 7, 8, 9]) {
      const last = told.findLast((one) => one.includes(` k${k}`));
      expect(last).toBe(`set k${k} ${FLOOD - 10 + k}`);
    }
    expect(told.findLast((one) => one.includes(" k3"))).toBe("unset k3");
    expect(told).toContain("unset old");
  }, 60_000);

  test("a slow follower of a flood of ever new keys loses none of them", async () => {
    const channel = await opened();
    const { told, seen, letGo } = await heldBack(channel);
    await flood(channel, (i) => `k${i}`);
    await letGo();
    expect(seen.gaps).toBe(1);
    expect(new Set(told).size).toBe(FLOOD);
  }, 60_000);

  test("changes that are left when a follower is closed are dropped, and counted", async () => {
    const channel = await opened();
    const { told, seen, letGo, stop } = await heldBack(channel);
    await flood(channel, (i) => `k${i % 10}`);
    stop();
    await letGo();
    expect(told).toEqual(["set k0 0"]);
    expect(seen.dropped).toBe(10);
  }, 60_000);
});
