import { getEventListeners } from "node:events";
import { beforeEach, describe, expect, test } from "vitest";
import { ChannelError, isChannelError } from "../channel/errors.js";
import { compareVersions } from "../channel/version.js";
import { type FakeClock, settled } from "../testing/fake-clock.js";
import type { Call, Fault } from "../testing/faulty-backend.js";
import { rejection } from "../testing/settle.js";
import { type LocksOf, World } from "../testing/world.js";
import { lockKey, type QueueValue, queueKey, sessionKey } from "./entries.js";
import { isLockError, type LockError } from "./errors.js";
import type { Lease } from "./lease.js";
import { leaveQueue } from "./queue.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

async function waiting({ channel }: LocksOf, name = "a"): Promise<number> {
  return ((await channel.get(queueKey(name))) as QueueValue | undefined)?.waiting.length ?? 0;
}

async function countCalls({ channel }: LocksOf): Promise<number> {
  let calls = 0;
  for await (const { key } of channel.entries({ prefix: ["session"] })) if ((key as string[])[2] === "call") calls++;
  return calls;
}

/** Everything from now on goes wrong: for the others, the process is as good as dead. */
function cut({ way }: LocksOf): void {
  way.fault = () => ({ type: "refused" });
}

/** The next commit is applied, and the driver fails with an error that is none of a channel's. */
function breakOnce({ way }: LocksOf): void {
  const { commit } = way;
  way.commit = async (it, options) => {
    way.commit = commit;
    await way.commit(it, options);
    throw new TypeError("no such property");
  };
}

const onWrite =
  (part: string, fault: Fault) =>
  (call: Call): Fault | undefined =>
    call.kind === "commit" && call.commit.writes.some(({ key }) => key.includes(part)) ? fault : undefined;

