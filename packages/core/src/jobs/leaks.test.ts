import { getEventListeners } from "node:events";
import { queryObjects } from "node:v8";
import { beforeEach, expect, test } from "vitest";
import { Lease } from "../locks/hold/lease.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import { OpenRun } from "./run/open-run.js";
import type { Run } from "./types.js";

const TTL = 15_000;

/**
 * Every leftover of a run, a lease or a wait is one of these, or keeps a callback of it. Counting them all is
 * slow.
 */
const KINDS = [Function, AbortController, Lease, OpenRun];

let world: World;
let clock: FakeClock;
let one: ManagerOf;
let two: ManagerOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.manager({ ttl: TTL });
  two = await world.manager({ ttl: TTL });
});

/** The number of objects of each kind in memory, after garbage collection, and of pending timers. */
async function left(): Promise<number[]> {
  // Short-lived watches and the queue of waiters end with the next heartbeat.
  await clock.advance(TTL);
  return [...KINDS.map((kind) => queryObjects(kind, { format: "count" })), clock.pending];
}

test("a lease that is released is let go of at once, not by a timer", async () => {
  const leases = (): number => queryObjects(Lease, { format: "count" });
  await one.manager.run("a", held);
  const before = leases();
  for (let i = 0; i < 100; i++) await one.manager.run("a", held);
  // The timer that checks young leases has not fired: the clock stands still.
  expect(leases() - before).toBeLessThan(5);
});

/** An operation of the test. */
type Done = readonly [what: string, once: (signal: AbortSignal, i: number) => Promise<unknown>];

const TIMES = 20;

/** The leftovers of each kind per operation, once each of these was done many times. */
async function leftOf(ways: readonly Done[], signal: AbortSignal): Promise<number[]> {
  const before = await left();
  for (const [, once] of ways) for (let i = 0; i < TIMES; i++) await once(signal, i);
  const after = await left();
  return after.map((count, i) => Math.max(0, Math.round((count - (before[i] ?? 0)) / TIMES)));
}

const held = async (run: Run): Promise<void> => void run.signal.aborted;

const WAYS: readonly Done[] = [
  ["a run", () => one.manager.run("a", held)],
  ["a run of a name that there was never before", (_, i) => one.manager.run(`job ${i}`, held)],
  ["a run that fails", () => rejection(one.manager.run("a", () => Promise.reject(new Error("no"))))],
  ["a run with a signal", (signal) => one.manager.run("a", held, { signal })],
  ["a run that was watched over", () => one.manager.run("a", () => clock.advance(100))],
  [
    "a run that ran out of its time",
    () => clock.until(rejection(one.manager.run("a", () => new Promise(() => {}), { timeout: 10 }))),
  ],
  [
    "a run whose lock was taken away",
    async () => {
      const run = await one.manager.start("a");
      await clock.advance(100);
      await two.manager.unlock("a", { reason: "a test" });
      await clock.advance(100);
      return run.signal.aborted;
    },
  ],
  [
    "a run whose lock was taken away by its own process",
    async () => {
      await one.manager.start("a");
      return one.manager.unlock("a", { reason: "a test" });
    },
  ],
  ["a lock", async () => (await one.manager.lock("a")).release()],
  ["a run that does not wait for its lock", () => rejection(one.manager.run("taken", held, { wait: 0 }))],
  [
    "a run that waits in vain",
    (signal) => clock.until(rejection(one.manager.run("taken", held, { wait: 10, signal }))),
  ],
  [
    "a lock that is waited for in vain",
    (signal) => clock.until(rejection(one.manager.lock("taken", { wait: 10, signal, note: { of: "it" } }))),
  ],
];

test("runs, locks and waits that are over leave no callback, abort controller or timer in memory", async () => {
  await two.manager.lock("taken", { timeout: 1e9 });
  const { signal } = new AbortController();
  // Everything that is made only once exists by then.
  for (const [, once] of WAYS) for (let i = 0; i < 20; i++) await once(signal, i);
  const none = [...KINDS, "timers"].map(() => 0);
  // Counting takes most of the time: check each alone only if there is a leak.
  if ((await leftOf(WAYS, signal)).join() !== none.join()) {
    for (const way of WAYS) {
      const title = `${KINDS.map(({ name }) => name)} and timers left of each time: ${way[0]}`;
      expect(await leftOf([way], signal), title).toEqual(none);
    }
  }
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("a lock of unknown outcome is read until its outcome is known, and never again", async () => {
  const [first, second] = [await world.locks(), await world.locks()];
  await first.locks.acquire("warm up");
  first.way.once('"a', { type: "reply lost" });
  await clock.until(rejection(first.locks.acquire("a")));
  await clock.advance(TTL);
  expect(await second.locks.find("a")).toBeUndefined();
  const { reads } = first.way;
  await clock.advance(2 * TTL);
  expect(first.way.reads).toBe(reads);
});
