import { beforeEach, describe, expect, test, vi } from "vitest";
import { readable } from "../../channel/corrupt.js";
import type { Key } from "../../channel/types.js";
import { scribble } from "../../testing/scribble.js";
import { rejection } from "../../testing/settle.js";
import { cut } from "../../testing/tickets.js";
import { type LocksOf, World } from "../../testing/world.js";
import { processIdentity } from "../../util/process-state.js";
import { type LocksValue, lockKey, queueKey, sessionKey } from "./schema.js";

const TTL = 15_000;

let world: World;
let one: LocksOf;
let two: LocksOf;

beforeEach(async () => {
  world = new World();
  one = await world.locks();
  two = await world.locks();
});

async function keysOf(kind: string): Promise<Key[]> {
  const keys: Key[] = [];
  for await (const { key } of two.channel.keys({ prefix: [kind] })) keys.push(key);
  return keys;
}

const texts = ["no JSON", "null", '"mine"', "{}"];

test.each([false, true])(
  "an unreadable entry is skipped, and the other entries are listed: in reverse %s",
  async (reverse) => {
    for (const name of ["a", "b", "c", "d"]) await one.locks.acquire(name);
    await scribble(two, lockKey("b"), "no JSON");
    const names: unknown[] = [];
    for await (const { key } of readable(two.channel, { prefix: ["lock"], reverse })) names.push((key as string[])[1]);
    expect(names).toEqual(reverse ? ["d", "c", "b", "a"] : ["a", "b", "c", "d"]);
  },
);

describe("foreign data in the store", () => {
  test.each(texts)(
    "foreign data under a lock makes acquire reject as CORRUPT, and does not stop the sweep: %s",
    async (text) => {
      await scribble(two, lockKey("a"), text);
      const error = await rejection(one.locks.acquire("a"));
      expect(error).toMatchObject({ name: "ChannelError", code: "CORRUPT" });
      expect((error as Error).message).toContain("was not written by ojm");
      const dead = await world.locks();
      await dead.locks.acquire("b");
      cut(dead);
      await world.clock.advance(2 * TTL);
      await one.locks.sweep();
      expect(await two.locks.find("b")).toBeUndefined();
    },
  );

  test.each(texts)("foreign data under a lock makes find and forceUnlock reject as CORRUPT: %s", async (text) => {
    await scribble(two, lockKey("a"), text);
    const calls = [() => one.locks.find("a"), () => one.locks.forceUnlock("a", "it hangs")];
    for (const call of calls) {
      const error = await rejection(call());
      expect(error).toMatchObject({ name: "ChannelError", code: "CORRUPT" });
      expect((error as Error).message).toContain("was not written by ojm");
    }
  });

  test.each(texts)("foreign data under a lock is left out of the list, and stays held: %s", async (text) => {
    await one.locks.acquire("b");
    await scribble(two, lockKey("a"), text);
    expect((await one.locks.list()).map(({ name }) => name)).toEqual(["b"]);
    expect(await rejection(one.locks.acquire("a"))).toMatchObject({ code: "CORRUPT" });
  });

  test.each(texts)("foreign data under a queue leaves its lock in the list: %s", async (text) => {
    await one.locks.acquire("a");
    await scribble(two, queueKey("a"), text);
    expect(await one.locks.list()).toMatchObject([{ name: "a", waiting: 0 }]);
  });

  test.each(texts)("foreign data over a held lock ends its lease as LOST, and no other lease: %s", async (text) => {
    const [lease, other] = [await one.locks.acquire("a"), await one.locks.acquire("b")];
    await world.clock.advance(100);
    await scribble(two, lockKey("a"), text);
    await world.clock.advance(100);
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
    await world.clock.advance(2 * TTL);
    expect(other.held).toBe(true);
  });

  test.each(texts)(
    "the heartbeat finds foreign data over a held lock, where the store cannot be watched: %s",
    async (text) => {
      const blind = await world.locks({ way: await world.way({ watch: false }) });
      const [lease, other] = [await blind.locks.acquire("a"), await blind.locks.acquire("b")];
      await scribble(two, lockKey("a"), text);
      await world.clock.advance(TTL / 2);
      expect(lease.signal.reason).toMatchObject({ code: "LOST" });
      await world.clock.advance(2 * TTL);
      expect(other.held).toBe(true);
    },
  );

  test.each(texts)(
    "a process whose held lock was overwritten leaves nothing else behind when it closes: %s",
    async (text) => {
      const blind = await world.locks({ way: await world.way({ watch: false }) });
      await blind.locks.acquire("a");
      const other = await blind.locks.acquire("b");
      await scribble(two, lockKey("a"), text);
      await world.clock.advance(TTL);
      expect(other.held).toBe(true);
      await blind.locks.close({ grace: 0 });
      expect(await keysOf("session")).toEqual([]);
      expect(await keysOf("lock")).toEqual([lockKey("a")]);
    },
  );

  test.each(texts)("foreign data over a session does not stop the sweep, and is removed by it: %s", async (text) => {
    await scribble(two, sessionKey("x"), text);
    await one.locks.sweep();
    const session = (await one.locks.acquire("a")).session.id;
    expect(await keysOf("session")).toEqual([sessionKey(session)]);
  });

  test.each(texts)(
    "a renewal finds foreign data over its session, where the store cannot be watched: %s",
    async (text) => {
      const blind = await world.locks({ way: await world.way({ watch: false }) });
      const lease = await blind.locks.acquire("a");
      await scribble(two, sessionKey(lease.session.id), text);
      await world.clock.advance(TTL / 2);
      expect(lease.signal.reason).toMatchObject({ code: "LOST" });
    },
  );

  test.each(texts)("foreign data over a session ends its leases as LOST: %s", async (text) => {
    const lease = await one.locks.acquire("a");
    await world.clock.advance(100);
    await scribble(two, sessionKey(lease.session.id), text);
    await world.clock.advance(100);
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  });

  test.each(["null", '"mine"', "{}"])(
    "foreign data over a queue makes a wait reject as CORRUPT, and does not stop the sweep: %s",
    async (text) => {
      await scribble(two, queueKey("a"), text);
      await one.locks.sweep();
      expect(await rejection(one.locks.acquire("a", { wait: 1_000 }))).toMatchObject({ code: "CORRUPT" });
      await world.clock.advance(TTL);
      await one.locks.close();
    },
  );

  test.each(texts)("foreign data over the session of a dead holder leaves the lock to others: %s", async (text) => {
    const lease = await one.locks.acquire("a");
    cut(one);
    await scribble(two, sessionKey(lease.session.id), text);
    await world.clock.advance(TTL);
    expect((await two.locks.acquire("a")).held).toBe(true);
  });
});

