import { beforeEach, describe, expect, test } from "vitest";
import type { Commit } from "../channel/backend/backend.js";
import { openChannel } from "../channel/open.js";
import { type FakeClock, settled } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { type LocksOf, World } from "../testing/world.js";
import {
  type AuditValue,
  type LocksValue,
  type LockValue,
  lifeInStore,
  lockKey,
  sessionKey,
} from "./entries/schema.js";
import { isLockError } from "./errors.js";
import { openLocks } from "./locks.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;
let one: LocksOf;
let two: LocksOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.locks();
  two = await world.locks();
});

describe("releases", () => {
  test("a release frees the lock once, and the signal of the lease never fires", async () => {
    const lease = await one.locks.acquire("a");
    expect(lease.held).toBe(true);
    lease.assertHeld();
    await lease.release();
    await lease.release();
    expect(lease.held).toBe(false);
    expect(() => lease.assertHeld()).toThrow("was released");
    expect(lease.signal.aborted).toBe(false);
    expect(await two.locks.find("a")).toBeUndefined();
    await clock.advance(3_600_000);
    expect(lease.signal.aborted).toBe(false);
  });

  test("a release ends the lease before the store has applied it", async () => {
    const lease = await one.locks.acquire("a");
    one.way.once("lock", { type: "slow", ms: 500 });
    const released = lease.release();
    expect(lease.held).toBe(false);
    expect(() => lease.assertHeld()).toThrow("was released");
    await clock.until(released);
  });

  test("a lease of await using is released at the end of its block", async () => {
    {
      await using lease = await one.locks.acquire("a");
      expect(lease.held).toBe(true);
    }
    expect(await two.locks.find("a")).toBeUndefined();
  });

  test("the release of a lock that another process holds by now changes nothing (D4, D5)", async () => {
    const old = await one.locks.acquire("a");
    one.way.fault = () => ({ type: "refused" });
    await clock.advance(2 * TTL);
    const fresh = await two.locks.acquire("a");
    one.way.fault = () => undefined;
    await old.release();
    expect((await two.locks.find("a"))?.fence).toBe(fresh.fence);
    expect(fresh.held).toBe(true);
  });

  test("a release is tried again while the store is away", async () => {
    const lease = await one.locks.acquire("a");
    one.way.fault = () => ({ type: "refused" });
    const released = lease.release();
    await clock.advance(2_000);
    one.way.fault = () => undefined;
    await clock.until(released, 1_000);
    expect(await two.locks.find("a")).toBeUndefined();
  });

  test.each(["reply lost", "request lost"] as const)(
    "a release without an answer from the store still frees the lock: %s",
    async (type) => {
      const lease = await one.locks.acquire("a");
      one.way.once("lock", { type });
      await clock.until(lease.release(), 2_000);
      expect(await two.locks.find("a")).toBeUndefined();
    },
  );

  test("a release that failed with an error that no retry mends is made up for by the next heartbeat", async () => {
    const lease = await one.locks.acquire("a");
    const commit = one.way.commit.bind(one.way);
    one.way.commit = () => Promise.reject(new Error("out of memory"));
    expect(await rejection(lease.release())).toBeInstanceOf(Error);
    one.way.commit = commit;
    expect(lease.held).toBe(false);
    await clock.advance(TTL / 2);
    expect(await two.locks.find("a")).toBeUndefined();
  });
});

