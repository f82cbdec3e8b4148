import { beforeEach, describe, expect, it } from "vitest";
import { settled } from "../../testing/fake-clock.js";
import { waiting } from "../../testing/tickets.js";
import { type LocksOf, World } from "../../testing/world.js";
import { type QueueValue, queueKey, sessionKey } from "../entries/schema.js";
import { ticketsOf } from "../entries/valid.js";
import type { Lease } from "../hold/lease.js";

const TTL = 15_000;
const MANY = 200;

let world: World;
let one: LocksOf;
let two: LocksOf;
let held: Lease;

beforeEach(async () => {
  world = new World();
  one = await world.locks();
  two = await world.locks();
  held = await one.locks.acquire("a");
});

/** Requests the lock `count` times at once. Resolves to the names of those who got it, in order. */
async function crowd({ locks }: LocksOf, count: number, had: string[] = [], who = "w"): Promise<string[]> {
  const one = async (i: number): Promise<void> => {
    const lease = await locks.acquire("a", { wait: 100 * TTL });
    had.push(`${who}${i}`);
    await lease.release();
  };
  await world.clock.until(Promise.all(Array.from({ length: count }, (_, i) => one(i))));
  return had;
}

const writesOfQueue = ({ way }: LocksOf): number =>
  way.commits.filter(({ writes }) => writes.some(({ key, value }) => key.includes('"queue') && value !== null)).length;

const queue = async (): Promise<QueueValue | undefined> =>
  (await one.channel.get(queueKey("a"))) as QueueValue | undefined;