test("a lock whose session a later version wrote is held until that session expires", async () => {
  const value = { id: "later", process: { ...processIdentity(), started: "1" }, since: 0, beat: 0, by: "agent" };
  await one.channel.set(sessionKey("later"), value as unknown as LocksValue, { ttl: TTL });
  const holder = { host: "elsewhere", pid: 1, instance: "later" };
  const lock = { name: "a", holder, token: "t", since: 0, timeout: 1e6, until: 1e6 };
  await one.channel.set(lockKey("a"), lock);
  await two.locks.sweep();
  expect(await rejection(two.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
  await world.clock.advance(TTL - 1);
  expect(await rejection(two.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
  await world.clock.advance(1);
  expect((await two.locks.acquire("a")).held).toBe(true);
});

describe("callbacks that fail", () => {
  test("an onOrphan callback that throws causes a warning, and the other locks are still removed", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const orphans: string[] = [];
    const failing = await world.locks({
      onOrphan: async ({ value }) => {
        if (value.name === "a") throw new TypeError("no such thing");
        orphans.push(value.name);
      },
    });
    await (await failing.locks.acquire("warm up")).release();
    for (const name of ["a", "b"]) {
      failing.way.once(`"${name}`, { type: "reply lost" });
      await world.clock.until(rejection(failing.locks.acquire(name)));
    }
    await world.clock.advance(TTL);
    expect(orphans).toEqual(["b"]);
    expect(warned.mock.calls[0]?.[0]).toContain("no such thing");
    const closing = rejection(failing.locks.close());
    expect(await world.clock.until(closing)).toBeInstanceOf(TypeError);
    // The leftover session is not kept alive.
    await world.clock.advance(2 * TTL);
    expect((await one.locks.acquire("a")).held).toBe(true);
    warned.mockRestore();
  });
});

test("a store that answers later than a session lives is reported as TIMEOUT, with the ttl", async () => {
  one.way.fault = (call) => (call.kind === "commit" ? { type: "slow reply", ms: TTL + 1 } : undefined);
  const error = await world.clock.until(rejection(one.locks.acquire("a", { wait: 100_000 })), 10 * TTL);
  expect(error).toMatchObject({ code: "TIMEOUT", retryable: true });
  expect((error as Error).message).toContain("longer to answer than a session lives (ttl 15 s)");
});