describe("leases", () => {
  test("a lease is over at its timeout, and its lock is free", async () => {
    const lease = await one.locks.acquire("a", { timeout: 60_000 });
    await clock.advance(59_999);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(TTL / 6);
    expect(lease.signal.reason).toMatchObject({ code: "TIMEOUT", lock: "a" });
    expect(() => lease.assertHeld()).toThrow("ran out of time");
    await two.locks.acquire("a");
    await lease.release();
    expect(await two.locks.find("a")).toBeDefined();
  });

  test("a lease lasts as long as its timeout says, beyond what a timer of Node can count", async () => {
    const lease = await one.locks.acquire("a", { timeout: 90 * 86_400_000 });
    expect(lease.held).toBe(true);
    await clock.advance(60_000);
    expect(lease.held).toBe(true);
  });

  test("all leases of a process are lost with their session, at the local deadline", async () => {
    const leases = await Promise.all(Array.from({ length: 50 }, (_, i) => one.locks.acquire(`lock ${i}`)));
    one.way.fault = () => ({ type: "request lost" });
    await clock.advance(TTL);
    for (const lease of leases) expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  });

  test.each([
    ["deleted", async () => void (await two.channel.unset(lockKey("a")))],
    [
      "replaced",
      async () => void (await two.channel.set(lockKey("a"), (await two.channel.get(lockKey("a"))) as LocksValue)),
    ],
  ])("a lease is lost at the next heartbeat when the entry of its lock was %s", async (_, harm) => {
    const lease = await one.locks.acquire("a");
    const other = await one.locks.acquire("b");
    await harm();
    await clock.advance(TTL / 3);
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
    expect(other.held).toBe(true);
  });

  test("a heartbeat sends its renewal and its check of the locks together, before either is answered", async () => {
    await one.locks.acquire("a");
    // The watch of the lock checks once, too.
    await clock.advance(TTL / 6);
    const sent: Commit[] = [];
    one.way.sent = (commit) => void sent.push(commit);
    one.way.fault = () => ({ type: "slow", ms: 500 });
    await clock.advance(TTL / 6);
    expect(sent.map(({ checks, writes }) => [checks.length, writes.length]).sort()).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  test("a heartbeat that fails does not spare the next one its check of the locks", async () => {
    const lease = await one.locks.acquire("a");
    one.way.fault = () => ({ type: "refused" });
    await clock.advance(TTL / 3);
    await two.channel.unset(lockKey("a"));
    one.way.fault = () => undefined;
    await clock.advance(TTL / 10);
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  });

  test("a forced unlock of a lock of the same process fires the signal of the lease before it writes to the store", async () => {
    const lease = await one.locks.acquire("a");
    const told: boolean[] = [];
    one.way.fault = (call) => {
      if (call.kind === "commit" && call.commit.writes.length > 0) told.push(lease.signal.aborted);
      return undefined;
    };
    await one.locks.forceUnlock("a", "it hangs");
    expect(told).toEqual([true]);
  });

  test("a forced unlock of a lock of the same process that fails is made up for by the next heartbeat", async () => {
    await one.locks.acquire("a");
    one.way.once("audit", { type: "refused" });
    expect(await rejection(one.locks.forceUnlock("a", "it hangs"))).toMatchObject({ code: "UNAVAILABLE" });
    await clock.advance(TTL / 3 + 1);
    expect(await two.locks.find("a")).toBeUndefined();
  });

  test("a lease is no longer held in a process that was suspended beyond its session, before its timers fire", async () => {
    const lease = await one.locks.acquire("a");
    clock.block(TTL);
    expect(lease.held).toBe(false);
    expect(() => lease.assertHeld()).toThrow("is lost");
  });

  test("a lease is no longer held once its timeout passed, before the timers of a busy program fire", async () => {
    const lease = await one.locks.acquire("a", { timeout: 1_000 });
    clock.block(999);
    expect(lease.held).toBe(true);
    lease.assertHeld();
    clock.block(1);
    expect(lease.held).toBe(false);
    expect(() => lease.assertHeld()).toThrow("ran out of time");
    expect(lease.session.alive).toBe(true);
  });

  test("one heartbeat keeps two hundred leases with three commits", async () => {
    for (let i = 0; i < 200; i++) await one.locks.acquire(`lock ${i}`);
    await clock.advance(100);
    const commits = one.way.commits.length;
    await clock.advance(TTL / 3);
    // The renewal, and two checks of a hundred locks each.
    expect(one.way.commits.length).toBe(commits + 3);
    await clock.advance(10 * TTL);
    expect((await two.locks.list()).length).toBe(200);
  });
});

describe("forced unlocks", () => {
  test("a forced unlock frees the lock, signals the holder, and leaves an audit record with the reason (D17)", async () => {
    const lease = await one.locks.acquire("a", { note: { run: 7 } });
    const at = clock.now();
    expect(await two.locks.forceUnlock("a", "it hangs")).toMatchObject({ name: "a", fence: lease.fence });
    expect(await two.locks.find("a")).toBeUndefined();
    const [audit] = (await two.channel.getAll({ prefix: ["audit", "a"] })) as AuditValue[];
    expect(audit).toMatchObject({ name: "a", at, reason: "it hangs", fence: lease.fence, lock: { note: { run: 7 } } });
    expect(audit?.by.instance).not.toBe(lease.session.id);
    await clock.advance(TTL / 3);
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  });

  test("a forced unlock of a lock of the same process gives its holder the reason at once", async () => {
    const lease = await one.locks.acquire("a");
    const other = await one.locks.acquire("b");
    await one.locks.forceUnlock("a", "it hangs");
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
    expect((lease.signal.reason as Error).message).toContain("it hangs");
    expect(other.held).toBe(true);
  });

  test("a forced unlock of a lock that no process holds returns undefined, and leaves no audit record", async () => {
    expect(await two.locks.forceUnlock("a", "just in case")).toBeUndefined();
    expect(await two.channel.size({ prefix: ["audit"] })).toBe(0);
  });

  test("a forced unlock gives the lock to the first waiter", async () => {
    await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 60_000 });
    await settled();
    await one.locks.forceUnlock("a", "it hangs");
    await clock.until(next, 0);
  });

  test("a forced unlock frees the lock of a new holder that took it meanwhile", async () => {
    const first = await one.locks.acquire("a");
    const seen: string[] = [];
    const unlocked = await two.locks.operator.forceUnlock("a", { reason: "why not" }, async (lock) => {
      seen.push(lock.version);
      if (seen.length > 1) return;
      await first.release();
      await one.locks.acquire("a");
    });
    expect(seen.length).toBe(2);
    expect(unlocked?.fence).toBe(seen[1]);
  });
});