describe("taking a lock", () => {
  test("has one winner of many, in one process and across processes", async () => {
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

  test("that is free costs one commit and no read", async () => {
    const { locks, way } = await world.locks();
    await (await locks.acquire("warm up")).release();
    const commits = way.commits.length;
    const lease = await locks.acquire("a");
    expect(way.commits.length).toBe(commits + 1);
    await lease.release();
    expect(way.commits.length).toBe(commits + 2);
    expect(way.reads).toBe(0);
  });

  test("tells the loser who holds it, and changes nothing", async () => {
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
    // The loser's session is all that came in addition.
    expect((await one.channel.getAll()).length).toBe(before.length + 1);
    expect((await one.channel.entry(lockKey("a")))?.version).toBe(lease.fence);
  });

  test("whose answer comes after its timeout gives nothing to hold, and frees the lock", async () => {
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

  test("whose answer comes after the end of its session gives nothing to hold", async () => {
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

  test("gives out fences that only ever go up", async () => {
    const processes = [await world.locks(), await world.locks()];
    let last = "0";
    for (let i = 0; i < 50; i++) {
      const lease = await processes[i % 2]?.locks.acquire("a");
      expect(compareVersions(lease?.fence ?? "", last)).toBeGreaterThan(0);
      last = lease?.fence ?? "";
      await lease?.release();
    }
  });

  test("of a process that fell silent is possible once its session is over, and at no time before", async () => {
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

  test("of a dead process has one winner of many", async () => {
    const one = await world.locks();
    await one.locks.acquire("a");
    cut(one);
    await clock.advance(2 * TTL);
    const others = await Promise.all(Array.from({ length: 8 }, () => world.locks()));
    const outcomes = await clock.until(Promise.allSettled(others.map(({ locks }) => locks.acquire("a"))));
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBe(1);
  });

  test("is not helped by a wall clock that runs ahead (D13)", async () => {
    const one = await world.locks();
    await one.locks.acquire("a", { timeout: 60_000 });
    const two = await world.locks();
    clock.wall += 7_200_000;
    expect(await rejection(two.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
    await clock.advance(2 * TTL);
    expect(await rejection(two.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
  });

  test("calls for the cleaning up after a dead holder before it takes over", async () => {
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

  test("goes on with a renewal that was applied while the attempt was under way", async () => {
    const { locks, way } = await world.locks();
    await (await locks.acquire("warm up")).release();
    // The store has renewed the session, and the answer takes its time.
    way.once("session", { type: "reply lost" });
    await clock.advance(TTL / 3);
    const lease = await clock.until(locks.acquire("a"));
    expect(lease.held).toBe(true);
  });

  test("goes on at once when the session was renewed once more before the answer came", async () => {
    const { locks, way } = await world.locks();
    await (await locks.acquire("warm up")).release();
    // The store has renewed the session, and the answer takes its time, longer than the next renewal does.
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

  test("opens a new session in place of one whose entry was removed", async () => {
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
    { timeout: "1h" },
    { timeout: -1 },
    { wait: -1 },
    { wait: "x" },
  ])("refuses %j", async ({ name = "a", ...options }) => {
    const { locks } = await world.locks();
    expect(await rejection(locks.acquire(name as string, options as object))).toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

describe("waiting", () => {
  test("ends within a step of the release, woken by the watch", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 60_000 });
    await clock.advance(1_050);
    const before = clock.monotonic();
    await lease.release();
    await clock.until(next);
    expect(clock.monotonic()).toBe(before);
    expect(await waiting(one)).toBe(0);
  });

  test("is woken also by a release that it is told of while it reads what was before", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 60_000 });
    await clock.advance(500);
    // From now on an answer takes its time; what is told does not.
    const scan = two.way.scan.bind(two.way);
    two.way.scan = async (request) => {
      const page = await scan(request);
      await new Promise<void>((resolve) => void clock.after(100, resolve));
      return page;
    };
    // The next look in case a notice was lost.
    await clock.advance(1_550);
    await lease.release();
    await clock.until(next, 150);
  });

  test("goes without a watch too", async () => {
    const one = await world.locks();
    const two = await world.locks({ way: await world.way({ watch: false }) });
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 60_000 });
    await clock.advance(1_000);
    await lease.release();
    await clock.until(next, 200);
  });

  test("is in order of arrival", async () => {
    const first = await world.locks();
    const lease = await first.locks.acquire("a");
    const order: number[] = [];
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 12; i++) {
      const { locks } = i % 3 === 0 ? first : await world.locks();
      all.push(
        locks.acquire("a", { wait: 600_000 }).then(async (mine) => {
          order.push(i);
          await clock.advance(0);
          await mine.release();
        }),
      );
      await settled();
      expect(await waiting(first)).toBe(i + 1);
    }
    await clock.advance(5_000);
    await lease.release();
    await clock.until(Promise.all(all));
    expect(order).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(await first.channel.entry(queueKey("a"))).toBeUndefined();
  });

  test("wakes nobody but the first in the queue, however many come and go behind it", async () => {
    const holder = await world.locks();
    const lease = await holder.locks.acquire("a");
    const others = await Promise.all(Array.from({ length: 6 }, () => world.locks()));
    const all = others.map(({ locks }) => locks.acquire("a", { wait: 600_000 }));
    for (const next of all) void next.catch(() => {});
    await settled();
    const calls = (): number[] => others.map(({ way }) => way.reads + way.commits.length);
    const before = calls();
    const asked = (): number[] => calls().map((n, i) => n - (before[i] ?? 0));
    const late = await world.locks();
    const coming = late.locks.acquire("a", { wait: 600_000 });
    await settled();
    expect(asked()).toEqual([0, 0, 0, 0, 0, 0]);
    await lease.release();
    await settled();
    // The first has it now, and the second is the first.
    expect(asked().map((n) => n > 0)).toEqual([true, true, false, false, false, false]);
    for (const next of [...all, coming]) await (await clock.until(next)).release();
  });

  test("wakes the next one when the first gives up while the lock is free", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const three = await world.locks();
    const lease = await one.locks.acquire("a");
    const stop = new AbortController();
    const first = rejection(two.locks.acquire("a", { wait: 600_000, signal: stop.signal }));
    await settled();
    const second = three.locks.acquire("a", { wait: 600_000 });
    await settled();
    // The first hears of everything late.
    two.way.heard = () => new Promise((resolve) => void clock.after(300, resolve));
    await lease.release();
    await clock.advance(10);
    stop.abort();
    await clock.until(second, 610);
    two.way.heard = async () => {};
    await clock.until(first);
  });

  test("goes on after a gap in what is told", async () => {
    const one = await world.locks();
    const two = await world.locks();
    let gap = (): void => {};
    let deaf = false;
    const watch = two.way.watch.bind(two.way);
    two.way.watch = (range, sink) => {
      const before = gap;
      gap = () => {
        before();
        sink.gap();
      };
      return watch(range, { ...sink, change: (change) => void (deaf || sink.change(change)), gap, fail: () => {} });
    };
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 600_000 });
    await settled();
    deaf = true;
    await lease.release();
    await settled();
    expect(await one.locks.find("a")).toBeUndefined();
    gap();
    await clock.until(next, 0);
  });

  test("fails where the store cannot tell of anything, and leaves no ticket", async () => {
    const one = await world.locks();
    const two = await world.locks();
    await one.locks.acquire("a");
    const { watch } = two.way;
    two.way.watch = () => Promise.reject(new ChannelError("UNAVAILABLE", "away", { retryable: true }));
    expect(await rejection(two.locks.acquire("a", { wait: 60_000 }))).toMatchObject({ code: "UNAVAILABLE" });
    expect(await waiting(one)).toBe(0);
    two.way.watch = watch;
    expect(await clock.until(rejection(two.locks.acquire("a", { wait: 500 })))).toMatchObject({ code: "LOCKED" });
  });

  test("leaves no call behind: neither one who leaves in good order, nor one who dies", async () => {
    const one = await world.locks();
    for (const how of ["closes", "dies"]) {
      const lease = await one.locks.acquire("a");
      const first = await world.locks();
      const second = await world.locks();
      const next = first.locks.acquire("a", { wait: 600_000 });
      await settled();
      const called = second.locks.acquire("a", { wait: 600_000 });
      await settled();
      await lease.release();
      await (await clock.until(next)).release();
      await (await clock.until(called)).release();
      const calls = (): Promise<number> => countCalls(one);
      expect(await calls()).toBe(1);
      if (how === "closes") await clock.until(second.locks.close());
      else cut(second);
      await clock.advance(2 * TTL);
      await one.locks.sweep();
      expect(await calls()).toBe(0);
    }
  });

  test("lets nobody pass, not even one who asks at the moment the lock is free", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const three = await world.locks();
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 60_000 });
    await settled();
    // The waiter cannot be told for a while.
    two.way.fault = (call) => (call.kind === "commit" ? { type: "slow", ms: 50 } : undefined);
    await lease.release();
    expect(await rejection(three.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
    await clock.until(next);
  });

  test("behind waiters that died is not in vain", async () => {
    const one = await world.locks();
    const lease = await one.locks.acquire("a");
    for (let i = 0; i < 3; i++) {
      const dead = await world.locks();
      void rejection(dead.locks.acquire("a", { wait: 600_000 }));
      await settled();
      cut(dead);
    }
    const two = await world.locks();
    const next = two.locks.acquire("a", { wait: 600_000 });
    await clock.advance(1_000);
    await lease.release();
    await clock.until(next, 2 * TTL);
    expect(await waiting(one)).toBe(0);
  });

  test("of one who died is over for the others while the holder goes on, and wakes whoever is the first then", async () => {
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a", { timeout: 600_000 });
    void rejection(two.locks.acquire("a", { wait: 600_000 }));
    await clock.advance(100);
    const next = three.locks.acquire("a", { wait: 600_000 });
    await clock.advance(1_000);
    cut(two);
    await clock.advance(2 * TTL);
    expect((await one.locks.find("a"))?.waiting).toBe(1);
    await lease.release();
    await clock.until(next, 0);
  });

  test("while others come and go all the time is no reason to miss that the holder died", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const others = await world.locks();
    await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 600_000 });
    await settled();
    const stop = new AbortController();
    const comeAndGo = async (wait: number): Promise<void> => {
      while (!stop.signal.aborted) await rejection(others.locks.acquire("a", { wait }));
    };
    const coming = [comeAndGo(70), comeAndGo(90), comeAndGo(110)];
    cut(one);
    try {
      await clock.until(next, 2 * TTL);
    } finally {
      stop.abort();
      await clock.until(Promise.all(coming));
    }
  });

  test("that is over in vain leaves no ticket, and tells who was in the way", async () => {
    const one = await world.locks();
    const two = await world.locks();
    await one.locks.acquire("a");
    const start = clock.monotonic();
    const error = await clock.until(rejection(two.locks.acquire("a", { wait: 2_500 })));
    expect(clock.monotonic() - start).toBe(2_500);
    expect(error).toMatchObject({ code: "LOCKED", held: { name: "a", waiting: 0 } });
    expect(await one.channel.entry(queueKey("a"))).toBeUndefined();
  });

  test("is ended by its signal, and leaves no ticket", async () => {
    const one = await world.locks();
    const two = await world.locks();
    await one.locks.acquire("a");
    const stop = new AbortController();
    const next = rejection(two.locks.acquire("a", { wait: 60_000, signal: stop.signal }));
    await clock.advance(700);
    expect(await waiting(one)).toBe(1);
    stop.abort();
    expect(isLockError(await clock.until(next, 0))).toBe(true);
    expect(await waiting(one)).toBe(0);
  });

  test("whose signal has fired before does not begin, and takes nothing", async () => {
    const { locks, channel } = await world.locks();
    const error = await rejection(locks.acquire("a", { signal: AbortSignal.abort("stop") }));
    expect(error).toMatchObject({ code: "ABORTED" });
    expect(await channel.size({ prefix: ["lock"] })).toBe(0);
  });

  test("goes on in a new session when the one of its ticket is over", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 600_000 });
    await settled();
    const ticket = ((await one.channel.get(queueKey("a"))) as QueueValue).waiting[0];
    await one.channel.unset(sessionKey(ticket?.session ?? ""));
    await clock.advance(TTL);
    expect(await waiting(one)).toBe(1);
    await lease.release();
    const mine = await clock.until(next);
    expect(mine.session.id).not.toBe(ticket?.session);
  });

  test("is ended by close, and keeps nobody else waiting", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const three = await world.locks();
    const lease = await one.locks.acquire("a");
    const second = rejection(two.locks.acquire("a", { wait: 600_000 }));
    await clock.advance(1_000);
    const third = three.locks.acquire("a", { wait: 600_000 });
    // Long enough for everybody to know that everybody lives.
    await clock.advance(1_000);
    await clock.until(two.locks.close());
    expect(await clock.until(second)).toMatchObject({ code: "CLOSED" });
    expect(await waiting(one)).toBe(1);
    await lease.release();
    await clock.until(third, 0);
  });
});

