import { beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../channel/channel.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import { recordKey } from "./records/record.js";
import type { Run, RunRecord } from "./types.js";

const TTL = 15_000;

type Added = RunRecord & { readonly alerted?: boolean; readonly seen?: number };

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each(STORES)("records and locks $stores: a program writes the record of an open run back", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;
  let run: Run;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
    run = await one.manager.start("a");
  });

  /** Writes the record back with more fields, like a script that reads it and sets it. */
  const writeBack = async (more: object): Promise<void> => {
    const jobs = two.manager.channels.jobs as Channel<Added>;
    const key = recordKey("a", run.startTime);
    await jobs.set(key, { ...(await jobs.get(key)), ...more } as Added);
  };
  const stored = async (): Promise<Added[]> => collect(two.manager.history({ name: "a" }));

  test.each([
    { how: "completes", end: () => run.end("result"), status: "completed" },
    { how: "fails", end: () => run.fail(new Error("no rows")), status: "failed" },
    { how: "skips", end: () => run.skip("no rows"), status: "skipped" },
    { how: "is cancelled", end: () => run.cancel("wrong month"), status: "cancelled" },
  ])("a run that $how keeps the fields that others added", async ({ end, status }) => {
    await writeBack({ alerted: true });
    expect(await end()).toMatchObject({ status, alerted: true, fence: run.fence });
    expect(await stored()).toMatchObject([{ status, alerted: true, fence: run.fence }]);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("the end of a run wins over the writes of a program that races with it", async () => {
    const { commit } = one.jobsWay;
    let writes = 0;
    one.jobsWay.commit = async (it, options) => {
      const ends = it.writes.some(({ key, value }) => key.includes("Manager-jobs") && value?.includes('"completed"'));
      if (ends && writes < 3) await writeBack({ seen: ++writes });
      return commit.call(one.jobsWay, it, options);
    };
    expect(await run.end()).toMatchObject({ status: "completed", seen: 3 });
    expect(await stored()).toMatchObject([{ status: "completed", seen: 3, fence: run.fence }]);
  });

  test("a run whose end was written, and then written back by a program, is still the end of its caller", async () => {
    // The answer to the commit is lost, and a program adds a field before the run reads again.
    one.jobsWay.once("Manager-jobs", { type: "reply lost" });
    const ended = run.end("result");
    await clock.advance(1);
    await writeBack({ alerted: true });
    expect(await clock.until(ended)).toMatchObject({ status: "completed" });
    expect(await stored()).toMatchObject([{ status: "completed", alerted: true, result: "result" }]);
  });

  test("the timeout of such a run is recorded", async () => {
    await run.end();
    run = await one.manager.start("a", { timeout: 1_000 });
    await writeBack({ alerted: true });
    await clock.advance(2_000);
    expect(await stored()).toMatchObject([{ status: "timeout", alerted: true }, {}]);
  });

  test("a program that reads the history writes back a fence, which its run corrects", async () => {
    await writeBack({ seen: 1 });
    for (const record of await stored()) await writeBack({ ...record, seen: 2 });
    expect(await two.manager.openRecords()).toMatchObject([{ name: "a", seen: 2, fence: run.fence }]);
    expect(await run.end()).toMatchObject({ status: "completed", seen: 2, fence: run.fence });
    expect(await stored()).toMatchObject([{ status: "completed", seen: 2, fence: run.fence }]);
  });

  test("such a run is running for all who ask, and can be cancelled", async () => {
    await writeBack({ alerted: true });
    expect(await two.manager.openRecords()).toMatchObject([{ name: "a", alerted: true, fence: run.fence }]);
    expect((await two.manager.why("a"))[0]).toMatchObject({ code: "running" });
    expect(await clock.until(two.manager.cancel("a", { reason: "x", wait: 0 }))).toMatchObject({ requested: true });
    await clock.advance(TTL);
    expect(run.signal.aborted).toBe(true);
  });

  test("no process closes such a run while its own process lives", async () => {
    await writeBack({ alerted: true });
    const three = await world.manager({ apart });
    await clock.advance(100 * TTL);
    expect(await stored()).toMatchObject([{ status: "running" }]);
    await three.manager.close();
    expect(await run.end()).toMatchObject({ status: "completed", alerted: true });
  });

  test("such a run of a dead process is closed as lost once, with its own fence and the added fields", async () => {
    await writeBack({ alerted: true });
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = () => ({ type: "refused" });
    await clock.advance(3 * TTL);
    expect((await clock.until(two.manager.run("a", () => "next"))).result).toBe("next");
    expect(await stored()).toMatchObject([
      { status: "completed" },
      { status: "lost", alerted: true, fence: run.fence },
    ]);
  });

  test("a forced unlock closes such a run, and the run cannot reopen its record", async () => {
    await writeBack({ alerted: true });
    expect(await two.manager.unlock("a", { reason: "it hangs" })).toMatchObject({
      unlocked: true,
      run: { status: "cancelled", alerted: true, fence: run.fence },
    });
    expect(await clock.until(rejection(run.end()))).toMatchObject({ code: "LOST" });
    expect(await stored()).toMatchObject([{ status: "cancelled", alerted: true }]);
  });

  test("a program that closes the record wins, and the error does not speak of a lost lock", async () => {
    await writeBack({ status: "failed", error: "by hand", endTime: clock.now(), inError: true });
    const error = await clock.until(rejection(run.end()));
    expect(error).toMatchObject({ code: "ENDED", message: expect.stringMatching(/another process.* as failed/) });
    expect(await stored()).toMatchObject([{ status: "failed", error: "by hand" }]);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("a program that deletes the record gets no new one, and the error says so", async () => {
    await two.manager.channels.jobs.unset(recordKey("a", run.startTime));
    const error = await clock.until(rejection(run.end()));
    expect(error).toMatchObject({ code: "ENDED", message: expect.stringMatching(/removed/) });
    expect(await stored()).toEqual([]);
    expect(await two.manager.heldLocks()).toEqual([]);
  });
});
