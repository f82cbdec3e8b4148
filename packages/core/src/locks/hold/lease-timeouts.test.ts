import { beforeEach, expect, test } from "vitest";
import type { FakeClock } from "../../testing/fake-clock.js";
import { type LocksOf, World } from "../../testing/world.js";
import type { Lease } from "./lease.js";

let world: World;
let clock: FakeClock;
let one: LocksOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.locks();
});

/** When each signal fired, in ms from now on. */
function endsOf(leases: readonly Lease[]): Map<string, number> {
  const start = clock.monotonic();
  const ends = new Map<string, number>();
  for (const { name, signal } of leases) {
    signal.addEventListener("abort", () => ends.set(name, clock.monotonic() - start), { once: true });
  }
  return ends;
}

test("each lease ends at its own timeout, in whatever order they were taken and released", async () => {
  const timeouts = { b: 300, a: 100, d: 1_000, c: 300, e: 50 };
  const leases: Lease[] = [];
  for (const [name, timeout] of Object.entries(timeouts)) leases.push(await one.locks.acquire(name, { timeout }));
  const ends = endsOf(leases);
  await leases.at(-1)?.release();
  await clock.advance(2_000);
  expect(Object.fromEntries(ends)).toEqual({ a: 100, b: 300, c: 300, d: 1_000 });
  expect(leases[0]?.signal.reason).toMatchObject({ code: "TIMEOUT" });
});

test("a lease that is taken when another one ends has its own timeout", async () => {
  const first = await one.locks.acquire("a", { timeout: 100 });
  await one.locks.acquire("b", { timeout: 1_000 });
  const taking = new Promise<Lease>((resolve) => {
    first.signal.addEventListener("abort", () => resolve(one.locks.acquire("c", { timeout: 50 })));
  });
  await clock.advance(100);
  const ends = endsOf([await taking]);
  await clock.advance(49);
  expect(ends.size).toBe(0);
  await clock.advance(1);
  expect(ends.get("c")).toBe(50);
});

test("the leases of a session that is over end with it, also one whose answer comes later", async () => {
  const early = await one.locks.acquire("a");
  let answer = (): void => {};
  const { commit } = one.way;
  one.way.commit = async (...args) => {
    one.way.commit = commit;
    const outcome = await commit.apply(one.way, args);
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return outcome;
  };
  const acquiring = one.locks.acquire("b");
  await clock.advance(1);
  early.session.lose("for a test");
  answer();
  const late = await acquiring;
  for (const lease of [early, late]) {
    expect(lease.held).toBe(false);
    expect(lease.signal.reason).toMatchObject({ code: "LOST", message: expect.stringContaining("for a test") });
  }
});

test("a process that holds no lock has no timer for a timeout", async () => {
  const lease = await one.locks.acquire("a");
  await clock.advance(100);
  await lease.release();
  await clock.advance(60_000);
  expect(clock.pending).toBe(0);
  await one.locks.acquire("a", { timeout: 50 });
  await clock.advance(49);
  expect(await one.locks.find("a")).toBeDefined();
  await clock.advance(1);
  expect(await one.locks.find("a")).toBeUndefined();
});