test("a signal that outlives many waits keeps nothing of them", async () => {
  const [one, two] = [await world.locks(), await world.locks()];
  await one.locks.acquire("a");
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) {
    await clock.until(rejection(two.locks.acquire("a", { wait: 500, signal })));
  }
  expect(getEventListeners(signal, "abort")).toEqual([]);
  // What AbortSignal.any() makes of a signal is kept there for as long as that lives, whoever has forgotten it. https://github.com/nodejs/node/issues/55351
  const kept = Object.getOwnPropertySymbols(signal).filter(({ description }) => description === "kDependantSignals");
  expect(kept.map((symbol) => (signal as unknown as Record<symbol, Set<unknown>>)[symbol]?.size ?? 0)).toEqual(
    kept.map(() => 0),
  );
});

test("a wait ends at once when its signal fires during its first attempt", async () => {
  const [one, two] = [await world.locks(), await world.locks()];
  await one.locks.acquire("a");
  await (await two.locks.acquire("warm up")).release();
  const stop = new AbortController();
  two.way.once('"a', { type: "slow", ms: 500 });
  const waiting = rejection(two.locks.acquire("a", { wait: 60_000, signal: stop.signal }));
  await clock.advance(100);
  stop.abort();
  expect(await clock.until(waiting, 500)).toMatchObject({ code: "LOCKED" });
});

