import { beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../channel/channel.js";
import { retryKey } from "../jobs/retry/pending.js";
import type { PendingRetry, RunRecord } from "../jobs/types.js";
import { collect } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";

/* Records with values that only a later version of ojm knows. */

const TTL = 15_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let world: World;
let one: ManagerOf;
let two: ManagerOf;

const history = ({ manager }: ManagerOf): Promise<RunRecord[]> => collect<RunRecord>(manager.history());

/** The record of the latest run, and a function that changes it in the store. */
async function latest(of: ManagerOf): Promise<{ record: RunRecord; write: (more: object) => Promise<unknown> }> {
  const [record] = await history(of);
  if (record === undefined) throw new Error("no run");
  const { name, startTime } = record;
  const jobs = of.manager.channels.jobs as Channel<unknown>;
  return { record, write: (more) => jobs.set({ name, startTime }, { ...record, ...more }) };
}

const cut = (process: ManagerOf): void => {
  process.way.fault = () => ({ type: "refused" });
  process.jobsWay.fault = process.way.fault;
};

describe.each(STORES)("an unknown status, with records and locks $stores", ({ apart }) => {
  beforeEach(async () => {
    world = new World();
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test("a run with an unknown status is listed as it is written, and does not show the state of its job", async () => {
    await one.manager.run("a", () => {});
    await one.manager.run("a", () => {});
    const { write } = await latest(one);
    await write({ status: "partial", inError: true, error: "2 of 5 rows" });
    expect(await history(two)).toMatchObject([{ status: "partial", error: "2 of 5 rows" }, { status: "completed" }]);
    const [job] = await collect(two.manager.jobs());
    expect(job).toMatchObject({ last: { status: "partial" }, streak: 1 });
    expect(await two.manager.why("a")).toMatchObject([{ code: "last", run: { status: "partial" } }]);
  });

  test("a run with an unknown status and no end is neither ended nor open: nothing closes or deletes it", async () => {
    const started = await one.manager.start("a");
    const { record, write } = await latest(one);
    await write({ status: "draining" });
    const stored = { ...record, status: "draining" };
    let ended = false;
    const waiting = two.manager.wait(started.id).then((run) => {
      ended = true;
      return run;
    });
    cut(one);
    await world.clock.advance(3 * TTL);
    // Its lock is free, like that of any dead process.
    await world.clock.until(two.manager.run("a", () => {}));
    await world.clock.advance(3 * DAY);
    expect(await world.clock.until(two.manager.prune({ olderThan: HOUR }))).toEqual({ removed: 1 });
    expect(await history(two)).toEqual([stored]);
    expect(await two.manager.openRecords()).toEqual([]);
    const [job] = await collect(two.manager.jobs());
    expect([job?.last, job?.running]).toEqual([undefined, undefined]);
    expect(ended).toBe(false);
    const end = { status: "completed", endTime: world.clock.now(), inError: false };
    await (two.manager.channels.jobs as Channel<unknown>).set(
      { name: "a", startTime: record.startTime },
      {
        ...record,
        ...end,
      },
    );
    expect(await world.clock.until(waiting)).toMatchObject({ status: "completed" });
  });

  test("rollups count a run by its unknown status, and by the later one once a version knows it", async () => {
    const counts = async (): Promise<object> => {
      const now = world.clock.now();
      const { jobs } = await world.clock.until(two.manager.rollups({ from: now - DAY, to: now + 1, by: "hour" }));
      return jobs.map(({ cells }) => cells.map(({ runs }) => runs));
    };
    await one.manager.run("a", () => {});
    const { write } = await latest(one);
    await write({ status: "partial" });
    expect(await counts()).toEqual([[{ partial: 1 }]]);
    await world.clock.advance(10 * 60_000);
    for (let i = 0; i < 3; i++) {
      expect(await counts()).toEqual([[{ partial: 1 }]]);
      await world.clock.advance(60_000);
    }
    await write({ status: "failed" });
    await world.clock.advance(2 * 60_000);
    await counts();
    expect(await counts()).toEqual([[{ failed: 1 }]]);
  });
});

describe("rollups of a later version", () => {
  test("cells with further numbers count, and keep these when a fold writes other cells of the entry", async () => {
    world = new World();
    one = await world.manager();
    await one.manager.run("a", () => {});
    const [{ startTime = 0 } = {}] = await history(one);
    const times = await one.manager.channel<unknown>("oJobManager-times");
    const hour = Math.floor(startTime / HOUR) * HOUR;
    // Minute 59 is of a later run: two completed, and three with a status that only the later version knows.
    await times.set(["hour", hour, "a"], [[59, 20, 9, 2, 0, 0, 0, 0, 0, 3]]);
    await world.clock.advance(HOUR + 10 * 60_000);
    const query = { from: hour, to: hour + HOUR, by: "minute" } as const;
    const runs = async (): Promise<unknown> =>
      (await world.clock.until(one.manager.rollups(query))).jobs.map(({ cells }) => cells.map((cell) => cell));
    const expected = [
      [
        expect.objectContaining({ runs: { completed: 1 } }),
        { at: hour + 59 * 60_000, runs: { completed: 2 }, busy: 20, longest: 9 },
      ],
    ];
    await runs();
    expect(await runs()).toEqual(expected);
    expect(await times.get(["hour", hour, "a"])).toContainEqual([59, 20, 9, 2, 0, 0, 0, 0, 0, 3]);
    // The progress of the fold keeps its unknown fields too.
    await times.set("fold", { ...((await times.get("fold")) as object), later: 1 });
    const { cursor = 0 } = (await times.get("fold")) as { cursor?: number };
    await world.clock.advance(10 * 60_000);
    await runs();
    expect(await times.get("fold")).toMatchObject({ later: 1, cursor: cursor + 10 * 60_000 });
    const day = Math.floor(startTime / DAY) * DAY;
    expect(JSON.stringify(await times.get(["day", day, "a"]))).toContain(",3,0,0,0,0,0,3]");
  });
});

describe.each(STORES)("an unknown backoff, with records and locks $stores", ({ apart }) => {
  const retry = { attempts: 3, delay: 1_000, backoff: "jittered", maxDelay: HOUR, onLost: true };

  beforeEach(async () => {
    world = new World();
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  const pending = (chain: string): Promise<PendingRetry | undefined> =>
    two.manager.channels.locks.get(retryKey("a", chain) as never) as Promise<PendingRetry | undefined>;

  test("a run of such a series is listed; once it is lost, its next attempt is written, and not made here", async () => {
    const work = one.manager.run("a", () => new Promise(() => {}), { retry: { attempts: 3, onLost: true } });
    work.catch(() => {});
    await world.clock.advance(100);
    cut(one);
    // As a later version writes them: the record, and the note of the lock.
    const { record, write } = await latest(two);
    const locks = two.manager.channels.locks as Channel<unknown>;
    const lock = (await locks.get(["lock", "a"])) as { note: object };
    await locks.set(["lock", "a"], { ...lock, note: { ...lock.note, retry } });
    await write({ retry });
    expect(await history(two)).toMatchObject([{ status: "running", retry }]);
    await world.clock.advance(3 * TTL);
    expect(await history(two)).toMatchObject([{ status: "lost", retry }]);
    expect(await pending(record.id)).toMatchObject({ attempt: 2, retry });
    let ran = 0;
    const taken = await world.clock.until(two.manager.takeOver("a", () => void ran++, {}));
    expect([taken, ran]).toEqual([undefined, 0]);
    expect(await two.manager.retries("a")).toEqual([]);
    expect(await pending(record.id)).toMatchObject({ attempt: 2, retry });
  });

  test("a pending attempt of such a series is not replaced by a process that closes the run before it", async () => {
    const options = { retry: { attempts: 3, delay: 1_000, onLost: true } };
    const work = one.manager.run("a", () => new Promise(() => {}), options);
    work.catch(() => {});
    await world.clock.advance(100);
    const [{ id = "" } = {}] = await history(two);
    const value = { name: "a", chain: id, attempt: 2, due: 1, retry, trigger: "manual", timeout: HOUR, more: 1 };
    await two.manager.channels.locks.set(retryKey("a", id) as never, value as never);
    cut(one);
    await world.clock.advance(3 * TTL);
    expect(await history(two)).toMatchObject([{ status: "lost" }]);
    expect(await pending(id)).toEqual(value);
  });
});
