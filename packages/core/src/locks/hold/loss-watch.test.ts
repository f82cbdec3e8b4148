import { beforeEach, describe, expect, test } from "vitest";
import { ChannelError } from "../../channel/errors.js";
import type { Key } from "../../channel/types.js";
import { type FakeClock, settled } from "../../testing/fake-clock.js";
import { scribble } from "../../testing/scribble.js";
import { type LocksOf, World } from "../../testing/world.js";
import { type LocksValue, lockKey, sessionKey } from "../entries/schema.js";

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

/** Long enough for the process to watch a lock. */
const SETTLE = 100;

/** Counts the watches that a process has open. */
function countWatches({ way }: LocksOf): () => number {
  let open = 0;
  const watch = way.watch.bind(way);
  way.watch = async (range, sink) => {
    const stop = await watch(range, sink);
    open++;
    return () => {
      open--;
      stop();
    };
  };
  return () => open;
}

/** The next watch of this key fails. */
function failOnce({ way }: LocksOf, key: Key): void {
  const watch = way.watch.bind(way);
  const part = JSON.stringify((key as readonly string[])[1]).slice(0, -1);
  let failed = false;
  way.watch = async (range, sink) => {
    if (failed || !range.from.includes(part)) return watch(range, sink);
    failed = true;
    throw new ChannelError("UNAVAILABLE", "away", { retryable: true });
  };
}

test("a broken driver ends neither the process nor the lease", async () => {
  const lease = await one.locks.acquire("a");
  const broken = async (): Promise<never> => {
    throw new TypeError("no such property");
  };
  const { read, commit } = one.way;
  one.way.read = broken;
  one.way.watch = broken;
  await clock.advance(SETTLE);
  one.way.read = read;
  one.way.commit = async (it, options) => {
    // A commit that only checks, as a heartbeat does for its locks.
    if (it.writes.length === 0) return broken();
    return commit.call(one.way, it, options);
  };
  await clock.advance(2 * TTL);
  expect(lease.held).toBe(true);
});

const overwrite = async ({ channel }: LocksOf, key: ReturnType<typeof lockKey>): Promise<void> => {
  await channel.set(key, (await channel.get(key)) as LocksValue);
};

describe.each([
  ["deleted", async () => void (await two.channel.unset(lockKey("a")))],
  ["replaced", () => overwrite(two, lockKey("a"))],
  ["unlocked by force", async () => void (await two.locks.forceUnlock("a", "it hangs"))],
])("locks whose entry is %s by another process", (_, harm) => {
  test("a lock with a changed entry is lost at once, and no other lock is", async () => {
    const lease = await one.locks.acquire("a");
    const other = await one.locks.acquire("b");
    await clock.advance(SETTLE);
    await harm();
    await settled();
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
    expect(other.held).toBe(true);
  });

  test("a lock with a changed entry is lost within moments if it was not watched over yet", async () => {
    const lease = await one.locks.acquire("a");
    await harm();
    await clock.advance(50);
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  });
});

describe.each([
  ["deleted", async (key: ReturnType<typeof sessionKey>) => void (await two.channel.unset(key))],
  ["replaced", (key: ReturnType<typeof sessionKey>) => overwrite(two, key)],
])("sessions whose entry is %s by another process", (_, harm) => {
  test("a session with a changed entry is over at once, with all locks that it held", async () => {
    const leases = [await one.locks.acquire("a"), await one.locks.acquire("b")];
    await clock.advance(SETTLE);
    await harm(sessionKey(leases[0]?.session.id ?? ""));
    await settled();
    for (const { signal } of leases) expect(signal.reason).toMatchObject({ code: "LOST" });
  });
});