describe("an attempt of which nobody knows whether it was applied", () => {
  test.each(["reply lost", "request lost"] as const)("is cleaned up: %s", async (type) => {
    const one = await world.locks();
    await (await one.locks.acquire("warm up")).release();
    one.way.once("lock", { type });
    const error = await clock.until(rejection(one.locks.acquire("a")));
    expect(isChannelError(error) && error.outcome).toBe("unknown");
    expect(await one.locks.find("a")).toEqual(type === "reply lost" ? expect.anything() : undefined);
    await clock.advance(TTL / 2);
    expect(await one.channel.size({ prefix: ["lock"] })).toBe(0);
    const two = await world.locks();
    await two.locks.acquire("a");
  });

  test("is cleaned up after a driver that is broken, too", async () => {
    const one = await world.locks();
    await (await one.locks.acquire("warm up")).release();
    breakOnce(one);
    expect(await rejection(one.locks.acquire("a"))).toMatchObject({
      code: "FAILED",
      message: "the backend failed: no such property",
    });
    expect(await one.locks.find("a")).toBeDefined();
    await clock.advance(TTL / 2);
    expect(await one.channel.size({ prefix: ["lock"] })).toBe(0);
  });

  test("takes no lock when it is applied after it was cleaned up", async () => {
    for (let ms = 0; ms < TTL; ms += 500) {
      const one = await world.locks();
      await (await one.locks.acquire("warm up")).release();
      one.way.once('"a', { type: "late", ms });
      await clock.until(rejection(one.locks.acquire("a")));
      await clock.advance(3 * TTL);
      expect(await one.channel.size({ prefix: ["lock"] })).toBe(0);
      await one.locks.close();
    }
  });

  test("is not taken for cleaned up by a question that was asked before it failed", async () => {
    const one = await world.locks();
    await one.locks.acquire("kept");
    // The beat asks about "kept", which takes a second and more; meanwhile an attempt is made, fails, and is applied late.
    one.way.fault = (call) =>
      call.kind === "commit" && call.commit.writes.length === 0 ? { type: "slow", ms: 1_500 } : undefined;
    await clock.advance(TTL / 3);
    one.way.once('"a', { type: "late", ms: 2_000 });
    await clock.until(rejection(one.locks.acquire("a")));
    await clock.advance(3 * TTL);
    expect(await one.locks.find("a")).toBeUndefined();
  });
});

