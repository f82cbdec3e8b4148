import { beforeEach, describe, expect, it } from "vitest";
import type { StoredChange } from "../../channel/backend/backend.js";
import { settled } from "../../testing/fake-clock.js";
import { cut, waiting } from "../../testing/tickets.js";
import { type LocksOf, World } from "../../testing/world.js";
import { NEAR } from "../entries/view.js";
import type { Lease } from "../hold/lease.js";

const TTL = 15_000;
const WAIT = { wait: 100 * TTL };

let world: World;
let holder: LocksOf;
let held: Lease;

beforeEach(async () => {
  world = new World();
  holder = await world.locks();
  held = await holder.locks.acquire("a");
});

/** A process that receives no turn notices. */
async function deaf(): Promise<LocksOf> {
  const way = await world.way();
  const watch = way.watch.bind(way);
  const isCall = ({ key }: StoredChange): boolean => key.includes('"call');
  way.watch = (range, sink) =>
    watch(range, {
      change: (change) => void (isCall(change) || sink.change(change)),
      gap: () => sink.gap(),
      fail: (error) => sink.fail(error),
    });
  return world.locks({ way });
}

/** Processes in line, each with `each` waiters, which release the lock at once. */
async function line(count: number, each: number, had: string[], enter = () => world.locks()): Promise<LocksOf[]> {
  const all: LocksOf[] = [];
  for (let i = 0; i < count; i++) {
    const one = await enter();
    all.push(one);
    for (let j = 0; j < each; j++) {
      void one.locks.acquire("a", WAIT).then(
        async (lease) => {
          had.push(`${i}.${j}`);
          await lease.release();
        },
        () => {},
      );
    }
    await world.clock.advance(10);
  }
  return all;
}

const inOrder = (count: number, each: number): string[] =>
  Array.from({ length: count * each }, (_, i) => `${Math.floor(i / each)}.${i % each}`);

const readsOf = (all: readonly LocksOf[]): number[] => all.map(({ way }) => way.reads);

async function untilAllHad(had: readonly string[], count: number, most: number): Promise<void> {
  const end = world.clock.monotonic() + most;
  while (had.length < count && world.clock.monotonic() < end) await world.clock.advance(50);
  expect(had).toHaveLength(count);
}

