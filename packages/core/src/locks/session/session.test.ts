import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ChannelError } from "../../channel/errors.js";
import { openChannel } from "../../channel/open.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import type { FaultyBackend } from "../../testing/stores/faulty-backend.js";
import { World } from "../../testing/world.js";
import { type LocksValue, type SessionValue, sessionKey } from "../entries/schema.js";
import { Session } from "./session.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;
let way: FaultyBackend;
let beats: number;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  way = await world.way();
  beats = 0;
});

async function open(afterBeat: () => Promise<void> = async () => {}) {
  const channel = await openChannel<LocksValue>("locks", { backend: way, clock });
  const session = await Session.open(channel, clock, TTL, () => async () => {
    beats++;
    await afterBeat();
  });
  const stored = () => channel.entry(sessionKey(session.id));
  return { channel, session, stored };
}

/** The next commit is applied, and this process is blocked for `ms` before it gets the answer. */
function answeredAfter(ms: number): void {
  const commit = way.commit.bind(way);
  way.commit = async (...args) => {
    way.commit = commit;
    const outcome = await commit(...args);
    clock.block(ms);
    return outcome;
  };
}

const why = (session: Session): string => session.over ?? "";

describe("heartbeats", () => {
  test("a heartbeat renews the session while the process lives, with one commit each third of the ttl", async () => {
    const { session, stored } = await open();
    const first = session.version;
    await clock.advance(10 * TTL);
    expect(session.alive).toBe(true);
    expect(session.version).not.toBe(first);
    expect((await stored())?.version).toBe(session.version);
    expect(beats).toBe(30);
    expect(way.commits.length).toBe(31);
  });

  test("a heartbeat that fails until the session is over makes the session say why", async () => {
    const { session } = await open();
    way.fault = (call) => (call.kind === "commit" ? { type: "refused" } : undefined);
    await clock.advance(2 * TTL);
    expect(why(session)).toContain("the store answered no renewal for 15 s. The last one failed: the store is away");
    expect(session.isUnanswered).toBe(true);
  });

  test("a heartbeat that fails is tried again until it succeeds", async () => {
    const { session } = await open();
    way.fault = (call) => (call.kind === "commit" ? { type: "refused" } : undefined);
    await clock.advance(TTL * 0.9);
    way.fault = () => undefined;
    await clock.advance(TTL);
    expect(session.alive).toBe(true);
  });

  test("a heartbeat that fails is tried again in time, however short the ttl is", async () => {
    const { locks } = await world.locks({ way, ttl: 300 });
    const lease = await locks.acquire("a");
    way.once("session", { type: "refused" });
    await clock.advance(3_000);
    expect(lease.held).toBe(true);
  });

  test("a heartbeat that hangs does not use up the time of the next heartbeat", async () => {
    const { session } = await open();
    way.once("session", { type: "slow", ms: 10 * TTL });
    await clock.advance(2 * TTL);
    expect(session.alive).toBe(true);
  });

  test("a heartbeat whose answer was lost is adopted by its retry", async () => {
    const { session, stored } = await open();
    way.once("session", { type: "reply lost" });
    await clock.advance(TTL);
    expect(session.alive).toBe(true);
    expect((await stored())?.version).toBe(session.version);
  });

  test("a heartbeat that was applied late, after the next one, changes nothing", async () => {
    const { session, stored } = await open();
    way.once("session", { type: "late", ms: 3_000 });
    await clock.advance(2 * TTL);
    expect(session.alive).toBe(true);
    expect((await stored())?.version).toBe(session.version);
  });

  test("a heartbeat adopts the renewal of an earlier heartbeat that was applied late", async () => {
    const { session, stored } = await open();
    // The commit arrives ahead of the retry, 200 ms after the client gave up.
    way.once("session", { type: "late", ms: 100 });
    await clock.advance(TTL);
    expect(session.alive).toBe(true);
    expect((await stored())?.version).toBe(session.version);
  });

  test("heartbeats continue while the callback after a heartbeat hangs", async () => {
    const { session } = await open(() => new Promise(() => {}));
    await clock.advance(10 * TTL);
    expect(session.alive).toBe(true);
    expect(beats).toBe(1);
  });

  test("the first commit of a session reaches the store twice, and the session lives", async () => {
    way.fault = ({ kind }) => (kind === "commit" ? { type: "doubled", ms: 100 } : undefined);
    const { session } = await open();
    way.fault = () => undefined;
    await clock.advance(2 * TTL);
    expect(session.over).toBeUndefined();
  });

  test("a heartbeat finds the session entry removed, and never brings it back", async () => {
    const { session, stored, channel } = await open();
    await channel.unset(sessionKey(session.id));
    await clock.advance(TTL / 3 + 1);
    expect(session.alive).toBe(false);
    expect(why(session)).toContain("removed");
    await clock.advance(TTL);
    expect(await stored()).toBeUndefined();
  });

  test("a heartbeat that finds its session over is the last one", async () => {
    const { session, channel } = await open();
    await channel.unset(sessionKey(session.id));
    await clock.advance(TTL / 3);
    expect(session.alive).toBe(false);
    expect([beats, clock.pending]).toEqual([0, 0]);
  });

  test("a heartbeat finds the session entry replaced by another process, and the session ends", async () => {
    const { session, channel } = await open();
    const entry = await channel.entry(sessionKey(session.id));
    await channel.set(sessionKey(session.id), { ...(entry?.value as object), id: "somebody" } as LocksValue);
    await clock.advance(TTL / 3 + 1);
    expect(session.alive).toBe(false);
  });
});

