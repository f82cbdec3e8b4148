import { beforeEach, describe, expect, test } from "vitest";
import type { AuditValue } from "../locks/entries/schema.js";
import { type FakeClock, settled } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import type { RunRecord } from "./types.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const records = ({ manager }: ManagerOf, name = "a"): Promise<RunRecord[]> => collect(manager.history({ name }));

describe.each(STORES)("records and locks $stores", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test("the run of a dead process is closed as lost exactly once, however many processes find it", async () => {
    const dead = await one.manager.start("a");
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.advance(3 * TTL);
    const others = await Promise.all(Array.from({ length: 6 }, () => world.manager({ apart })));
    const versions = new Set<string>();
    const look = async (): Promise<void> => {
      for await (const { version } of two.manager.channels.jobs.keys()) versions.add(version);
    };
    await look();
    const work = others.map(({ manager }) => manager.run("a", look, { wait: 600_000 }));
    await clock.until(Promise.all(work));
    const all = await records(two);
    expect(all.map(({ status }) => status)).toEqual([...Array(6).fill("completed"), "lost"]);
    expect(all.at(-1)).toMatchObject({ fence: dead.fence, startTime: dead.startTime, inError: true });
    expect(all.at(-1)?.error).toContain(`pid ${process.pid}`);
    // Its end is rejected, and changes nothing.
    one.way.fault = () => undefined;
    one.jobsWay.fault = one.way.fault;
    expect(await clock.until(rejection(dead.end("late")))).toMatchObject({ code: "LOST" });
    expect((await records(two)).at(-1)).toEqual(all.at(-1));
  });

  test("the run of a dead process is closed by the sweeper, though no process starts anything", async () => {
    await one.manager.start("a");
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.advance(3 * TTL);
    expect((await records(two))[0]?.status).toBe("lost");
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("the signal of a run fires at the end of its session, even if the store does not answer", async () => {
    let told = 0;
    const work = one.manager.run(
      "a",
      (run) =>
        new Promise<never>(() => {
          run.signal.addEventListener("abort", () => {
            told = clock.monotonic();
          });
        }),
    );
    await settled();
    const at = clock.monotonic();
    one.way.fault = () => ({ type: "request lost" });
    one.jobsWay.fault = one.way.fault;
    expect(await clock.until(rejection(work))).toMatchObject({ code: "LOST" });
    expect(told).toBeLessThanOrEqual(at + TTL);
    expect(told).toBeGreaterThan(at + TTL / 2);
  });

  test("a run whose lock was removed is lost at the next heartbeat, and its record is closed", async () => {
    const run = await one.manager.start("a");
    await two.manager.channels.locks.unset(["lock", "a"]);
    await clock.advance(TTL / 3);
    expect(run.signal.reason).toMatchObject({ code: "LOST" });
    expect((await records(two))[0]?.status).toBe("lost");
    expect(await rejection(run.end())).toMatchObject({ code: "LOST" });
  });

  test("a forced unlock closes the run as cancelled, frees the lock, and leaves an audit record", async () => {
    const run = await one.manager.start("a");
    const outcome = await two.manager.unlock("a", { reason: "it hangs" });
    expect(outcome).toMatchObject({ unlocked: true, holder: { pid: process.pid }, run: { status: "cancelled" } });
    const [record] = await records(two);
    expect(record).toMatchObject({ status: "cancelled", error: "unlocked by force: it hangs", fence: run.fence });
    const [audit] = (await two.manager.channels.locks.getAll({ prefix: ["audit", "a"] })) as AuditValue[];
    expect(audit).toMatchObject({ reason: "it hangs", lock: { note: { run: run.startTime } } });
    await two.manager.run("a", () => {}, { wait: 0 });
    await clock.advance(TTL / 3);
    expect(run.signal.aborted).toBe(true);
    expect(await rejection(run.end())).toMatchObject({ code: "LOST" });
    expect((await records(two)).map(({ status }) => status)).toEqual(["completed", "cancelled"]);
  });

  test("a body that finds its lock lost, before its signal fires, leaves a record with the status lost", async () => {
    const work = one.manager.run("a", (run) => {
      clock.block(TTL);
      run.assertHeld();
    });
    expect(await clock.until(rejection(work))).toMatchObject({ code: "LOST" });
    expect(await records(two)).toMatchObject([{ status: "lost" }]);
  });

  test.each(["end", "fail", "cancel"] as const)(
    "a call of %s after a forced unlock rejects, and does not change the record",
    async (end) => {
      const run = await one.manager.start("a");
      await two.manager.unlock("a", { reason: "it hangs" });
      expect(await rejection(run[end]("text"))).toMatchObject({ code: "LOST" });
      expect((await records(two))[0]?.error).toBe("unlocked by force: it hangs");
    },
  );

  test("close of a manager aborts its bodies, closes its runs, ends its waits, and leaves nothing behind", async () => {
    const run = await one.manager.start("a");
    const body = rejection(
      one.manager.run(
        "b",
        (b) => new Promise((_, reject) => b.signal.addEventListener("abort", () => reject(b.signal.reason))),
      ),
    );
    await two.manager.start("c");
    const waiter = rejection(one.manager.run("c", () => {}, { wait: 60_000 }));
    await clock.advance(100);
    await clock.until(Promise.all([one.manager.close(), one.manager.close()]));
    await clock.until(two.manager.close());
    expect(run.signal.aborted).toBe(true);
    expect(await body).toMatchObject({ code: "CLOSING" });
    expect(await waiter).toMatchObject({ code: "CLOSED" });
    const three = await world.manager({ apart });
    for (const name of ["a", "b", "c"]) {
      expect((await records(three, name))[0]).toMatchObject({
        error: "its process closed before the run ended",
        // Only the body of "b" obeyed its signal.
        status: name === "b" ? "cancelled" : "lost",
      });
    }
    expect(await three.manager.heldLocks()).toEqual([]);
    await three.manager.close();
    expect(clock.pending).toBe(0);
    expect(await rejection(three.manager.start("a"))).toMatchObject({ code: "CLOSED" });
  });

  test("close of a manager ends although a body ignores its signal", async () => {
    const work = rejection(one.manager.run("a", () => new Promise(() => {})));
    await clock.advance(10);
    await clock.until(one.manager.close());
    expect(await clock.until(work)).toMatchObject({ code: "LOST" });
  });

  test("a run that is being started while its manager is closed is not left open", async () => {
    const { way, jobsWay, manager } = await world.manager({ apart });
    await manager.run("warm up", () => {});
    const start = manager.start("a");
    jobsWay.once('"a', { type: "slow", ms: 500 });
    const failed = rejection(start);
    await clock.until(manager.close());
    expect(await clock.until(failed)).toMatchObject({ code: "CLOSED" });
    expect(way.fault({ kind: "read" })).toBeUndefined();
    expect((await records(two)).filter(({ status }) => status === "running")).toEqual([]);
    expect(await two.manager.heldLocks()).toEqual([]);
  });
});

test("the error of a run that lost its lock has the cause alone beside the whole text", async () => {
  const [one, two] = [await world.manager(), await world.manager()];
  const run = await one.manager.start("a");
  await clock.until(two.manager.unlock("a", { reason: "it hangs", author: "ann" }));
  await clock.advance(TTL / 3);
  expect(run.signal.reason).toMatchObject({
    code: "LOST",
    message: expect.stringMatching(/^the run of "a" may no longer hold its lock: /),
    cause: { code: "LOST", why: "it was unlocked by force, by ann: it hangs" },
  });
});