describe("a crowd of waiters in several processes", () => {
  it("waiters of one process hand the lock on to each other without a read of the queue", async () => {
    const had: string[] = [];
    const [one] = await line(1, 50, had);
    await world.clock.advance(1_000);
    const before = one?.way.reads ?? 0;
    await held.release();
    await settled();
    await untilAllHad(had, 50, 100);
    expect(had).toEqual(inOrder(1, 50));
    // The first of them reads the queue, and the session of the holder.
    expect((one?.way.reads ?? 0) - before).toBeLessThanOrEqual(4);
  });

  it("a process whose turn comes asks nothing about the waiters that were ahead of it and left", async () => {
    const had: string[] = [];
    const all = await line(2, 30, had);
    await world.clock.advance(1_000);
    const [, before] = readsOf(all);
    await held.release();
    await untilAllHad(had, 60, 1_000);
    expect(had).toEqual(inOrder(2, 30));
    expect((readsOf(all)[1] ?? 0) - (before ?? 0)).toBeLessThanOrEqual(8);
  });

  it("waiters that are not near ask the store a fifth of what the near ones do, or less", async () => {
    const all = await line(12, 3, []);
    await world.clock.advance(2 * TTL);
    const before = readsOf(all);
    await world.clock.advance(10 * TTL);
    const asked = readsOf(all).map((reads, i) => reads - (before[i] ?? 0));
    const near = Math.min(...asked.slice(0, NEAR));
    const far = Math.max(...asked.slice(NEAR));
    expect(near).toBeGreaterThan(0);
    expect(far).toBeLessThanOrEqual(near / 2);
  });

  it("a waiter that becomes near is notified, and from then on reads as often as the near ones", async () => {
    const had: string[] = [];
    const order: string[] = [];
    const all = await line(NEAR + 3, 1, had);
    await world.clock.advance(1_000);
    for (const [i, { way }] of all.entries()) {
      const scan = way.scan.bind(way);
      way.scan = (request, options) => {
        order.push(String(i));
        return scan(request, options);
      };
    }
    // One stays: the first two leave, and the commits of the third are slow.
    const third = all[2];
    if (third === undefined) return expect.unreachable();
    third.way.fault = (call) => (call.kind === "commit" ? { type: "slow", ms: 30_000 } : undefined);
    await held.release();
    await settled();
    await world.clock.advance(0);
    expect(had).toEqual(["0.0", "1.0"]);
    expect(new Set(order)).toContain(String(NEAR));
    expect(new Set(order)).toContain(String(NEAR + 1));
    expect(new Set(order)).not.toContain(String(NEAR + 2));
    order.length = 0;
    await world.clock.advance(2_500);
    expect(new Set(order)).toContain(String(NEAR + 1));
    expect(new Set(order)).not.toContain(String(NEAR + 2));
  });

  it("waiters of many processes get the lock in turn, though the notices of their turns are lost", async () => {
    const had: string[] = [];
    const count = NEAR + 4;
    await line(count, 3, had, deaf);
    await held.release();
    // Each process finds out by a read of its own: once in ten seconds if it is far back.
    await untilAllHad(had, 3 * count, count * 10_500);
    expect(had).toEqual(inOrder(count, 3));
  });

  it("a waiter behind the ticket of a dead process gets the lock, though it relied on its own process", async () => {
    const [two, dead] = [await world.locks(), await world.locks()];
    const first = two.locks.acquire("a", WAIT);
    await settled();
    dead.locks.acquire("a", WAIT).catch(() => {});
    await settled();
    const last = two.locks.acquire("a", WAIT);
    await world.clock.advance(1_000);
    expect(await waiting(holder)).toBe(3);
    cut(dead);
    await world.clock.advance(2 * TTL);
    await held.release();
    await (await world.clock.until(first, 0)).release();
    await world.clock.until(last, 500);
    expect(await waiting(holder)).toBe(0);
  });

  it("a waiter that relied on one of its process looks after itself once that one gives up", async () => {
    // The store sends it no notices.
    const [two, other] = [await deaf(), await world.locks()];
    const stop = new AbortController();
    const first = two.locks.acquire("a", { ...WAIT, signal: stop.signal });
    first.catch(() => {});
    await settled();
    const between = other.locks.acquire("a", WAIT);
    between.catch(() => {});
    await settled();
    const last = two.locks.acquire("a", WAIT);
    await world.clock.advance(1_000);
    cut(other);
    // While the first one waits, the last one has nothing to check.
    await world.clock.advance(2 * TTL);
    expect(await waiting(holder)).toBe(3);
    stop.abort();
    await world.clock.advance(500);
    expect(await waiting(holder)).toBe(1);
    await held.release();
    await world.clock.until(last, 0);
  });

  it("a waiter does not rely on a ticket that its process left behind when the store was away", async () => {
    const two = await deaf();
    const first = two.locks.acquire("a", WAIT);
    const failed = first.then(
      () => expect.unreachable(),
      ({ code }) => code,
    );
    await settled();
    const last = two.locks.acquire("a", WAIT);
    await world.clock.advance(1_000);
    const commits = two.way.commits.length;
    // The first one can neither check nor leave. The next heartbeat removes its ticket.
    let faults = 0;
    two.way.fault = ({ kind }) => (kind !== "commit" && ++faults <= 2 ? { type: "refused" } : undefined);
    expect(await world.clock.until(failed, 2_000)).toBe("UNAVAILABLE");
    expect(two.way.commits.length).toBe(commits);
    expect(await waiting(holder)).toBe(2);
    await world.clock.advance(TTL / 3);
    expect(await waiting(holder)).toBe(1);
    await held.release();
    await world.clock.until(last, 2_500);
  });
});
