import { beforeEach, describe, expect, test } from "vitest";
import type { HistoryOptions } from "../jobs/types.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";

const TTL = 15_000;
const MINUTE = 60_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each(STORES)("records and locks $stores: failures", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  const failures = async (options: HistoryOptions = {}): Promise<string[]> =>
    (await clock.until(collect(two.manager.failedRuns(options)))).map(({ name, status }) => `${name} ${status}`);

  const fail = (name: string): Promise<unknown> =>
    clock.until(rejection(one.manager.run(name, () => Promise.reject(new Error("no")))));

  test("the runs that ended in error are listed by their ends, the latest first, and no others", async () => {
    const slow = await clock.until(one.manager.start("slow", { timeout: 10 * MINUTE }));
    await fail("a");
    await clock.until(one.manager.run("fine", () => {}));
    await clock.until((await one.manager.start("idle")).skip("nothing to do"));
    await clock.advance(MINUTE);
    await clock.until(rejection(one.manager.run("late", () => new Promise(() => {}), { timeout: 1_000 })), MINUTE);
    await clock.advance(MINUTE);
    await clock.until(slow.fail(new Error("no")));
    await clock.advance(1);
    const cancelled = await clock.until(one.manager.start("c"));
    await clock.until(cancelled.cancel("x"));
    await clock.advance(1);
    await clock.until(one.manager.start("u"));
    await clock.until(two.manager.unlock("u", { reason: "x" }));
    expect(await failures()).toEqual(["u cancelled", "c cancelled", "slow failed", "late timeout", "a failed"]);
    expect(await failures({ limit: 2 })).toEqual(["u cancelled", "c cancelled"]);
    expect(await failures({ limit: 0 })).toEqual([]);
    const end = slow.startTime + MINUTE;
    expect(await failures({ to: end })).toEqual(["a failed"]);
    expect(await failures({ from: end })).toEqual(["u cancelled", "c cancelled", "slow failed", "late timeout"]);
  });

  test("a run whose process died is among the failures", async () => {
    await clock.until(one.manager.start("a"));
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.advance(3 * TTL);
    await clock.until(two.manager.run("a", () => {}, { wait: MINUTE }));
    expect(await failures()).toEqual(["a lost"]);
  });

  test("a prune removes the failures with their records, and nothing is left of them", async () => {
    for (let i = 0; i < 30; i++) await fail(`job ${i % 3}`);
    await clock.advance(MINUTE);
    await fail("a");
    await clock.until(two.manager.prune({ olderThan: MINUTE / 2 }));
    expect(await failures()).toEqual(["a failed"]);
    await clock.advance(1);
    await clock.until(two.manager.prune({ olderThan: 0 }));
    expect(await failures()).toEqual([]);
    const commits = one.jobsWay.commits.length;
    await clock.until(two.manager.prune({ olderThan: 0 }));
    expect(one.jobsWay.commits.length).toBe(commits);
  });

  test("many runs that went well in between cost nothing", async () => {
    await fail("a");
    for (let i = 0; i < 300; i++) await clock.until(one.manager.run(`fine ${i}`, () => {}));
    const reads = two.jobsWay.reads;
    expect(await failures({ limit: 10 })).toEqual(["a failed"]);
    expect(two.jobsWay.reads - reads).toBeLessThan(5);
  });
});
