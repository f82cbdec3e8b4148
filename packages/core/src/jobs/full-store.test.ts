import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import type { Call, Fault } from "../testing/stores/faulty-backend.js";
import { type ManagerOf, World } from "../testing/world.js";
import type { Run, RunRecord } from "./types.js";

const TTL = 15_000;

/** More than the pause between two attempts to write an end, in ms. */
const SOON = 1_000;

const full = ({ kind, ...call }: Call): Fault | undefined =>
  kind === "commit" && "commit" in call && call.commit.writes.length > 0 ? { type: "full" } : undefined;

function fill({ way, jobsWay }: ManagerOf): void {
  way.fault = full;
  jobsWay.fault = full;
}

function empty({ way, jobsWay }: ManagerOf): void {
  way.fault = () => undefined;
  jobsWay.fault = () => undefined;
}

const records = ({ manager }: ManagerOf): Promise<RunRecord[]> => collect(manager.history({ name: "a" }));

/** The process warnings of a full store, from now on. */
function warnings(): string[] {
  const messages: string[] = [];
  const note = (warning: Error & { code?: string }): void => {
    if (warning.code === "OJM_FULL") messages.push(warning.message);
  };
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  return messages;
}

describe.each([false, true])("a full store, with the records apart from the locks: %s", (apart) => {
  let clock: FakeClock;
  let world: World;
  let one: ManagerOf;

  beforeEach(async () => {
    world = new World();
    clock = world.clock;
    one = await world.manager({ apart });
  });

  const ends: readonly [string, (run: Run) => Promise<unknown>, Partial<RunRecord>][] = [
    [
      "end",
      (run) => run.end("done"),
      { status: "lost", error: "it completed, but its end could not be recorded: the disk is full" },
    ],
    [
      "skip",
      (run) => run.skip("no file"),
      { status: "lost", error: "it was skipped (no file), but its end could not be recorded: the disk is full" },
    ],
    ["fail", (run) => run.fail("because"), { status: "failed", error: "because" }],
    ["cancel", (run) => run.cancel("enough"), { status: "cancelled", error: "enough" }],
  ];

  test.each(ends)("a call of %s rejects at once with the reason", async (_, over) => {
    const run = await one.manager.start("a");
    fill(one);
    const before = clock.monotonic();
    expect(await clock.until(rejection(over(run)))).toMatchObject({
      code: "FULL",
      message: 'the end of the run of "a" cannot be recorded: the disk is full',
    });
    expect(clock.monotonic()).toBe(before);
  });

  test.each(ends)(
    "once there is room the record says how a run ended by %s, and why it says so late",
    async (_, over, record) => {
      const run = await one.manager.start("a");
      fill(one);
      await clock.advance(100);
      const endTime = clock.now();
      await clock.until(rejection(over(run)));
      await clock.advance(TTL / 2);
      expect(await records(one)).toMatchObject([{ status: "running" }]);
      empty(one);
      await clock.advance(SOON);
      expect(await records(one)).toMatchObject([{ ...record, endTime, inError: true }]);
      expect(await one.manager.heldLocks()).toEqual([]);
    },
  );

  test("once there is room the record names who cancelled the run", async () => {
    const two = await world.manager({ apart });
    const run = await one.manager.start("a");
    await clock.until(two.manager.cancel("a", { reason: "wrong month", author: "ana", wait: 1 }));
    await clock.advance(TTL / 2);
    expect(run.signal.aborted).toBe(true);
    fill(one);
    await clock.until(rejection(run.cancel("the wrong month")));
    empty(one);
    await clock.advance(TTL);
    const endedBy = { action: "cancel", author: "ana", reason: "wrong month" };
    expect(await records(one)).toMatchObject([{ status: "cancelled", error: "the wrong month", endedBy }]);
  });

  test("the record says why even if the session ended before there was room, and the name is free", async () => {
    const run = await one.manager.start("a");
    fill(one);
    await clock.until(rejection(run.end()));
    await clock.advance(3 * TTL);
    empty(one);
    await clock.advance(SOON);
    expect(await records(one)).toMatchObject([{ status: "lost", error: expect.stringContaining("the disk is full") }]);
    expect((await clock.until(one.manager.run("a", () => "next", { wait: 0 }))).result).toBe("next");
  });

  test("the next run of this process finds the lock of the session that ended, and records the true end", async () => {
    const run = await one.manager.start("a");
    fill(one);
    await clock.until(rejection(run.fail("because")));
    await clock.advance(2 * TTL);
    empty(one);
    await clock.until(one.manager.run("a", () => "next"));
    expect((await records(one)).map(({ status, error }) => [status, error])).toEqual([
      ["completed", undefined],
      ["failed", "because"],
    ]);
  });

  test("a lock that cannot be renewed is lost by the local clock, before another process can have it", async () => {
    const two = await world.manager({ apart });
    const run = await one.manager.start("a");
    fill(one);
    let lost = 0;
    run.signal.addEventListener("abort", () => {
      lost = clock.monotonic();
    });
    let taken = 0;
    const body = (): void => {
      taken = clock.monotonic();
    };
    await clock.until(two.manager.run("a", body, { wait: 4 * TTL }));
    expect(run.signal.reason).toMatchObject({ code: "LOST", message: expect.stringContaining("the disk is full") });
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(taken);
  });

  test("a run that lost its lock to a full store is recorded with that reason once there is room", async () => {
    const run = await one.manager.start("a");
    fill(one);
    await clock.advance(2 * TTL);
    expect(run.signal.aborted).toBe(true);
    empty(one);
    await clock.advance(SOON);
    expect(await records(one)).toMatchObject([{ status: "lost", error: expect.stringContaining("the disk is full") }]);
  });

  test("a warning says at once that the locks cannot be renewed, once for each time that the store is full", async () => {
    const told = warnings();
    await one.manager.start("a", { timeout: 100 * TTL });
    for (let time = 1; time <= 2; time++) {
      fill(one);
      await clock.advance(TTL * 0.6);
      expect(told).toHaveLength(time);
      expect(told[0]).toMatch(/^this process cannot renew its locks, and loses them in \d+ s: the disk is full$/);
      empty(one);
      await clock.advance(TTL);
    }
  });

  test("close of a manager writes the end of a run if there is room in time", async () => {
    const run = await one.manager.start("a");
    fill(one);
    await clock.until(rejection(run.fail("because")));
    const closing = one.manager.close();
    await clock.advance(TTL / 2);
    empty(one);
    await clock.until(closing, SOON);
    const two = await world.manager({ apart });
    expect(await records(two)).toMatchObject([{ status: "failed", error: "because" }]);
  });

  test("close of a manager waits for room no longer than a ttl, and then warns of the end that is missing", async () => {
    const told = warnings();
    const run = await one.manager.start("a");
    fill(one);
    await clock.until(rejection(run.end()));
    await clock.until(one.manager.close(), TTL + SOON);
    await new Promise((resolve) => setImmediate(resolve));
    const ends = told.filter((one) => one.startsWith("the end"));
    expect(ends).toEqual([
      `the end of the run of "a" is not recorded yet: the disk is full. This process waits up to 15 s for room`,
      'the end of the run of "a" is not recorded: the disk is full. The next process that finds it open records it as lost',
    ]);
    expect(clock.pending).toBe(0);
  });
});

test("a lock without a run is given back once there is room, and its release rejects at once", async () => {
  const { way, locks, channel } = await new World().locks();
  const lease = await locks.acquire("a");
  way.fault = full;
  expect(await rejection(lease.release())).toMatchObject({ code: "FULL" });
  expect(lease.held).toBe(false);
  way.fault = () => undefined;
  await locks.close();
  expect(await channel.size()).toBe(0);
});