describe("list and find", () => {
  test("held locks are listed by name, with their note and the number of waiters", async () => {
    await one.locks.acquire("b");
    await two.locks.acquire("a b", { note: "x" });
    await one.locks.acquire("a");
    const wait = rejection(two.locks.acquire("a", { wait: 1_000 }));
    await settled();
    expect((await two.locks.list()).map(({ name, waiting, note }) => [name, waiting, note])).toEqual([
      ["a", 1, undefined],
      ["a b", 0, "x"],
      ["b", 0, undefined],
    ]);
    expect(await two.locks.find("a")).toMatchObject({ waiting: 1, since: clock.now() });
    await clock.until(wait);
  });
});

test("a lock that is lost and never released is forgotten by its process", async () => {
  const lease = await one.locks.acquire("a");
  one.way.fault = () => ({ type: "refused" });
  await clock.advance(2 * TTL);
  one.way.fault = () => undefined;
  expect(lease.signal.aborted).toBe(true);
  const other = await one.locks.acquire("b");
  await clock.advance(TTL);
  const keys = new Set<string>();
  one.way.fault = (call) => {
    if (call.kind === "commit") for (const { key } of call.commit.checks) keys.add(key);
    return undefined;
  };
  await clock.advance(2 * TTL);
  expect([...keys].join()).toContain('"b');
  expect([...keys].join()).not.toContain('"a');
  await other.release();
  await clock.advance(3_600_000);
  expect(await one.locks.find("a")).toBeUndefined();
});

test.each([undefined, null, "LOCKED", 5, {}, new Error("locked")])("isLockError is false for %s", (value) => {
  expect(isLockError(value)).toBe(false);
});

describe("sweeping", () => {
  test("a sweep removes the locks of dead sessions after onOrphan, and no other locks", async () => {
    const orphans: string[] = [];
    const sweeper = await world.locks({ onOrphan: async ({ value }) => void orphans.push(value.name) });
    await one.locks.acquire("dead 1");
    await one.locks.acquire("dead 2");
    await two.locks.acquire("alive");
    one.way.fault = () => ({ type: "refused" });
    await clock.advance(2 * TTL);
    await sweeper.locks.sweep();
    expect(orphans).toEqual(["dead 1", "dead 2"]);
    expect((await sweeper.locks.list()).map(({ name }) => name)).toEqual(["alive"]);
  });

  test("a sweep leaves a lock that was taken over meanwhile", async () => {
    const sweeper = await world.locks({
      onOrphan: async () => {
        two.way.fault = () => undefined;
        await two.locks.acquire("a");
      },
    });
    await one.locks.acquire("a");
    one.way.fault = () => ({ type: "refused" });
    await clock.advance(2 * TTL);
    await sweeper.locks.sweep();
    expect((await sweeper.channel.get(lockKey("a"))) as LockValue).toMatchObject({ name: "a" });
  });
});