describe("watches over held locks", () => {
  test("many held locks share few watches, begun when a lock is held for more than a moment", async () => {
    const watches = countWatches(one);
    for (let i = 0; i < 20; i++) {
      const lease = await one.locks.acquire(`short ${i}`);
      await clock.advance(15);
      await lease.release();
    }
    expect(watches()).toBe(0);
    const leases = await Promise.all(Array.from({ length: 50 }, (_, i) => one.locks.acquire(`long ${i}`)));
    await clock.advance(SETTLE);
    expect(watches()).toBeGreaterThan(1);
    expect(watches()).toBeLessThan(50);
    for (const lease of leases) await lease.release();
    await clock.advance(TTL);
    expect(watches()).toBe(0);
    await one.locks.close();
    await two.locks.close();
    expect(clock.pending).toBe(0);
  });

  test("own renewals end no lease, also those whose answer was lost or late", async () => {
    const lease = await one.locks.acquire("a");
    one.way.once("session", { type: "reply lost" });
    await clock.advance(TTL);
    one.way.once("session", { type: "late", ms: 100 });
    await clock.advance(10 * TTL);
    expect(lease.held).toBe(true);
  });

  test("a release by the holder is not taken for a loss", async () => {
    const lease = await one.locks.acquire("a");
    await clock.advance(SETTLE);
    await lease.release();
    await settled();
    expect(lease.signal.aborted).toBe(false);
    const again = await one.locks.acquire("a");
    await clock.advance(SETTLE);
    expect(again.held).toBe(true);
  });

  test("a gap in the watch makes the process ask the store for its locks", async () => {
    const lease = await one.locks.acquire("a");
    const other = await one.locks.acquire("b");
    let gap = (): void => {};
    let deaf = false;
    const watch = one.way.watch.bind(one.way);
    one.way.watch = (range, sink) => {
      gap = () => sink.gap();
      return watch(range, { change: (change) => void (deaf || sink.change(change)), gap, fail: () => {} });
    };
    await clock.advance(SETTLE);
    deaf = true;
    await two.channel.unset(lockKey("a"));
    await settled();
    expect(lease.held).toBe(true);
    gap();
    await settled();
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
    expect(other.held).toBe(true);
  });

  test("the watch over a lock begins later if the store cannot be watched now", async () => {
    const lease = await one.locks.acquire("a");
    const { watch } = one.way;
    one.way.watch = () =>
      one.way.read([]).then(() => Promise.reject(new ChannelError("UNAVAILABLE", "away", { retryable: true })));
    await clock.advance(5_000);
    one.way.watch = watch;
    await clock.advance(1_100);
    await two.channel.unset(lockKey("a"));
    await settled();
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  });

  test("the watch over one lock begins again where the other locks are watched over already", async () => {
    const watches = countWatches(one);
    failOnce(one, lockKey("b"));
    const leases = [await one.locks.acquire("a"), await one.locks.acquire("b")];
    await clock.advance(1_100);
    // The session, the requests to it, and both locks.
    expect(watches()).toBe(4);
    for (const lease of leases) await lease.release();
    await clock.advance(TTL);
    expect(watches()).toBe(0);
  });

  test("a lock that was released while it could not be watched is not watched later", async () => {
    const watches = countWatches(one);
    failOnce(one, lockKey("a"));
    const lease = await one.locks.acquire("a");
    await clock.advance(SETTLE);
    await lease.release();
    await clock.advance(TTL);
    expect(watches()).toBe(0);
  });

  test("the watch over a session begins again if the session alone could not be watched", async () => {
    const lease = await one.locks.acquire("a");
    failOnce(one, sessionKey(lease.session.id));
    await clock.advance(2_000);
    await two.channel.unset(sessionKey(lease.session.id));
    await settled();
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  });

  test("a loss is left to a heartbeat that asks for each lock alone where one of them was written over, and once", async () => {
    const blind = await world.locks({ way: await world.way({ watch: false }) });
    const [lease, other] = [await blind.locks.acquire("a"), await blind.locks.acquire("b")];
    await scribble(two, lockKey("a"), "no JSON");
    const before = blind.way.commits.length;
    // Stops an endless loop of checks, so that it is counted.
    blind.way.fault = () => (blind.way.commits.length > before + 50 ? { type: "refused" } : undefined);
    await clock.advance(TTL / 3);
    expect(blind.way.commits.length - before).toBeLessThan(10);
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
    expect(other.held).toBe(true);
  });

  test("heartbeats find a lost lock where the store has no watches", async () => {
    const deaf = await world.locks({ way: await world.way({ watch: false }) });
    const lease = await deaf.locks.acquire("a");
    await clock.advance(SETTLE);
    await two.channel.unset(lockKey("a"));
    await clock.advance(TTL / 3);
    expect(lease.signal.reason).toMatchObject({ code: "LOST" });
  });
});

