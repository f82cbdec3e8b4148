import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openChannel } from "../../channel/open.js";
import { scribble } from "../../testing/scribble.js";
import { rejection } from "../../testing/settle.js";
import type { Call } from "../../testing/stores/faulty-backend.js";
import { cut } from "../../testing/tickets.js";
import { type LocksOf, World } from "../../testing/world.js";
import { processIdentity } from "../../util/process-state.js";
import { lockKey, queueKey, sessionKey, sweepKey, turnNoticeKey } from "../entries/schema.js";
import { openLocks } from "../locks.js";

const TTL = 15_000;

let world: World;
let sweeper: LocksOf;

beforeEach(async () => {
  world = new World();
  sweeper = await world.locks();
});

async function enter(id: string, process: { readonly started?: string } = {}): Promise<void> {
  const value = { id, process: { ...processIdentity(), ...process }, since: 0, beat: 0 };
  await sweeper.channel.set(sessionKey(id), value, { ttl: TTL });
}

async function lock(name: string, instance: string): Promise<void> {
  const holder = { host: "here", pid: 1, instance };
  await sweeper.channel.set(lockKey(name), { name, holder, token: name, since: 0, timeout: 1, until: 1 });
}

const keys = (prefix: string) => sweeper.channel.getKeys({ prefix: [prefix] });

/** The number of calls that `work` makes to the store. */
async function callsOf(work: () => Promise<unknown>): Promise<number> {
  const { reads, commits } = sweeper.way;
  const before = reads + commits.length;
  await world.clock.until(work());
  return sweeper.way.reads + commits.length - before;
}

describe("sweeps", () => {
  test("a sweep reads sessions and locks page by page, and reads no live session again", async () => {
    for (let i = 0; i < 1_200; i++) {
      await enter(`${i}`);
      await lock(`job ${i}`, `${i}`);
    }
    // Three pages each.
    expect(await callsOf(() => sweeper.locks.sweep())).toBe(6);
    expect(await keys("lock")).toHaveLength(1_200);
  });

  test("a sweep asks once about a dead session, however many locks the session left", async () => {
    for (let i = 0; i < 10; i++) await lock(`job ${i}`, "dead");
    // Two scans, one read, and one commit for each lock.
    expect(await callsOf(() => sweeper.locks.sweep())).toBe(2 + 1 + 10);
    expect(await keys("lock")).toEqual([]);
  });

  test("a sweep removes the session, calls and locks of a process of this host that is gone", async () => {
    await enter("gone", { started: "1" });
    await enter("here");
    for (const id of ["gone", "here", "expired"]) {
      await sweeper.channel.set(turnNoticeKey(id), { session: id, token: "t", name: "a" });
      await sweeper.channel.set(queueKey(id), { waiting: [{ session: id, token: "t" }] });
    }
    await lock("a", "gone");
    await sweeper.locks.sweep();
    expect(await keys("session")).toEqual([sessionKey("here"), turnNoticeKey("here")]);
    expect(await keys("lock")).toEqual([queueKey("here")]);
  });

  test("a sweep leaves the lock of a session that was opened after the sessions were read", async () => {
    const late = await world.locks();
    sweeper.way.fault = (call) => {
      if (call.kind !== "scan") return undefined;
      sweeper.way.fault = () => undefined;
      return { type: "slow reply", ms: 100 };
    };
    const sweeping = sweeper.locks.sweep();
    await world.clock.advance(50);
    const lease = await late.locks.acquire("a");
    await world.clock.until(sweeping);
    expect((await sweeper.locks.find("a"))?.fence).toBe(lease.fence);
  });

  test("a sweep removes the lock of a session that ended, though the session was seen alive a moment ago", async () => {
    await enter("a");
    await lock("job", "a");
    await sweeper.locks.sweep();
    await sweeper.channel.unset(sessionKey("a"));
    await sweeper.locks.sweep();
    expect(await keys("lock")).toEqual([]);
  });
});