describe("close", () => {
  test("close releases every lease, ends the session, and leaves no timer; later calls reject as CLOSED", async () => {
    const alone = new World();
    const { locks, channel } = await alone.locks();
    await locks.acquire("a");
    const b = await locks.acquire("b");
    await locks.close({ grace: 0 });
    await locks.close();
    expect(b.held).toBe(false);
    expect(await channel.size()).toBe(0);
    expect(alone.clock.pending).toBe(0);
    expect(await rejection(locks.acquire("a"))).toMatchObject({ code: "CLOSED" });
    expect(await rejection(locks.forceUnlock("a", "x"))).toMatchObject({ code: "CLOSED" });
  });

  test("close fires the signal of each lease before the lock is given back", async () => {
    const lease = await one.locks.acquire("a");
    const told: unknown[] = [];
    one.way.fault = (call) => {
      if (call.kind === "commit") told.push(lease.signal.reason);
      return undefined;
    };
    await clock.until(one.locks.close());
    expect(told.length).toBeGreaterThan(0);
    for (const reason of told) expect(reason).toMatchObject({ code: "CLOSING", lock: "a" });
    expect(await two.locks.find("a")).toBeUndefined();
  });

  test("close ends although the store is away, and the locks end with the session", async () => {
    const lease = await one.locks.acquire("a");
    one.way.fault = () => ({ type: "refused" });
    await clock.until(one.locks.close(), 2 * TTL);
    expect(lease.held).toBe(false);
    await clock.advance(lifeInStore(TTL));
    await two.locks.acquire("a");
  });

  test("close during an attempt leaves no lock behind", async () => {
    await (await one.locks.acquire("warm up")).release();
    one.way.once('"a', { type: "slow", ms: 500 });
    const attempt = rejection(one.locks.acquire("a"));
    await clock.until(one.locks.close());
    expect(await clock.until(attempt)).toMatchObject({ code: "CLOSED" });
    expect(await one.channel.size()).toBe(0);
  });

  test("close during the opening of a session leaves no session behind", async () => {
    one.way.once("session", { type: "slow", ms: 500 });
    const attempt = rejection(one.locks.acquire("a"));
    await clock.until(one.locks.close());
    expect(await clock.until(attempt)).toMatchObject({ code: "CLOSED" });
    expect(await one.channel.size()).toBe(0);
  });

  test("a second close at the same time waits for the first close", async () => {
    await one.locks.acquire("a");
    one.way.once("lock", { type: "slow", ms: 500 });
    const first = one.locks.close();
    await clock.until(one.locks.close());
    expect(await two.locks.find("a")).toBeUndefined();
    await first;
  });
});

test("more than ten leases and waits at once cause no warning of a leak of listeners", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  const stop = new AbortController();
  for (let i = 0; i < 30; i++) await one.locks.acquire(`lock ${i}`);
  const waits = Array.from({ length: 30 }, (_, i) =>
    rejection(two.locks.acquire(`lock ${i}`, { wait: 60_000, signal: stop.signal })),
  );
  await clock.advance(1_000);
  stop.abort();
  for (const error of await clock.until(Promise.all(waits))) expect(isLockError(error)).toBe(true);
  process.off("warning", note);
  expect(warnings).toEqual([]);
});

test("close of one process does not end the session of another process", async () => {
  const lease = await one.locks.acquire("a");
  await two.locks.acquire("b");
  await two.locks.close({ grace: 0 });
  expect(await one.channel.entry(sessionKey(lease.session.id))).toBeDefined();
});

test("locks work with the system clock", async () => {
  await using channel = await openChannel<LocksValue>("real locks");
  const locks = openLocks(channel);
  const lease = await locks.acquire("a", { timeout: 10 });
  const next = locks.acquire("a", { wait: 50_000 });
  expect((await next).held).toBe(true);
  expect(lease.signal.reason).toMatchObject({ code: "TIMEOUT" });
  await locks.close();
});
