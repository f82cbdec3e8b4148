import { beforeEach, describe, expect, it } from "vitest";
import { type LocksOf, World } from "../../testing/world.js";
import { sessionKey } from "../entries/schema.js";
import type { Locks } from "../locks.js";

const TTL = 15_000;

let world: World;
let one: LocksOf;

beforeEach(async () => {
  world = new World();
  one = await world.locks();
});

const sessions = async (): Promise<readonly unknown[]> => {
  const keys: unknown[] = [];
  for await (const { key } of one.channel.entries({ prefix: ["session"] })) keys.push(key);
  return keys;
};

async function takeOnce(locks: Locks = one.locks): Promise<string> {
  const lease = await locks.acquire("a");
  await world.clock.until(lease.release());
  return lease.fence;
}

describe("idle sessions", () => {
  it("an idle session ends after a ttl, and costs no call from then on", async () => {
    await takeOnce();
    await world.clock.advance(TTL - 1);
    expect(await sessions()).toHaveLength(1);
    await world.clock.advance(TTL / 3 + 2);
    expect(await sessions()).toEqual([]);
    const before = one.way.commits.length + one.way.reads;
    await world.clock.advance(100 * TTL);
    expect(one.way.commits.length + one.way.reads).toBe(before);
  });

  it("an idle session that ended is followed by a new session, with which locks are taken as before", async () => {
    const first = await takeOnce();
    await world.clock.advance(2 * TTL);
    const lease = await one.locks.acquire("a");
    expect(BigInt(lease.fence)).toBeGreaterThan(BigInt(first));
    await world.clock.advance(5 * TTL);
    expect([lease.held, await sessions()]).toEqual([true, [sessionKey(lease.session.id)]]);
  });

  it("an idle session ends also in a program that waited for a lock, or unlocked a lock by force", async () => {
    const two = await world.locks();
    const lease = await two.locks.acquire("a");
    await expect(world.clock.until(one.locks.acquire("a", { wait: 3 * TTL }))).rejects.toThrow("held by");
    await world.clock.until(one.locks.forceUnlock("a", "a test"));
    await world.clock.until(lease.release());
    await world.clock.advance(3 * TTL);
    expect(await sessions()).toEqual([]);
  });

  it("an idle session whose end was not applied by the store expires, and blocks no process", async () => {
    await takeOnce();
    await world.clock.advance(TTL - 1);
    one.way.fault = ({ kind }) => (kind === "commit" ? { type: "request lost" } : undefined);
    await world.clock.advance(TTL);
    one.way.fault = () => undefined;
    await takeOnce();
    await world.clock.advance(3 * TTL);
    expect(await sessions()).toEqual([]);
  });

  it("close() waits for the end of an idle session that is under way", async () => {
    await takeOnce();
    await world.clock.advance(TTL + 1);
    one.way.fault = (call) =>
      call.kind === "commit" && call.commit.writes.some(({ value }) => value === null)
        ? { type: "slow", ms: 500 }
        : undefined;
    await world.clock.advance(TTL / 3 + 2);
    await world.clock.until(one.locks.close());
    expect(await sessions()).toEqual([]);
  });
});

describe("sessions in use", () => {
  it("a session lives on while its process takes locks more often than once a ttl", async () => {
    await takeOnce();
    const before = await sessions();
    for (let i = 0; i < 20; i++) {
      await world.clock.advance(0.9 * TTL);
      await takeOnce();
    }
    expect(await sessions()).toEqual(before);
  });

  it("a session lives on while a lock is held or waited for", async () => {
    const two = await world.locks();
    const lease = await one.locks.acquire("a");
    const waiting = two.locks.acquire("a", { wait: 100 * TTL });
    await world.clock.advance(20 * TTL);
    expect(await sessions()).toHaveLength(2);
    await world.clock.until(lease.release());
    expect((await waiting).held).toBe(true);
  });

  it("a session lives on while a release is in progress, and no other process gets the lock until it arrives", async () => {
    const lease = await one.locks.acquire("a");
    // Right before a heartbeat, so that four of them pass.
    await world.clock.advance(2 * TTL - 1);
    // The store rejects each release for almost a ttl, and the answer to the last one is slow. Heartbeats
    // pass.
    const began = world.clock.monotonic();
    one.way.fault = (call) => {
      const releases = call.kind === "commit" && call.commit.checks.some(({ key }) => key.includes('["lock '));
      if (!releases) return undefined;
      return world.clock.monotonic() < began + TTL - 100 ? { type: "refused" } : { type: "slow", ms: 900 };
    };
    const releasing = lease.release();
    let isOver = false;
    void releasing.finally(() => {
      isOver = true;
    });
    await world.clock.advance(TTL - 10);
    while (!isOver) {
      // A process that does not know the holder yet.
      const { locks } = await world.locks();
      const other = await world.clock.until(locks.acquire("a")).catch(() => undefined);
      expect(other).toBeUndefined();
      await world.clock.advance(10);
    }
    expect((await world.clock.until(one.locks.acquire("a"))).held).toBe(true);
  });

  it("a session lives on until the lock that a call without an answer may have left is removed", async () => {
    await takeOnce();
    one.way.once("lock", { type: "reply lost" });
    await expect(world.clock.until(one.locks.acquire("a"))).rejects.toThrow();
    const refuses = ({ kind }: { readonly kind: string }) =>
      kind === "read" ? ({ type: "refused" } as const) : undefined;
    one.way.fault = refuses;
    await world.clock.advance(5 * TTL);
    expect(await sessions()).toHaveLength(1);
    one.way.fault = () => undefined;
    await world.clock.advance(5 * TTL);
    expect(await sessions()).toEqual([]);
    expect(await one.locks.find("a")).toBeUndefined();
  });
});
