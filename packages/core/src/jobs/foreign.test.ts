import { beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../channel/channel.js";
import { ChannelError } from "../channel/errors.js";
import { lockKey } from "../locks/entries/schema.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { scribble } from "../testing/scribble.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import { recordKey } from "./records/record.js";
import type { Run } from "./types.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each(STORES)("records and locks $stores: foreign data in the store", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;
  let run: Run;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
    await one.manager.run("a", () => "before");
    run = await one.manager.start("a");
  });

  const overwrite = (text: string): Promise<void> => {
    const way = two.jobsWay;
    return scribble({ way, channel: two.manager.channels.jobs as Channel<never> }, recordKey("a", run.startTime), text);
  };
  const texts = ["no JSON", "null", '"mine"', '{"name":"a","status":5}'];

  test.each(texts)("a run whose record was overwritten frees its lock at its end: %s", async (text) => {
    await overwrite(text);
    const error = await clock.until(rejection(run.end()));
    expect(error).toMatchObject({ code: "ENDED", message: expect.stringContaining("overwritten its record") });
    expect(await two.manager.heldLocks()).toEqual([]);
    expect((await two.manager.run("a", () => "next", { wait: 0 })).result).toBe("next");
  });

  test.each(texts)("a run whose record and lock were overwritten ends as lost: %s", async (text) => {
    await overwrite(text);
    const { way, manager } = two;
    await scribble({ way, channel: manager.channels.locks }, lockKey("a"), text);
    expect(await clock.until(rejection(run.end()))).toMatchObject({ code: "LOST" });
  });

  test.each(texts)(
    "an overwritten record blocks neither a forced unlock nor the history of other runs: %s",
    async (text) => {
      const other = await one.manager.start("b");
      await overwrite(text);
      expect((await two.manager.openRecords()).map(({ name }) => name)).toEqual(["b"]);
      expect((await collect(two.manager.history())).map(({ name, status }) => [name, status])).toEqual([
        ["b", "running"],
        ["a", "completed"],
      ]);
      expect((await collect(two.manager.history({ name: "a", limit: 1 }))).map(({ result }) => result)).toEqual([
        "before",
      ]);
      expect(await two.manager.unlock("a", { reason: "it hangs" })).toMatchObject({ unlocked: true });
      await clock.advance(100);
      expect(await two.manager.prune({ olderThan: 0 })).toMatchObject({ removed: 1 });
      await other.end();
    },
  );

  test.each(texts)(
    "an overwritten record of a dead process blocks neither a new manager nor the lock: %s",
    async (text) => {
      await overwrite(text);
      one.way.fault = () => ({ type: "refused" });
      one.jobsWay.fault = () => ({ type: "refused" });
      await clock.advance(2 * TTL);
      const three = await world.manager({ apart });
      expect((await clock.until(three.manager.run("a", () => "next"))).result).toBe("next");
    },
  );

  test.each(texts)("a run whose lock was overwritten ends as lost, and one end is written: %s", async (text) => {
    await scribble({ way: two.way, channel: two.manager.channels.locks }, ["lock", "a"], text);
    await clock.advance(TTL);
    expect(run.signal.reason).toMatchObject({ code: "LOST" });
    expect(await clock.until(rejection(run.end()))).toMatchObject({ code: "LOST" });
    expect((await collect(two.manager.history({ name: "a", limit: 1 }))).map(({ status }) => status)).toEqual(["lost"]);
  });

  test.each(texts)("a run continues although the queue of its lock was overwritten: %s", async (text) => {
    await scribble({ way: two.way, channel: two.manager.channels.locks }, ["lock", "a", "queue"], text);
    const three = await world.manager({ apart });
    await clock.advance(50 * TTL);
    run.assertHeld();
    expect(await run.end()).toMatchObject({ status: "completed" });
    await three.manager.close();
  });

  test("a store that fails writes of records as CORRUPT is reported as that, and keeps the lock until it is mended", async () => {
    const commit = one.jobsWay.commit.bind(one.jobsWay);
    const damaged = async (): Promise<never> => {
      throw new ChannelError("CORRUPT", "the store is damaged");
    };
    one.jobsWay.commit = (it, options) =>
      it.writes.some(({ key }) => key.includes("Manager-jobs")) ? damaged() : commit(it, options);
    expect(await clock.until(rejection(run.end()))).toMatchObject({ code: "CORRUPT" });
    expect((await two.manager.heldLocks()).map(({ name }) => name)).toEqual(["a"]);
    one.jobsWay.commit = commit;
    await clock.advance(TTL);
    expect(await two.manager.heldLocks()).toEqual([]);
    expect((await collect(two.manager.history({ name: "a", limit: 1 }))).map(({ status }) => status)).toEqual(["lost"]);
  });

  test("a store that fails writes of records as CORRUPT is not asked again and again to close a run", async () => {
    let commits = 0;
    two.jobsWay.commit = async () => {
      commits++;
      throw new ChannelError("CORRUPT", "the store is damaged");
    };
    expect(await clock.until(rejection(two.manager.unlock("a", { reason: "it hangs" })))).toMatchObject({
      code: "CORRUPT",
    });
    expect(commits).toBeLessThan(5);
  });

  test.each(texts)(
    "an overwritten record does not keep a manager from closing other open runs without a lock: %s",
    async (text) => {
      await overwrite(text);
      const other = await one.manager.start("b");
      one.way.fault = () => ({ type: "refused" });
      one.jobsWay.fault = () => ({ type: "refused" });
      for (const name of ["a", "b"]) await two.manager.channels.locks.unset(["lock", name]);
      await clock.advance(100 * TTL);
      expect(await collect(two.manager.history({ name: "b" }))).toMatchObject([
        { status: "lost", startTime: other.startTime },
      ]);
    },
  );
});