describe("waiters of one process in a queue", () => {
  it("many waiters of one process enter the queue together, in order of arrival", async () => {
    const done = crowd(two, MANY);
    await world.clock.advance(100);
    expect(await waiting(one)).toBe(MANY);
    expect(writesOfQueue(two)).toBeLessThanOrEqual(3);
    await world.clock.until(held.release());
    expect(await done).toEqual(Array.from({ length: MANY }, (_, i) => `w${i}`));
    expect(await waiting(one)).toBe(0);
  });

  it("many waiters of one process ask the store for next to nothing while they wait", async () => {
    const done = crowd(two, MANY);
    await world.clock.advance(100);
    const before = two.way.reads + two.way.commits.length;
    await world.clock.advance(10 * TTL);
    const calls = two.way.reads + two.way.commits.length - before;
    // Heartbeats, and the reads of the first waiter: 5 per ttl, and one every two seconds.
    expect(calls).toBeLessThan(10 * (5 + 10) * 2);
    await world.clock.until(held.release());
    expect(await done).toHaveLength(MANY);
  });

  it("waiters of two processes keep every ticket, though they enter the queue at once", async () => {
    const three = await world.locks();
    const had: string[] = [];
    const both = Promise.all([crowd(two, 50, had, "x"), crowd(three, 50, had, "y")]);
    await world.clock.advance(100);
    expect(new Set(ticketsOf(await queue()).map(({ token }) => token)).size).toBe(100);
    await world.clock.until(held.release());
    await world.clock.until(both);
    expect(had.filter((who) => who.startsWith("x"))).toEqual(Array.from({ length: 50 }, (_, i) => `x${i}`));
    expect(had.filter((who) => who.startsWith("y"))).toEqual(Array.from({ length: 50 }, (_, i) => `y${i}`));
  });

  it("waiters that enter the queue together all get its error, and leave no ticket in the queue", async () => {
    let commits = 0;
    two.way.fault = (call) => {
      const enters = call.kind === "commit" && call.commit.writes.some(({ key }) => key.includes('"queue'));
      return enters && ++commits === 2 ? { type: "reply lost" } : undefined;
    };
    const outcomes = Array.from({ length: 10 }, () => two.locks.acquire("a", { wait: 100 * TTL }));
    const all = Promise.allSettled(outcomes);
    await world.clock.advance(2_000);
    two.way.fault = () => undefined;
    await world.clock.advance(TTL);
    // The first entered alone; the outcome of the other nine is unknown.
    expect(await waiting(one)).toBe(1);
    await world.clock.until(held.release());
    const settledAs = (await world.clock.until(all)).map(({ status }) => status);
    expect(settledAs).toEqual(["fulfilled", ...Array.from({ length: 9 }, () => "rejected")]);
  });

  it("waiters enter the queue again with a new session, when their session is over", async () => {
    const done = crowd(two, 20);
    await world.clock.advance(100);
    const before = ticketsOf(await queue())[0]?.session ?? "";
    await one.channel.unset(sessionKey(before));
    await world.clock.advance(TTL);
    const after = ticketsOf(await queue());
    expect(after.map(({ session }) => session === before)).toEqual(Array.from({ length: 20 }, () => false));
    await world.clock.until(held.release());
    expect(await done).toHaveLength(20);
  });

  it("waiters are refused one by one where the queue has no room for all of them", async () => {
    const way = await world.way({ maxValueBytes: 1_000 });
    const small = await world.locks({ way });
    const once = async (): Promise<void> => (await small.locks.acquire("a", { wait: 100 * TTL })).release();
    const all = Promise.allSettled(Array.from({ length: 40 }, once));
    await world.clock.advance(1_000);
    const entered = await waiting(one);
    expect(entered).toBeGreaterThan(5);
    await world.clock.until(held.release());
    const outcomes = await world.clock.until(all);
    expect(outcomes.map(({ status }) => status).lastIndexOf("fulfilled")).toBe(entered - 1);
    const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
    expect(refusals).toEqual(Array.from({ length: 40 - entered }, () => "TOO_LARGE"));
  });

  it("waiters that give up leave the queue, and the others stay", async () => {
    const stop = new AbortController();
    const stays = two.locks.acquire("a", { wait: 100 * TTL });
    const leaves = Array.from({ length: 9 }, () => two.locks.acquire("a", { wait: 100 * TTL, signal: stop.signal }));
    const left = Promise.allSettled(leaves);
    await world.clock.advance(100);
    stop.abort();
    await world.clock.until(left);
    await settled();
    expect(await waiting(one)).toBe(1);
    await world.clock.until(held.release());
    expect((await world.clock.until(stays)).held).toBe(true);
  });

  it("many waiters of one process that give up at once leave the queue together", async () => {
    const stop = new AbortController();
    const options = { wait: 100 * TTL, signal: stop.signal };
    const all = Promise.allSettled(Array.from({ length: MANY }, () => two.locks.acquire("a", options)));
    const stays = one.locks.acquire("a", { wait: 100 * TTL });
    await world.clock.advance(1_000);
    expect(await waiting(one)).toBe(MANY + 1);
    const before = two.way.commits.length;
    stop.abort();
    await world.clock.until(all);
    expect(await waiting(one)).toBe(1);
    // Two commits to leave, plus one or two heartbeats.
    expect(two.way.commits.length - before).toBeLessThanOrEqual(5);
    await world.clock.until(held.release());
    expect((await world.clock.until(stays)).held).toBe(true);
  });

  it("all waiters of one process that leave together hear of an error", async () => {
    const all = Promise.allSettled(Array.from({ length: 10 }, () => two.locks.acquire("a", { wait: 3_000 })));
    await world.clock.advance(1_000);
    two.way.fault = ({ kind }) => (kind === "commit" ? { type: "refused" } : undefined);
    const codes = (await world.clock.until(all)).map((it) => (it.status === "rejected" ? it.reason.code : "taken"));
    expect(new Set(codes)).toEqual(new Set(["UNAVAILABLE"]));
    two.way.fault = () => undefined;
    await world.clock.advance(TTL);
    expect(await waiting(one)).toBe(0);
  });

  it("waiters get the lock one after another though the notices of their turns are lost", async () => {
    const way = await world.way();
    const watch = way.watch.bind(way);
    way.watch = (range, sink) =>
      watch(range, {
        ...sink,
        gap: () => sink.gap(),
        fail: (error) => sink.fail(error),
        change: (change) => void (change.key.includes('"call') || sink.change(change)),
      });
    const deaf = await world.locks({ way });
    const done = crowd(deaf, 5);
    await world.clock.advance(100);
    const began = world.clock.monotonic();
    await world.clock.until(held.release());
    expect(await done).toHaveLength(5);
    // Each checks the one ahead of it once a second.
    expect(world.clock.monotonic() - began).toBeLessThan(5 * 1_500);
  });
});
