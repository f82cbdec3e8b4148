import { beforeEach, describe, expect, test } from "vitest";
import { compareVersions } from "../../channel/encoding/version.js";
import { type FakeClock, settled } from "../../testing/fake-clock.js";
import { rejection } from "../../testing/settle.js";
import { cut } from "../../testing/tickets.js";
import { World } from "../../testing/world.js";
import { lockKey, queueKey, sessionKey } from "../entries/schema.js";
import { leaveQueue } from "../entries/view.js";
import { isLockError, type LockError } from "../errors.js";
import type { Lease } from "../hold/lease.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe("acquire", () => {
  test("of many attempts at one lock exactly one wins, in one process and across processes", async () => {
    const processes = await Promise.all(Array.from({ length: 8 }, () => world.locks()));
    for (let i = 0; i < 20; i++) {
      const all = processes.flatMap(({ locks }) => [locks.acquire(`lock ${i}`), locks.acquire(`lock ${i}`)]);
      const outcomes = await clock.until(Promise.allSettled(all));
      expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBe(1);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(isLockError(outcome.reason)).toBe(true);
      }
    }
  });

  test("an attempt at a free lock costs one commit and no read", async () => {
    const { locks, way } = await world.locks();
    await (await locks.acquire("warm up")).release();
    const commits = way.commits.length;
    const lease = await locks.acquire("a");
    expect(way.commits.length).toBe(commits + 1);
    await lease.release();
    expect(way.commits.length).toBe(commits + 2);
    expect(way.reads).toBe(0);
  });

  test("an attempt at a held lock names the holder of the lock, and changes nothing", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const lease = await one.locks.acquire("a", { note: { run: 5 } });
    const before = await one.channel.getAll();
    const error = (await rejection(two.locks.acquire("a"))) as LockError;
    expect(error).toMatchObject({ code: "LOCKED", lock: "a" });
    expect(error.held).toMatchObject({
      name: "a",
      fence: lease.fence,
      note: { run: 5 },
      waiting: 0,
      holder: lease.session.holder,
    });
    expect(error.message).toContain(`pid ${process.pid}`);
    // Only the loser's session was added.
    expect((await one.channel.getAll()).length).toBe(before.length + 1);
    expect((await one.channel.entry(lockKey("a")))?.version).toBe(lease.fence);
  });

  test("a lock whose grant is answered after its timeout is not held, and is freed", async () => {
    const one = await world.locks();
    await (await one.locks.acquire("warm up")).release();
    one.way.once('"a', { type: "slow", ms: 100 });
    const taking = one.locks.acquire("a", { timeout: 50 });
    let fired: unknown;
    void taking.then(({ signal }) => {
      fired = signal.reason;
    });
    await clock.until(taking);
    expect(fired).toMatchObject({ code: "TIMEOUT" });
    await settled();
    expect(await one.locks.find("a")).toBeUndefined();
  });

  test("a lock whose grant is answered after the end of its session is not held, and is freed", async () => {
    const one = await world.locks();
    await (await one.locks.acquire("warm up")).release();
    const commit = one.way.commit.bind(one.way);
    one.way.commit = async (...args) => {
      one.way.commit = commit;
      const outcome = await commit(...args);
      clock.block(TTL);
      return outcome;
    };
    let fired: unknown;
    const taking = one.locks.acquire("a");
    void taking.then(({ signal }) => {
      fired = signal.reason;
    });
    await clock.until(taking);
    expect(fired).toMatchObject({ code: "LOST" });
    await settled();
    expect(await one.locks.find("a")).toBeUndefined();
  });

  test("the fences of successive leases only ever go up", async () => {
    const processes = [await world.locks(), await world.locks()];
    let last = "0";
    for (let i = 0; i < 50; i++) {
      const lease = await processes[i % 2]?.locks.acquire("a");
      expect(compareVersions(lease?.fence ?? "", last)).toBeGreaterThan(0);
      last = lease?.fence ?? "";
      await lease?.release();
    }
  });

  test("the lock of a process that fell silent is free once its session is over, and at no time before", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const lease = await one.locks.acquire("a");
    cut(one);
    while (!lease.signal.aborted) {
      expect(isLockError(await rejection(two.locks.acquire("a")))).toBe(true);
      await clock.advance(250);
    }
    await clock.advance(TTL);
    const next = await two.locks.acquire("a");
    expect(compareVersions(next.fence, lease.fence)).toBeGreaterThan(0);
  });

  test("of many attempts at the lock of a dead process exactly one wins", async () => {
    const one = await world.locks();
    await one.locks.acquire("a");
    cut(one);
    await clock.advance(2 * TTL);
    const others = await Promise.all(Array.from({ length: 8 }, () => world.locks()));
    const outcomes = await clock.until(Promise.allSettled(others.map(({ locks }) => locks.acquire("a"))));
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBe(1);
  });

  test("tickets of dead sessions in the queue do not block a lock, and tickets of live sessions do", async () => {
    const one = await world.locks();
    const waiting = [
      { session: "gone", token: "1" },
      { session: "gone, too", token: "2" },
    ];
    await one.channel.set(queueKey("a"), { waiting });
    const lease = await one.locks.acquire("a");
    expect(await one.channel.get(queueKey("a"))).toBeUndefined();
    await lease.release();
    await one.channel.set(queueKey("a"), { waiting: [...waiting, { session: lease.session.id, token: "3" }] });
    expect(await rejection(one.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
  });

  test("a wall clock that runs ahead does not take a lock from its holder (D13)", async () => {
    const one = await world.locks();
    await one.locks.acquire("a", { timeout: 60_000 });
    const two = await world.locks();
    clock.wall += 7_200_000;
    expect(await rejection(two.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
    await clock.advance(2 * TTL);
    expect(await rejection(two.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
  });

  test("onOrphan is called for a dead holder before the lock is taken over", async () => {
    const orphans: string[] = [];
    const one = await world.locks();
    const two = await world.locks({
      onOrphan: async (lock) => {
        expect((await two.channel.entry(lockKey("a")))?.version).toBe(lock.version);
        orphans.push(lock.version);
      },
    });
    const { fence } = await one.locks.acquire("a");
    cut(one);
    await clock.advance(2 * TTL);
    await two.locks.acquire("a");
    expect(orphans).toEqual([fence]);
  });

  test("an attempt succeeds although a renewal of its session was applied meanwhile", async () => {
    const { locks, way } = await world.locks();
    await (await locks.acquire("warm up")).release();
    // The store has renewed the session, but the answer is late.
    way.once("session", { type: "reply lost" });
    await clock.advance(TTL / 3);
    const lease = await clock.until(locks.acquire("a"));
    expect(lease.held).toBe(true);
  });

  test("an attempt continues at once when its session was renewed once more before the answer came", async () => {
    const { locks, way } = await world.locks();
    await (await locks.acquire("warm up")).release();
    // The store has renewed the session, but the answer comes later than that of the next renewal.
    way.once("session", { type: "reply lost" });
    await clock.advance(TTL / 3);
    const { commit } = way;
    way.commit = async (it, options) => {
      way.commit = commit;
      const answer = await way.commit(it, options);
      await new Promise<void>((resolve) => void clock.after(TTL / 2, resolve));
      return answer;
    };
    await clock.until(locks.acquire("a"), TTL / 2 + 100);
  });

  test("an attempt opens a new session in place of a session whose entry was removed", async () => {
    const { locks, channel } = await world.locks();
    const first = await locks.acquire("a");
    await channel.unset(sessionKey(first.session.id));
    const second = await locks.acquire("b");
    expect(second.session).not.toBe(first.session);
    expect(first.signal.reason).toMatchObject({ code: "LOST" });
  });

  test.each([
    { name: "" },
    { name: 5 },
    { timeout: 0 },
    { timeout: "1 hour" },
    { timeout: -1 },
    { wait: -1 },
    { wait: "x" },
  ])("acquire refuses %j", async ({ name = "a", ...options }) => {
    const { locks } = await world.locks();
    expect(await rejection(locks.acquire(name as string, options as object))).toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

test("leaveQueue with the ticket of a dead session leaves the same waiter's ticket of a new session alone", async () => {
  const { channel } = await world.locks();
  const ticket = { session: "new", token: "t" };
  await channel.set(queueKey("a"), { waiting: [ticket] });
  await leaveQueue(channel, "a", { session: "old", token: "t" });
  expect(await channel.get(queueKey("a"))).toEqual({ waiting: [ticket] });
  await leaveQueue(channel, "a", ticket);
  expect(await channel.get(queueKey("a"))).toBeUndefined();
});

test("leaveQueue removes a ticket even if another ticket enters the queue at that moment", async () => {
  const [one, two] = [await world.locks(), await world.locks()];
  const mine = { session: "s", token: "mine" };
  const waiting = [mine, { session: "s", token: "2" }];
  await one.channel.set(queueKey("a"), { waiting });
  const commit = one.way.commit.bind(one.way);
  one.way.commit = async (...args) => {
    one.way.commit = commit;
    await two.channel.set(queueKey("a"), { waiting: [...waiting, { session: "s", token: "3" }] });
    return commit(...args);
  };
  await leaveQueue(one.channel, "a", mine);
  expect(await one.channel.get(queueKey("a"))).toMatchObject({ waiting: [{ token: "2" }, { token: "3" }] });
});

test("a contended lock passes through many holders without two holders at once", async () => {
  const processes = await Promise.all(Array.from({ length: 4 }, () => world.locks()));
  let inside = 0;
  let entered = 0;
  const body = async (lease: Lease): Promise<void> => {
    expect(++inside).toBe(1);
    entered++;
    await clock.advance(0);
    inside--;
    await lease.release();
  };
  const all = processes.flatMap(({ locks }) =>
    Array.from({ length: 8 }, () => locks.acquire("a", { wait: 600_000 }).then(body)),
  );
  await clock.until(Promise.all(all));
  expect(entered).toBe(32);
});

test("an attempt opens one new session when the store went back to an older version of the session", async () => {
  const one = await world.locks();
  const lease = await one.locks.acquire("warm up");
  await clock.advance(TTL);
  const commit = one.way.commit.bind(one.way);
  one.way.commit = async (it, options) => {
    if (!it.checks.some((check) => check.key.includes(lease.session.id))) return commit(it, options);
    one.way.commits.push(it);
    const stored = (check: { readonly key: string }) => ({ key: check.key, value: '{"id":"?"}', version: "1" });
    return { ok: false, current: it.checks.map((check) => (check.version === null ? undefined : stored(check))) };
  };
  const before = one.way.commits.length;
  const next = await clock.until(one.locks.acquire("a"), 1);
  expect(next.session.id).not.toBe(lease.session.id);
  expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  expect(one.way.commits.length - before).toBeLessThan(8);
});
