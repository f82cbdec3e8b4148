import { beforeEach, describe, expect, test } from "vitest";
import type { CancelOptions, Run, RunRecord } from "../jobs/types.js";
import { stopKey } from "../locks/entries/schema.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { scribble } from "../testing/scribble.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const records = ({ manager }: ManagerOf, name = "a"): Promise<RunRecord[]> => collect(manager.history({ name }));

/** A body that runs until it is signalled to stop. */
const untilStopped = (run: Run): Promise<void> =>
  new Promise((_, reject) => {
    run.signal.addEventListener("abort", () => reject(run.signal.reason), { once: true });
  });

describe.each(STORES)("records and locks $stores: cancel", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test("a run is cancelled by another process: its signal fires with the reason, and its record says who and why", async () => {
    const work = rejection(one.manager.run("a", untilStopped));
    await clock.advance(1_000);
    const began = clock.now();
    const outcome = await clock.until(two.manager.cancel("a", { reason: "wrong month" }), 1_000);
    expect(clock.now() - began).toBeLessThan(100);
    const error = await clock.until(work);
    expect(error).toMatchObject({ code: "CANCELLED", message: expect.stringMatching(/by .*, pid \d+: wrong month$/) });
    const by = expect.objectContaining({ pid: process.pid });
    const [record] = await records(two);
    expect(record).toMatchObject({ status: "cancelled", endedBy: { action: "cancel", by, reason: "wrong month" } });
    expect(record?.endedBy?.by.instance).not.toBe(record?.holder.instance);
    expect(outcome).toEqual({ requested: true, ended: true, run: record });
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("a run that ignores its cancel is reported with who asked it to stop, when and why", async () => {
    const run = await clock.until(one.manager.start("a"));
    expect(await clock.until(two.manager.stopRequest(run))).toBeUndefined();
    const asked = { reason: "wrong month", author: "ana", wait: 0 };
    await clock.until(two.manager.cancel("a", asked), 10);
    await clock.advance(100_000);
    expect(run.signal.aborted).toBe(true);
    const { id, name, startTime } = run;
    expect(await clock.until(two.manager.stopRequest({ id, name, startTime }))).toMatchObject({
      action: "cancel",
      author: "ana",
      reason: "wrong month",
      by: { pid: process.pid },
    });
    const all = await clock.until(two.manager.stopRequests([run, { ...run, id: "a@another" }]));
    expect([...all]).toEqual([[id, expect.objectContaining({ author: "ana", reason: "wrong month" })]]);
    const [reason] = await clock.until(two.manager.why("a"));
    expect(reason?.code).toBe("running");
    expect(reason?.text).toMatch(/\. It was asked to stop at \S+Z, by ana: wrong month$/);
    await clock.until(run.cancel());
    // The next run of the name is another run.
    const next = await clock.until(one.manager.start("a"));
    expect(await clock.until(two.manager.stopRequest(next))).toBeUndefined();
    await clock.until(next.end());
  });

  test("of many runs, those that were asked to stop are found by one scan", async () => {
    const names = Array.from({ length: 30 }, (_, i) => `job ${i}`);
    const runs = await clock.until(Promise.all(names.map((name) => one.manager.start(name))));
    for (const name of ["job 3", "job 20", "job 3"])
      await clock.until(two.manager.cancel(name, { reason: `no ${name}`, wait: 0 }), 10);
    const asked = await clock.until(two.manager.stopRequests(runs));
    expect([...asked.values()].map(({ name, reason }) => `${name}: ${reason}`).sort()).toEqual([
      "job 20: no job 20",
      "job 3: no job 3",
    ]);
    expect(await clock.until(two.manager.stopRequests([]))).toEqual(new Map());
    await clock.until(Promise.all(runs.map((run) => run.cancel())));
  });

  test("a run that ignores its cancel still learns that its lock is taken: signal has fired, and lost fires", async () => {
    const run = await clock.until(one.manager.start("a"));
    await clock.until(two.manager.cancel("a", { reason: "wrong month", wait: 0 }), 10);
    await clock.advance(1_000);
    expect([run.signal.aborted, run.lost.aborted]).toEqual([true, false]);
    await clock.until(two.manager.unlock("a", { reason: "it hangs" }));
    await clock.advance(1_000);
    expect(run.lost.reason).toMatchObject({ code: "LOST", message: expect.stringContaining("it hangs") });
    expect(run.signal.reason).toMatchObject({ code: "CANCELLED" });
    const other = await clock.until(one.manager.start("b", { timeout: 5_000 }));
    await clock.advance(6_000);
    expect(other.lost.reason).toMatchObject({ code: "TIMEOUT" });
    const ended = await clock.until(one.manager.start("c"));
    await clock.until(ended.cancel());
    expect([ended.signal.aborted, ended.lost.aborted]).toEqual([true, false]);
  });

  test("a cancel that comes before the lock of the run is watched arrives too", async () => {
    const run = await clock.until(one.manager.start("a"));
    const stopped = rejection(untilStopped(run));
    await clock.until(two.manager.cancel("a", { reason: "at once", wait: 0 }), 10);
    expect(await clock.until(stopped, 1_000)).toMatchObject({ code: "CANCELLED" });
    await clock.until(run.cancel());
  });

  test("a run is cancelled by its id, and a later run of the job is not", async () => {
    const first = await clock.until(one.manager.start("a"));
    await clock.until(first.end());
    const run = await clock.until(one.manager.start("a"));
    await clock.advance(1_000);
    const none = { requested: false, ended: false };
    expect(await clock.until(two.manager.cancel(first.id, { reason: "late" }), 1_000)).toEqual(none);
    expect(run.signal.aborted).toBe(false);
    const { requested, ended } = await clock.until(two.manager.cancel(run.id, { reason: "in time", wait: 0 }), 1_000);
    expect({ requested, ended }).toEqual({ requested: true, ended: false });
    await clock.advance(1_000);
    expect(run.signal.aborted).toBe(true);
    await clock.until(run.cancel("done"));
    expect((await records(two))[0]).toMatchObject({ id: run.id, endedBy: { reason: "in time" } });
  });

  test("a job may be called like the run of another", async () => {
    const run = await clock.until(one.manager.start("a"));
    const other = await clock.until(one.manager.start(run.id));
    await clock.until(two.manager.cancel(run.id, { reason: "by name", wait: 0 }), 1_000);
    await clock.advance(1_000);
    expect([run.signal.aborted, other.signal.aborted]).toEqual([false, true]);
    await clock.until(Promise.all([run.end(), other.end()]));
  });

  test("a body that ignores its signal continues, and the cancel says so", async () => {
    const work = rejection(one.manager.run("a", () => new Promise(() => {}), { timeout: 60_000 }));
    await clock.advance(1_000);
    const outcome = await clock.until(two.manager.cancel("a", { reason: "hangs" }), 20_000);
    expect(outcome).toMatchObject({ requested: true, ended: false, run: { status: "running" } });
    expect(await clock.until(work, 60_000)).toMatchObject({ code: "TIMEOUT" });
    expect((await records(two))[0]).toMatchObject({ status: "timeout" });
  });

  test("a cancel with no active run requests nothing", async () => {
    const lease = await clock.until(one.manager.lock("a"));
    for (const name of ["a", "b", "b@2026-11-25T02:00:00.000Z"]) {
      const outcome = await clock.until(two.manager.cancel(name, { reason: "x" }), 1_000);
      expect(outcome).toEqual({ requested: false, ended: false });
    }
    expect(lease.held).toBe(true);
  });

  test("several runs of a process that are cancelled at once all end", async () => {
    const names = ["a", "b", "c", "d"];
    const works = names.map((name) => rejection(one.manager.run(name, untilStopped)));
    await clock.advance(1_000);
    const outcomes = await clock.until(
      Promise.all(names.map((name) => two.manager.cancel(name, { reason: `no ${name}` }))),
      1_000,
    );
    expect(outcomes.map(({ ended }) => ended)).toEqual([true, true, true, true]);
    for (const work of works) expect(await clock.until(work)).toMatchObject({ code: "CANCELLED" });
    for (const name of names) expect((await records(two, name))[0]?.endedBy?.reason).toBe(`no ${name}`);
    await clock.advance(100);
    const instance = (await records(two))[0]?.holder.instance ?? "";
    expect(await two.manager.channels.locks.get(stopKey(instance))).toBeUndefined();
  });

  test("in a store that cannot be watched a cancel arrives with the next heartbeat", async () => {
    const blind = await world.manager({ apart, supports: { watch: false } });
    const work = rejection(blind.manager.run("a", untilStopped));
    await clock.advance(1_000);
    expect(await clock.until(two.manager.cancel("a", { reason: "x" }), TTL)).toMatchObject({ ended: true });
    expect(await clock.until(work)).toMatchObject({ code: "CANCELLED" });
  });

  test("the holder of a lock that is unlocked by force learns by whom, and why", async () => {
    const run = await clock.until(one.manager.start("a"));
    await clock.advance(1_000);
    await clock.until(two.manager.unlock("a", { reason: "it hangs" }), 1_000);
    await clock.advance(100);
    expect(String(run.signal.reason)).toMatch(/unlocked by force, by .*, pid \d+: it hangs$/);
  });

  test("an entry that another program wrote in place of a request stops neither an unlock nor the run", async () => {
    const run = await clock.until(one.manager.start("a"));
    await clock.advance(1_000);
    const instance = (await one.manager.openRecords())[0]?.holder.instance ?? "";
    await scribble({ way: two.way, channel: two.manager.channels.locks }, stopKey(instance), "{");
    await clock.advance(1_000);
    expect(run.signal.aborted).toBe(false);
    expect(await clock.until(two.manager.unlock("a", { reason: "x" }), 1_000)).toMatchObject({ unlocked: true });
    await clock.advance(100);
    expect(run.signal.aborted).toBe(true);
  });
});

test.each<[unknown, unknown, RegExp]>([
  ["", { reason: "x" }, /needs the name of a job/],
  ["a", {}, /needs a reason/],
  ["a", undefined, /needs a reason/],
  ["a", { reason: "x".repeat(1_001) }, /at most 1000 characters/],
  ["a", { reason: "x", wait: -1 }, /wait must be/],
  ["a", { reason: "x", waits: 5 }, /a cancel has no option "waits". Did you mean "wait"\?/],
  ["a", { reason: "x", signal: 5 }, /signal must be/],
])("a wrong cancel is refused: %#", async (name, options, message) => {
  const { manager } = await world.manager();
  const wrong = manager.cancel(name as string, options as CancelOptions);
  await expect(wrong).rejects.toMatchObject({ code: "INVALID", message: expect.stringMatching(message) });
});