test("a renewal by the heartbeat thread is found by the next heartbeat, which continues from it", async () => {
  const refused = vi.spyOn(workerThreads, "Worker").mockImplementation(function refuse() {
    throw new Error("no thread here");
  });
  syncBuiltinESMExports();
  const warned = new Promise((resolve) => process.once("warning", resolve));
  const { session, stored, channel } = await open();
  session.keepByThread(
    { locks: { name: "locks", type: "simple", kind: "x", args: {} } },
    () => Number.POSITIVE_INFINITY,
  );
  refused.mockRestore();
  syncBuiltinESMExports();
  await warned;
  const value = { ...((await stored())?.value as SessionValue), by: "thread" } as const;
  await channel.set(sessionKey(session.id), value, { ttl: TTL });
  await clock.advance(TTL);
  expect(session.alive).toBe(true);
  expect((await stored())?.version).toBe(session.version);
  expect((await stored())?.value).not.toHaveProperty("by");
  await session.close();
});

describe("the deadline of a session", () => {
  test("the deadline passes by the local clock alone, counted from when the last renewal was sent", async () => {
    const { session } = await open();
    // Each answer takes two seconds: the store counts from the moment it applies, the session from the moment
    // it sends.
    way.fault = (call) => (call.kind === "commit" ? { type: "slow", ms: 2_000 } : undefined);
    const sent = clock.monotonic() + TTL / 3;
    await clock.advance(TTL / 3 + 2_000);
    expect(session.alive).toBe(true);
    way.fault = () => ({ type: "request lost" });
    await clock.advance(sent + TTL - clock.monotonic() - 1);
    expect(session.over).toBeUndefined();
    await clock.advance(1);
    expect(session.over).toBeDefined();
    expect(why(session)).toContain("the store answered no renewal");
  });

  test("the deadline comes before the entry of the session expires in the store", async () => {
    const { session, stored } = await open();
    way.fault = (call) => (call.kind === "commit" ? { type: "request lost" } : undefined);
    while (session.over === undefined) {
      expect(await stored()).toBeDefined();
      await clock.advance(100);
    }
  });

  test("the deadline comes before the entry expires in the store, though the timer is as late as it may be", async () => {
    const { session, stored } = await open();
    await clock.advance(TTL / 3);
    way.fault = (call) => (call.kind === "commit" ? { type: "refused" } : undefined);
    clock.block(TTL + 49);
    expect(await stored()).toBeDefined();
    clock.block(TTL / 100);
    expect(await stored()).toBeDefined();
    await clock.advance(2);
    expect(await stored()).toBeUndefined();
    expect(session.over).toBeDefined();
  });

  test("the deadline passes although a renewal is answered after the deadline", async () => {
    const { session } = await open();
    // SQLite may apply it after others found the entry gone: its transaction read the clock before they did.
    answeredAfter(0.7 * TTL);
    await clock.advance(TTL / 3 + 1);
    expect(session.over).toContain("answered a renewal after");
  });

  test("the deadline has passed for a process that was suspended, before its timers fire", async () => {
    const { session } = await open();
    clock.block(TTL + 100);
    expect(session.alive).toBe(false);
    await clock.advance(0);
    expect(why(session)).toContain("was suspended or busy");
  });

  test("the deadline is not moved by jumps of the wall clock", async () => {
    const { session } = await open();
    for (const jump of [3_600_000, -7_200_000]) {
      clock.wall += jump;
      await clock.advance(TTL);
      expect(session.alive).toBe(true);
    }
  });
});

describe("sessions of a closed channel", () => {
  // In a store of one process nothing else would end the session, because it has no deadline.
  test("a session of a closed channel ends at the next heartbeat, not only after its ttl", async () => {
    const { channel, session } = await open();
    await channel.close();
    await clock.advance(TTL / 3);
    expect(why(session)).toContain("its channel was closed");
    expect(clock.pending).toBe(0);
  });
});

test("a session whose store was deleted or replaced ends at the next heartbeat: others may have a new one by then", async () => {
  const { session } = await open();
  way.commit = () => Promise.reject(new ChannelError("GONE", "the file was replaced"));
  await clock.advance(TTL / 3);
  expect(why(session)).toContain("the file was replaced");
  expect([session.isUnanswered, clock.pending]).toEqual([false, 0]);
});

test("a session that is over when its opening is answered, as its process stood still, is followed by another at once", async () => {
  const { locks } = await world.locks({ way });
  answeredAfter(TTL + 1);
  const lease = await locks.acquire("a");
  expect(lease.held).toBe(true);
});

describe("close", () => {
  test("close of a session removes its entry and leaves no timer", async () => {
    const { session, stored } = await open();
    await session.close();
    expect(await stored()).toBeUndefined();
    expect(clock.pending).toBe(0);
    expect(why(session)).toContain("closed");
  });

  test("close of a session while a renewal is under way does not let the entry come back", async () => {
    const { session, stored } = await open();
    way.once("session", { type: "slow", ms: 500 });
    await clock.advance(TTL / 3);
    await session.close();
    await clock.advance(TTL);
    expect(await stored()).toBeUndefined();
    expect(clock.pending).toBe(0);
  });
});
