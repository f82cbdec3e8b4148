import { beforeEach, describe, expect, test } from "vitest";
import { ChannelError } from "../channel/errors.js";
import { type FakeClock, settled } from "../testing/fake-clock.js";
import { keptBy } from "../testing/kept-by.js";
import { rejection } from "../testing/settle.js";
import { cut, waiting } from "../testing/tickets.js";
import { type LocksOf, World } from "../testing/world.js";
import { queueKey, sessionKey } from "./entries/schema.js";
import { ticketsOf } from "./entries/valid.js";
import { isLockError } from "./errors.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

async function countCalls({ channel }: LocksOf): Promise<number> {
  let calls = 0;
  for await (const { key } of channel.entries({ prefix: ["session"] })) if ((key as string[])[2] === "call") calls++;
  return calls;
}

describe("waits", () => {
  test("a wait ends at once after the release, woken by the watch", async () => {
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

  test("a wait is woken also by a release that it hears of while it still reads the state before", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 60_000 });
    await clock.advance(500);
    // From now on answers are slow; events are not.
    const scan = two.way.scan.bind(two.way);
    two.way.scan = async (request) => {
      const page = await scan(request);
      await new Promise<void>((resolve) => void clock.after(100, resolve));
      return page;
    };
    // The next check in case a notice was lost.
    await clock.advance(1_550);
    await lease.release();
    await clock.until(next, 150);
  });

  test("a wait begins without a read of the holder's session, if the holder was read recently", async () => {
    const [one, two] = [await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a");
    await rejection(two.locks.acquire("a"));
    await clock.advance(0.2 * TTL);
    const { reads } = two.way;
    const next = two.locks.acquire("a", { wait: 60_000 });
    await settled();
    expect(await waiting(one)).toBe(1);
    // The read covers changes from before it watched the lock.
    expect(two.way.reads).toBe(reads + 1);
    await lease.release();
    await clock.until(next);
  });

  test("a wait works in a store without watches too", async () => {
    const one = await world.locks();
    const two = await world.locks({ way: await world.way({ watch: false }) });
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 60_000 });
    await clock.advance(1_000);
    await lease.release();
    await clock.until(next, 200);
  });

  test("waiters get the lock in order of arrival", async () => {
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

  test("a release wakes the first waiter of the queue and the one that is now near, however many come and go", async () => {
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
    // The first holds the lock, the second is the first in line, and the fifth is near.
    expect(asked().map((n) => n > 0)).toEqual([true, true, false, false, true, false]);
    for (const next of [...all, coming]) await (await clock.until(next)).release();
  });

  test("the next waiter is woken when the first waiter gives up while the lock is free", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const three = await world.locks();
    const lease = await one.locks.acquire("a");
    const stop = new AbortController();
    const first = rejection(two.locks.acquire("a", { wait: 600_000, signal: stop.signal }));
    await settled();
    const second = three.locks.acquire("a", { wait: 600_000 });
    await settled();
    // The first one gets all events late.
    two.way.heard = () => new Promise((resolve) => void clock.after(300, resolve));
    await lease.release();
    await clock.advance(10);
    stop.abort();
    await clock.until(second, 610);
    two.way.heard = async () => {};
    await clock.until(first);
  });

  test("a wait continues after a gap in the watch of the lock", async () => {
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

  test("a wait continues after a gap in which its call was lost", async () => {
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    let gap = (): void => expect.unreachable();
    const watch = three.way.watch.bind(three.way);
    three.way.watch = (range, sink) => {
      if (!range.from.includes("call")) return watch(range, sink);
      gap = () => sink.gap();
      return watch(range, { ...sink, change: () => {} });
    };
    const lease = await one.locks.acquire("a");
    const first = two.locks.acquire("a", { wait: 600_000 });
    await settled();
    const second = three.locks.acquire("a", { wait: 600_000 });
    await settled();
    await lease.release();
    await (await clock.until(first, 0)).release();
    await settled();
    expect(await one.locks.find("a")).toBeUndefined();
    gap();
    await clock.until(second, 0);
  });

  test("a wait fails when the watch of its call fails, and leaves no ticket", async () => {
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    let begun = 0;
    let fail = (_error: Error): void => expect.unreachable();
    const watch = three.way.watch.bind(three.way);
    three.way.watch = (range, sink) => {
      if (range.from.includes("call")) {
        fail = (error) => sink.fail(error);
        begun++;
      }
      return watch(range, sink);
    };
    await one.locks.acquire("a");
    void rejection(two.locks.acquire("a", { wait: 600_000 }));
    await settled();
    const second = rejection(three.locks.acquire("a", { wait: 600_000 }));
    await settled();
    fail(new ChannelError("NOT_SUPPORTED", "no more"));
    expect(await clock.until(second, 0)).toMatchObject({ code: "NOT_SUPPORTED" });
    expect(await waiting(one)).toBe(1);
    // The next waiter does not rely on it.
    void rejection(three.locks.acquire("a", { wait: 600_000 }));
    await settled();
    expect(begun).toBe(2);
  });

  test("a wait fails where the store cannot be watched now, and leaves no ticket", async () => {
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

  test("a waiter leaves no call behind, neither when it closes nor when it dies", async () => {
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

  test("a waiter is not overtaken, not even by an attempt at the moment when the lock is free", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const three = await world.locks();
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 60_000 });
    await settled();
    // The notice to the waiter is delayed.
    two.way.fault = (call) => (call.kind === "commit" ? { type: "slow", ms: 50 } : undefined);
    await lease.release();
    expect(await rejection(three.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
    await clock.until(next);
  });

  test("a waiter behind dead waiters gets the lock", async () => {
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

  test("the ticket of a dead waiter is removed while the holder is still running, and the next waiter is then the first", async () => {
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

  test("a waiter finds that the holder died, though others come and go in the queue all the time", async () => {
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

  test("a wait that ends in vain leaves no ticket, and names the holder of the lock", async () => {
    const one = await world.locks();
    const two = await world.locks();
    await one.locks.acquire("a");
    const start = clock.monotonic();
    const error = await clock.until(rejection(two.locks.acquire("a", { wait: 2_500 })));
    expect(clock.monotonic() - start).toBe(2_500);
    expect(error).toMatchObject({ code: "LOCKED", held: { name: "a", waiting: 0 } });
    expect(await one.channel.entry(queueKey("a"))).toBeUndefined();
  });

  test("a wait is ended by its signal, and leaves no ticket", async () => {
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

  test("a wait with a signal that has fired already does not begin, and takes nothing", async () => {
    const { locks, channel } = await world.locks();
    const error = await rejection(locks.acquire("a", { signal: AbortSignal.abort("stop") }));
    expect(error).toMatchObject({ code: "ABORTED" });
    expect(await channel.size({ prefix: ["lock"] })).toBe(0);
  });

  test("a wait continues in a new session when the session of its ticket is over", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 600_000 });
    await settled();
    const [ticket] = ticketsOf(await one.channel.get(queueKey("a")));
    await one.channel.unset(sessionKey(ticket?.session ?? ""));
    await clock.advance(TTL);
    expect(await waiting(one)).toBe(1);
    await lease.release();
    const mine = await clock.until(next);
    expect(mine.session.id).not.toBe(ticket?.session);
  });

  test("a wait is ended by close, and keeps no other waiter from the lock", async () => {
    const one = await world.locks();
    const two = await world.locks();
    const three = await world.locks();
    const lease = await one.locks.acquire("a");
    const second = rejection(two.locks.acquire("a", { wait: 600_000 }));
    await clock.advance(1_000);
    const third = three.locks.acquire("a", { wait: 600_000 });
    // Long enough for all processes to see each other alive.
    await clock.advance(1_000);
    await clock.until(two.locks.close());
    expect(await clock.until(second)).toMatchObject({ code: "CLOSED" });
    expect(await waiting(one)).toBe(1);
    await lease.release();
    await clock.until(third, 0);
  });
});

test("a signal that outlives many waits keeps no listeners of them", async () => {
  const [one, two] = [await world.locks(), await world.locks()];
  await one.locks.acquire("a");
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) {
    await clock.until(rejection(two.locks.acquire("a", { wait: 500, signal })));
  }
  expect(keptBy(signal)).toBe(0);
});

test("a wait that is over leaves no timer, however long it might have lasted", async () => {
  const [one, two] = [await world.locks(), await world.locks()];
  const pass = async (): Promise<number> => {
    const lease = await one.locks.acquire("a");
    const next = two.locks.acquire("a", { wait: 600_000 });
    await settled();
    await lease.release();
    await (await clock.until(next, 0)).release();
    // A watch that was needed only for a moment ends with the next heartbeat.
    await clock.advance(TTL);
    return clock.pending;
  };
  const before = await pass();
  for (let i = 0; i < 4; i++) await pass();
  expect(await pass()).toBe(before);
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