test("who found a session dead takes nothing from one who waits on in a new one", async () => {
  const { channel } = await world.locks();
  const ticket = { session: "new", token: "t" };
  await channel.set(queueKey("a"), { waiting: [ticket] });
  await leaveQueue(channel, "a", { session: "old", token: "t" });
  expect(await channel.get(queueKey("a"))).toEqual({ waiting: [ticket] });
  await leaveQueue(channel, "a", ticket);
  expect(await channel.get(queueKey("a"))).toBeUndefined();
});

describe("a place in the queue of which nobody knows whether it was given", () => {
  test.each(["reply lost", "request lost"] as const)("is cleaned up: %s", async (type) => {
    const one = await world.locks();
    const two = await world.locks();
    await one.locks.acquire("a");
    two.way.once("queue", { type });
    await clock.until(rejection(two.locks.acquire("a", { wait: 60_000 })));
    await clock.advance(TTL / 2);
    expect(await waiting(one)).toBe(0);
  });

  test("is cleaned up after a driver that is broken, though it comes late", async () => {
    const [one, two] = [await world.locks(), await world.locks()];
    await one.locks.acquire("a");
    await (await two.locks.acquire("warm up")).release();
    const { commit } = two.way;
    two.way.commit = async (it, options) => {
      if (!it.writes.some(({ key }) => key.includes("queue"))) return commit.call(two.way, it, options);
      two.way.commit = commit;
      clock.after(1_000, () => void two.way.commit(it, options));
      throw new TypeError("no such property");
    };
    expect(await rejection(two.locks.acquire("a", { wait: 60_000 }))).toMatchObject({ code: "FAILED" });
    await clock.advance(1_000);
    expect(await waiting(one)).toBe(1);
    await clock.advance(TTL / 2);
    expect(await waiting(one)).toBe(0);
  });

  test("that was withdrawn while the program was busy is missed as soon as it is not", async () => {
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a");
    const first = two.locks.acquire("a", { wait: 60_000 });
    await settled();
    const second = three.locks.acquire("a", { wait: 60_000 });
    await clock.advance(100);
    const { waiting: tickets } = (await one.channel.get(queueKey("a"))) as QueueValue;
    // As the stand-in does.
    clock.block(TTL / 6);
    await leaveQueue(one.channel, "a", { token: tickets[1]?.token ?? "" });
    await lease.release();
    await (await clock.until(first, 10)).release();
    await clock.until(second, 300);
  });

  test("is left at once by one whose waiting failed", async () => {
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a");
    const first = rejection(two.locks.acquire("a", { wait: 60_000 }));
    await settled();
    const second = three.locks.acquire("a", { wait: 60_000 });
    await settled();
    let failed = false;
    two.way.fault = ({ kind }) => {
      if (failed || kind === "commit") return undefined;
      failed = true;
      return { type: "request lost" };
    };
    expect(isChannelError(await clock.until(first))).toBe(true);
    await lease.release();
    await clock.until(second, 300);
  });

  test("does not block the lock for ever when it is given late", async () => {
    for (let ms = 0; ms < TTL; ms += 500) {
      const one = await world.locks();
      const two = await world.locks();
      const lease = await one.locks.acquire("a");
      two.way.once("queue", { type: "late", ms });
      await clock.until(rejection(two.locks.acquire("a", { wait: 60_000 })));
      await clock.advance(2 * TTL);
      await lease.release();
      expect(await waiting(one)).toBe(0);
      await (await one.locks.acquire("a")).release();
      await two.locks.close();
      await one.locks.close();
    }
  });

  test("is left when the store comes back, if it could not be left in time", async () => {
    const one = await world.locks();
    const two = await world.locks();
    await one.locks.acquire("a");
    const next = rejection(two.locks.acquire("a", { wait: 2_000 }));
    await clock.advance(1_000);
    two.way.fault = onWrite("queue", { type: "refused" });
    const deleting = two.way.fault;
    await clock.until(next);
    expect(await waiting(one)).toBe(1);
    expect(two.way.fault).toBe(deleting);
    two.way.fault = () => undefined;
    await clock.advance(TTL / 2);
    expect(await waiting(one)).toBe(0);
  });
});

test("a contended lock passes through many hands without a second holder", async () => {
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