test("the lost lease of a process that was suspended says so, even if its lock and session were removed meanwhile", async () => {
  const lease = await one.locks.acquire("a");
  await clock.advance(SETTLE);
  clock.block(TTL + 5_000);
  await two.channel.unset(lockKey("a"));
  await two.channel.unset(sessionKey(lease.session.id));
  await settled();
  expect((lease.signal.reason as Error).message).toContain("this process was suspended or busy");
});

describe("locks removed and taken again by the same process, before it hears of the removal", () => {
  test("a removed lock is lost to the first holder before the second holder in the process begins", async () => {
    const [first, other] = [await one.locks.acquire("a"), await one.locks.acquire("b")];
    await two.channel.unset(lockKey("a"));
    const second = await one.locks.acquire("a");
    expect(first.signal.reason).toMatchObject({ code: "LOST" });
    expect(second.held).toBe(true);
    await clock.advance(2 * TTL);
    expect([second.held, other.held]).toEqual([true, true]);
  });

  test("a removed lock is lost to the first holder even if the first holder hears of its grant later", async () => {
    await one.locks.acquire("warm up");
    one.way.once('"a', { type: "slow reply", ms: 500 });
    const late = one.locks.acquire("a");
    await settled();
    await two.channel.unset(lockKey("a"));
    const second = await one.locks.acquire("a");
    const first = await clock.until(late);
    expect(first.signal.reason).toMatchObject({ code: "LOST" });
    expect(second.held).toBe(true);
    for (const { locks } of [one, two]) await locks.close({ grace: 0 });
    expect(clock.pending).toBe(0);
  });

  test("a removed lock that was taken again does not keep the heartbeat from finding other lost locks", async () => {
    const blind = await world.locks({ way: await world.way({ watch: false }), onOrphan: async () => {} });
    const never = { prepare: () => ({}), refused: () => {}, onLeaseOver: () => {} };
    await blind.locks.acquire("a", {}, never);
    const other = await blind.locks.acquire("b");
    await two.channel.unset(lockKey("a"));
    await blind.locks.acquire("a", {}, never);
    await two.channel.unset(lockKey("b"));
    await clock.advance(TTL / 2);
    expect(other.signal.reason).toMatchObject({ code: "LOST" });
  });

  test("a new lease with a lower fence is held in a store that lost its data", async () => {
    const first = await one.locks.acquire("a", {}, { prepare: () => ({}), refused: () => {}, onLeaseOver: () => {} });
    await two.channel.unset(lockKey("a"));
    await clock.advance(2 * TTL);
    expect(first.held).toBe(false);
    Object.assign(first, { fence: "999999999999" });
    expect((await one.locks.acquire("a")).held).toBe(true);
  });
});

test("a forced unlock that another one forestalls finds the lock free, and no damaged entry", async () => {
  const three = await world.locks();
  await two.locks.acquire("a");
  const commit = one.way.commit;
  one.way.commit = async (it, options) => {
    if (it.writes.every(({ value }) => value !== null)) return commit.call(one.way, it, options);
    one.way.commit = commit;
    // Both write a request for the holder.
    await three.locks.forceUnlock("a", "it hangs");
    return commit.call(one.way, it, options);
  };
  expect(await one.locks.forceUnlock("a", "it hangs, too")).toBeUndefined();
});
