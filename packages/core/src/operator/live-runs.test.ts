import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../channel/channel.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { scribble } from "../testing/scribble.js";
import { rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import type { LiveRuns } from "./live-runs.js";

const MINUTE = 60_000;

let world: World;
let clock: FakeClock;
let one: ManagerOf;
let two: ManagerOf;
let live: LiveRuns;
let told: string[];

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.manager();
  two = await world.manager();
  told = [];
});

afterEach(() => live?.close());

async function follow(): Promise<void> {
  live = await two.manager.followRuns({ changed: (name) => told.push(name) });
  await clock.until(live.ready);
}

describe("what runs, followed", () => {
  test("is known when it is ready: runs of all processes, with what is usual of them", async () => {
    for (const ms of [100, 300]) {
      await clock.until(one.manager.run("a", () => new Promise<void>((resolve) => void clock.after(ms, resolve))));
    }
    const run = await clock.until(one.manager.start("a"));
    await follow();
    await clock.until(Promise.resolve());
    await clock.advance(10);
    expect(live.runs()).toMatchObject([{ id: run.id, fence: run.fence, usual: { p50: 100, p95: 300 }, waiting: 0 }]);
    expect(live.run("b")).toBeUndefined();
    await clock.until(run.end());
  });

  test("is known beside entries that are not JSON, and after them", async () => {
    const run = await clock.until(one.manager.start("a"));
    const locks = one.manager.channels.locks;
    const damaged = [
      ["lock", "x"],
      ["lock", "x", "queue"],
      ["session", "x"],
      ["session", run.fence, "stop"],
    ];
    for (const key of damaged) await scribble({ way: one.way, channel: locks }, key, "{ not JSON");
    await follow();
    expect(live.runs().map(({ id }) => id)).toEqual([run.id]);
    for (const key of damaged) await scribble({ way: one.way, channel: locks }, key, "{ not JSON either");
    await clock.until(run.end());
    await clock.advance(10);
    expect(live.runs()).toEqual([]);
  });

  test("reports runs that begin and end, and their progress", async () => {
    await follow();
    expect(live.runs()).toEqual([]);
    const run = await clock.until(one.manager.start("a"));
    await clock.advance(10);
    expect(live.run("a")?.id).toBe(run.id);
    expect(told).toContain("a");
    run.progress(3, 10, "rows");
    await clock.advance(2_000);
    expect(live.run("a")?.progress).toMatchObject({ done: 3, total: 10 });
    told = [];
    await clock.until(run.end());
    await clock.advance(10);
    expect(live.runs()).toEqual([]);
    expect(told).toContain("a");
  });

  test("in a busy store, costs few reads for runs that are over at once, and shows those that last", async () => {
    await follow();
    const begin = two.way.reads;
    const short = async (name: string): Promise<void> => {
      await one.manager.run(name, () => new Promise<void>((resolve) => void clock.after(20, resolve)));
    };
    const runs: Promise<void>[] = [];
    for (let i = 0; i < 400; i++) {
      runs.push(short(`job-${i % 100}`));
      await clock.advance(5);
    }
    const long = clock.until(one.manager.start("long"));
    await clock.advance(50);
    await clock.until(Promise.all(runs));
    // Each run costs a few reads if it is followed from its start.
    expect(two.way.reads - begin).toBeLessThan(400);
    await clock.advance(600);
    expect(live.runs().map(({ id }) => id)).toEqual([(await long).id]);
    await clock.until((await long).end());
    await clock.advance(2_000);
    const next = await clock.until(one.manager.start("next"));
    await clock.advance(10);
    expect(live.run("next")?.id).toBe(next.id);
    await clock.until(next.end());
  });

  test("a manager that closes in a busy second has no timer left that fails", async () => {
    await follow();
    const runs = await clock.until(Promise.all(Array.from({ length: 15 }, (_, i) => one.manager.start(`job-${i}`))));
    await clock.advance(50);
    await clock.until(two.manager.close());
    await clock.advance(1_000);
    await clock.until(Promise.all(runs.map((run) => run.end())));
  });

  test("all runs that began while the store was away are known once it is up to date", async () => {
    await follow();
    const heard = two.way.heard;
    let hear = (): void => {};
    const silent = new Promise<void>((resolve) => {
      hear = resolve;
    });
    two.way.heard = () => silent;
    for (const gap of two.way.gaps) gap();
    const runs = await clock.until(Promise.all(Array.from({ length: 15 }, (_, i) => one.manager.start(`job-${i}`))));
    two.way.heard = heard;
    hear();
    await clock.advance(10);
    await clock.until(live.upToDate());
    expect(live.runs()).toHaveLength(15);
    await clock.until(Promise.all(runs.map((run) => run.end())));
  });

  test("reports the waiters, and that the next one runs", async () => {
    await follow();
    const run = await clock.until(one.manager.start("a"));
    const waiting = clock.until(one.manager.start("a", { wait: MINUTE }));
    await clock.advance(1_000);
    expect(live.run("a")?.waiting).toBe(1);
    expect([...live.waiting()]).toEqual([["a", 1]]);
    const waiters = await one.manager.waiters("a");
    expect(waiters).toMatchObject([{ pid: process.pid, since: expect.any(Number) }]);
    expect(live.waiters("a")).toEqual(waiters);
    expect(live.waiters("a", { limit: 0 })).toEqual([]);
    expect(live.waiters("b")).toEqual([]);
    await clock.until(run.end());
    const next = await waiting;
    await clock.advance(10);
    expect(live.run("a")).toMatchObject({ id: next.id, waiting: 0 });
    await clock.until(next.end());
  });

  test("has the lease of the process, from its first renewal on", async () => {
    await follow();
    const run = await clock.until(one.manager.start("a"));
    await clock.advance(MINUTE);
    const lease = live.run("a")?.lease;
    expect(lease?.until).toBeGreaterThan(clock.now());
    expect(lease?.renewed).toBeGreaterThan(run.startTime);
    expect(live.sessions()).toMatchObject([{ pid: process.pid, lease }]);
    await clock.until(run.end());
  });

  test("a session that a later version wrote is not over until its entry expires", async () => {
    const holder = { host: "h", pid: 1, instance: "later" };
    const value = { id: "later", process: "unknown", since: 0, beat: 0 };
    const locks = one.manager.channels.locks as Channel<unknown>;
    await clock.until(locks.set(["session", "later"], value, { ttl: MINUTE }));
    await follow();
    await clock.advance(MINUTE - 1_000);
    expect(live.isOver(holder)).toBe(false);
    await clock.advance(2_000);
    expect(live.isOver(holder)).toBe(true);
  });

  test("knows which sessions are over, and which locks people hold", async () => {
    const holder = { host: "h", pid: 1, instance: "no session" };
    live = await two.manager.followRuns();
    expect(live.isOver(holder)).toBe(false);
    await clock.until(live.ready);
    expect(live.isOver(holder)).toBe(true);
    const run = await clock.until(one.manager.start("a"));
    await clock.advance(10);
    expect(live.isOver(live.run("a")?.holder ?? holder)).toBe(false);
    await clock.until(one.manager.hold("b", { reason: "a look", author: "ana" }));
    await clock.advance(1_000);
    expect([...live.holds()]).toMatchObject([["b", { reason: "a look", author: "ana" }]]);
    expect(live.sessions().filter(({ hold }) => hold)).toHaveLength(1);
    await clock.until(one.manager.unlock("b", { reason: "done" }));
    await clock.until(run.end());
    await clock.advance(1_000);
    expect(live.holds().size).toBe(0);
  });

  test("reports who asked a run to stop, before it follows and while it does", async () => {
    const runs = await clock.until(Promise.all(["a", "b", "c"].map((name) => one.manager.start(name))));
    const cancel = (name: string, reason: string): Promise<unknown> =>
      clock.until(two.manager.cancel(name, { reason, author: "ana", wait: 0 }), 100);
    await cancel("a", "wrong month");
    await clock.advance(100_000);
    await follow();
    expect(live.run("a")?.stopRequest).toMatchObject({
      author: "ana",
      reason: "wrong month",
      by: { pid: process.pid },
    });
    expect(live.run("b")?.stopRequest).toBeUndefined();
    told = [];
    await cancel("b", "its database is gone");
    await clock.advance(1_000);
    expect(live.run("b")?.stopRequest).toMatchObject({ author: "ana", reason: "its database is gone" });
    expect(told).toContain("b");
    await cancel("a", "and now");
    await clock.advance(1_000);
    expect(live.runs().map(({ name, stopRequest: asked }) => [name, asked?.reason])).toEqual([
      ["a", "and now"],
      ["b", "its database is gone"],
      ["c", undefined],
    ]);
    await clock.until(Promise.all(runs.map((run) => run.cancel())));
    // The request does not apply to the next run of the name.
    const next = await clock.until(one.manager.start("a"));
    await clock.advance(1_000);
    expect(live.run("a")?.id).toBe(next.id);
    expect(live.run("a")?.stopRequest).toBeUndefined();
    await clock.until(next.end());
  });

  test("reports a request that came while the store was away", async () => {
    const run = await clock.until(one.manager.start("a"));
    await follow();
    two.way.fault = () => ({ type: "refused" });
    await clock.until(one.manager.cancel("a", { reason: "wrong month", wait: 0 }), 100);
    await clock.advance(1_000);
    expect(live.run("a")?.stopRequest).toBeUndefined();
    two.way.fault = () => undefined;
    await clock.advance(MINUTE);
    expect(live.run("a")?.stopRequest).toMatchObject({ reason: "wrong month" });
    await clock.until(run.cancel());
  });

  test("survives a store that is away, and shows what happened meanwhile", async () => {
    const run = await clock.until(one.manager.start("a"));
    await follow();
    expect(live.run("a")?.id).toBe(run.id);
    two.way.fault = () => ({ type: "refused" });
    await clock.until(run.end());
    const other = await clock.until(one.manager.start("b"));
    two.way.fault = () => undefined;
    await clock.advance(MINUTE);
    expect(live.runs().map(({ id }) => id)).toEqual([other.id]);
    await clock.until(other.end());
  });

  test("ends with its manager, and reports nothing after its close", async () => {
    await follow();
    live.close();
    const run = await clock.until(one.manager.start("a"));
    await clock.advance(1_000);
    expect(told).toEqual([]);
    expect(live.runs()).toEqual([]);
    await clock.until(run.end());
    const other = await two.manager.followRuns();
    await clock.until(other.ready);
    await clock.until(two.manager.close());
    expect(other.runs()).toEqual([]);
  });

  test("lists the locks as the store has them, held by runs and by people, with their waiters", async () => {
    await follow();
    const run = await clock.until(one.manager.start("b"));
    const waiting = two.manager.start("b", { wait: MINUTE });
    await clock.until(one.manager.hold("a", { reason: "a look" }));
    await clock.advance(10);
    const held = await clock.until(one.manager.heldLocks());
    expect(held.map(({ name, waiting }) => [name, waiting])).toEqual([
      ["a", 0],
      ["b", 1],
    ]);
    expect(live.locks()).toEqual(held);
    await clock.until(run.end());
    await clock.until((await clock.until(waiting)).end());
    await clock.until(one.manager.unlock("a", { reason: "done" }));
    await clock.advance(10);
    expect([live.locks(), live.lock("a")]).toEqual([[], undefined]);
  });

  test("rejects where the store has no watches", async () => {
    const blind = await world.manager({ supports: { watch: false } });
    live = await blind.manager.followRuns();
    expect(await rejection(live.ready)).toMatchObject({ code: "NOT_SUPPORTED" });
  });
});
