import { type Channel, openChannel } from "@ojm/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { Subscriptions } from "./subscriptions.js";

const FLOOD = 100_000;

/** What a watch of core keeps for a slow reader, and what a follower reads ahead. */
const MOST = 10_000 + 10 + 1;

/** A follower that is held back in the first thing it tells until it is let go, and all that it told. */
async function heldBack(channel: Channel, options: { readonly onlyFromNow?: boolean } = {}) {
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
  await subscriptions.follow(channel, handler, (error) => expect.unreachable(error.message), options);
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
    expect(told[0]).toBe("set old 0");
    expect(told.slice(1, 11)).toEqual(Array.from({ length: 10 }, (_, i) => `set k${i % 10} ${i}`));
    expect(seen).toEqual({ gaps: 1, dropped: 0 });
    for (const k of [0, 1, 2, 4, 5, 6, 7, 8, 9]) {
      const last = told.findLast((one) => one.includes(` k${k}`));
      expect(last).toBe(`set k${k} ${FLOOD - 10 + k}`);
    }
    expect(told.findLast((one) => one.includes(" k3"))).toBe("unset k3");
    expect(told).toContain("unset old");
  }, 60_000);

  test("a slow follower of a flood of ever new keys loses none of them", {
    timeout: 60_000,
    tags: ["full"],
  }, async () => {
    const channel = await opened();
    const { told, seen, letGo } = await heldBack(channel);
    await flood(channel, (i) => `k${i}`);
    await letGo();
    expect(seen.gaps).toBe(1);
    expect(new Set(told).size).toBe(FLOOD);
  });

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

describe("the entries that a channel has when it is first followed", () => {
  const ENTRIES = 10_000;
  const LAST = 1_000_000;
  const NEW = 2_000_000;

  async function filled(count: number): Promise<Channel> {
    const channel = await opened();
    for (let i = 0; i < count; i++) void channel.set(i, `v${i}`);
    await channel.set(LAST, "v");
    return channel;
  }

  const entries = (count: number): string[] => [
    ...Array.from({ length: count }, (_, i) => `set ${i} v${i}`),
    `set ${LAST} v`,
  ];

  test("each of 10,000 entries is told once, in the order of the keys, one at a time and before later changes", async () => {
    const channel = await filled(ENTRIES);
    const { told, seen, letGo } = await heldBack(channel);
    await channel.set(NEW, 1);
    await channel.set(LAST, 2);
    expect(told).toHaveLength(1);
    await letGo();
    // The last page was read after the change: its newest value is told, once.
    const later = told.slice(ENTRIES);
    expect(told.slice(0, ENTRIES)).toEqual(entries(ENTRIES).slice(0, ENTRIES));
    expect(later).toEqual([`set ${LAST} 2`, `set ${NEW} 1`]);
    expect(seen).toEqual({ gaps: 0, dropped: 0 });
  }, 60_000);

  test("after a gap, entries that exist are told a second time only if they changed", async () => {
    const channel = await filled(3);
    const { told, seen, letGo } = await heldBack(channel);
    await flood(channel, () => "flood");
    await channel.set(1, "changed");
    await letGo();
    expect(seen.gaps).toBe(1);
    expect(told.filter((one) => !one.includes("flood"))).toEqual([...entries(3), "set 1 changed"]);
  }, 60_000);

  test("nobody waits in vain for the entries of a follower that is stopped while it reads them", async () => {
    const channel = await filled(ENTRIES);
    const { told, letGo, stop } = await heldBack(channel);
    stop();
    await letGo();
    expect(told).toEqual(["set 0 v0"]);
  });

  test("with onlyFromNow only later changes are told, and a delete of an entry that existed", async () => {
    const channel = await filled(3);
    const { told, letGo } = await heldBack(channel, { onlyFromNow: true });
    await channel.set("new", 1);
    await channel.unset(1);
    await letGo();
    expect(told).toEqual(["set new 1", "unset 1"]);
  });
});