describe("a lock that the store cannot write", () => {
  const isStuck = (call: Call): boolean =>
    call.kind === "commit" && call.commit.writes.some(({ key }) => key.includes("stuck"));

  test("does not keep a sweep from the others, and a later sweep removes it", async () => {
    for (const name of ["a", "stuck", "z"]) await lock(name, "dead");
    sweeper.way.fault = (call) => (isStuck(call) ? { type: "request lost" } : undefined);
    await world.clock.until(sweeper.locks.sweep());
    expect(await keys("lock")).toEqual([lockKey("stuck")]);
    sweeper.way.fault = () => undefined;
    await sweeper.locks.sweep();
    expect(await keys("lock")).toEqual([]);
  });

  test("ends the sweep if the store does not answer at all", async () => {
    for (const name of ["a", "stuck", "z"]) await lock(name, "dead");
    sweeper.way.fault = (call) => {
      if (!isStuck(call)) return undefined;
      sweeper.way.fault = () => ({ type: "request lost" });
      return { type: "request lost" };
    };
    expect(await world.clock.until(rejection(sweeper.locks.sweep()))).toMatchObject({ code: "TIMEOUT" });
    sweeper.way.fault = () => undefined;
    expect(await keys("lock")).toEqual([lockKey("stuck"), lockKey("z")]);
  });
});

test("a sweep pauses once a page where time does not move, not at each entry", async () => {
  for (let i = 0; i < 1_200; i++) await lock(`job ${i}`, "dead");
  const before = world.clock.monotonic();
  await world.clock.until(sweeper.locks.sweep());
  // A pause takes a ms.
  expect(world.clock.monotonic() - before).toBeLessThan(10);
  expect(await keys("lock")).toEqual([]);
});

test("a process that uses its store alone waits for most of a ttl between two sweeps, and for less than one", async () => {
  const channel = await openChannel("alone", { type: "simple" });
  onTestFinished(() => channel.close());
  const locks = openLocks(channel, { ttl: TTL });
  for (let i = 0; i < 100; i++) {
    const rest = locks.nextSweep();
    expect(rest).toBeGreaterThan(TTL / 2);
    expect(rest).toBeLessThan(TTL);
  }
});

describe("sweeping in turn", () => {
  test.each(["000000", "zzzzzz"])(
    "is not asked for again before the turn of another one may be free, nor much later, whatever chance adds: %s",
    async (digits) => {
      const random = world.clock.random.bind(world.clock);
      world.clock.random = (length) => (length === digits.length ? digits : random(length));
      const other = await world.locks();
      await other.locks.sweepInTurn();
      sweeper.locks.nextSweep();
      await sweeper.locks.sweepInTurn();
      const rest = sweeper.locks.nextSweep();
      expect(rest).toBeGreaterThan(0.75 * TTL);
      expect(rest).toBeLessThanOrEqual(1.5 * TTL);
    },
  );

  /** Sweeps for `ms`, as a manager does. */
  async function keepSweeping({ locks }: LocksOf, ms: number): Promise<void> {
    const end = world.clock.monotonic() + ms;
    while (world.clock.monotonic() < end) {
      await new Promise<void>((resolve) => void world.clock.after(locks.nextSweep(), resolve));
      await locks.sweepInTurn().catch(() => {});
    }
  }

  test("sweeping continues within two ttls after the process that has the turn died", async () => {
    const dying = await world.locks();
    await dying.locks.sweepInTurn();
    cut(dying);
    void keepSweeping(sweeper, 10 * TTL);
    await world.clock.advance(0.3 * TTL);
    await lock("a", "dead");
    await world.clock.advance(2 * TTL);
    expect(await keys("lock")).toEqual([]);
  });

  test("the process that has the turn sweeps within each ttl", async () => {
    void keepSweeping(sweeper, 100 * TTL);
    await world.clock.advance(TTL);
    for (let i = 0; i < 20; i++) {
      await lock("a", "dead");
      await world.clock.advance(TTL);
      expect(await keys("lock")).toEqual([]);
    }
  });

  test.each(["no JSON", "null", "{}"])(
    "sweeping continues although another program overwrites the entry of the turn: %s",
    async (text) => {
      const before = await world.locks();
      await before.locks.sweepInTurn();
      await scribble(sweeper, sweepKey, text);
      void keepSweeping(sweeper, 10 * TTL);
      await lock("a", "dead");
      await world.clock.advance(2 * TTL);
      expect(await keys("lock")).toEqual([]);
    },
  );

  test("a sweep ends without removing locks when another process took the turn meanwhile", async () => {
    await lock("a", "dead");
    sweeper.way.fault = (call) => (call.kind === "scan" ? { type: "slow", ms: TTL / 2 } : undefined);
    const sweeping = sweeper.locks.sweepInTurn();
    await world.clock.advance(TTL / 2 + 1);
    await sweeper.channel.set(sweepKey, { by: { host: "there", pid: 1 }, at: 0 });
    await world.clock.until(sweeping);
    sweeper.way.fault = () => undefined;
    expect(await keys("lock")).toEqual([lockKey("a")]);
  });
});
