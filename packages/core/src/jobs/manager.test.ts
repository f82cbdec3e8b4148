import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import { isRunError, type RunError } from "./errors.js";
import { openJobManager } from "./manager.js";
import type { Run, RunRecord } from "./types.js";

const TTL = 15_000;
const HOUR = 3_600_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const records = ({ manager }: ManagerOf, name = "a"): Promise<RunRecord[]> => collect(manager.history({ name }));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

describe.each(STORES)("records and locks $stores", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test("a run holds the lock while its body runs, and leaves a record", async () => {
    const { result, record } = await clock.until(
      one.manager.run("a", async (run) => {
        const [lock] = await two.manager.heldLocks();
        expect(lock).toMatchObject({ name: "a", fence: run.fence, note: { run: run.startTime } });
        const [running] = await two.manager.openRecords();
        expect(running).toMatchObject({ name: "a", startTime: run.startTime, status: "running", fence: run.fence });
        run.assertHeld();
        await sleep(250);
        return { rows: 3 };
      }),
    );
    expect(result).toEqual({ rows: 3 });
    const at = record.startTime;
    expect(record).toEqual({
      name: "a",
      startTime: at,
      startDate: new Date(at).toISOString(),
      id: `a@${new Date(at).toISOString()}`,
      endTime: at + 250,
      endDate: new Date(at + 250).toISOString(),
      duration: 250,
      status: "completed",
      inError: false,
      result: { rows: 3 },
      trigger: "manual",
      timeout: HOUR,
      versions: { ojm: expect.stringMatching(/^\d+\.\d+\.\d+/), node: process.versions.node },
      holder: record.holder,
      fence: record.fence,
    });
    expect(await records(two)).toEqual([record]);
    expect(await two.manager.heldLocks()).toEqual([]);
    expect(await two.manager.openRecords()).toEqual([]);
  });

  test("a run costs one commit to start and one to end, and in two stores one more each", async () => {
    await one.manager.run("warm up", () => {});
    const before = one.way.commits.length + (apart ? one.jobsWay.commits.length : 0);
    const reads = one.way.reads + one.jobsWay.reads;
    await one.manager.run("a", () => {});
    const after = one.way.commits.length + (apart ? one.jobsWay.commits.length : 0);
    expect(after - before).toBe(apart ? 4 : 2);
    expect(one.way.reads + one.jobsWay.reads).toBe(reads);
  });

  test("a body that throws is recorded as failed, and the caller gets its error unchanged", async () => {
    const error = new TypeError("no such column");
    expect(await rejection(one.manager.run("a", () => Promise.reject(error)))).toBe(error);
    const [record] = await records(two);
    expect(record).toMatchObject({ status: "failed", inError: true, error: "TypeError: no such column" });
    expect(await two.manager.heldLocks()).toEqual([]);
    await two.manager.run("a", () => {});
  });

  test("a body that throws synchronously is recorded as failed", async () => {
    const thrower = (): never => {
      throw new Error("at once");
    };
    await rejection(one.manager.run("a", thrower));
    expect((await records(two))[0]).toMatchObject({ status: "failed", error: "at once" });
  });

  test("the error of a body is not hidden by a store that is away", async () => {
    const error = new Error("mine");
    const work = one.manager.run("a", async () => {
      one.way.fault = () => ({ type: "refused" });
      one.jobsWay.fault = one.way.fault;
      throw error;
    });
    expect(await clock.until(rejection(work))).toBe(error);
    await clock.advance(2 * TTL);
    await clock.until(two.manager.run("a", () => {}, { wait: 0 }));
    expect((await records(two)).map(({ status }) => status)).toEqual(["completed", "lost"]);
  });

  test("a run that does not get the lock reports the holder and since when, and leaves no record (D3, D4, D7, D9)", async () => {
    const run = await one.manager.start("a");
    const work = two.manager.run("a", () => expect.unreachable(), { wait: 2_500 });
    const error = (await clock.until(rejection(work))) as RunError;
    expect(error).toMatchObject({ name: "RunError", code: "LOCKED", job: "a", held: { fence: run.fence } });
    expect(error.message).toMatch(
      /^Can't lock to execute job 'a': held by .+, pid \d+, since 2030-01-01T00:00:01\.000Z$/,
    );
    expect((await records(one)).length).toBe(1);
    run.assertHeld();
    await run.end();
    expect((await records(one))[0]?.status).toBe("completed");
  });

  test("a run waits 2.5 s for its lock by default, and starts as soon as the lock is free", async () => {
    const run = await one.manager.start("a");
    const next = two.manager.run("a", () => "ran");
    await clock.advance(2_000);
    const at = clock.monotonic();
    await run.end();
    expect((await clock.until(next)).result).toBe("ran");
    expect(clock.monotonic()).toBe(at);
  });

  test("a run that was started by hand is ended by end, fail or cancel, with the matching record", async () => {
    const ends: [string, (run: Run) => Promise<RunRecord>, object][] = [
      ["completed", (run) => run.end([1]), { result: [1], inError: false }],
      ["skipped", (run) => run.skip("nothing to do"), { error: "nothing to do", inError: false }],
      ["failed", (run) => run.fail(new Error("no")), { error: "no", inError: true }],
      ["failed", (run) => run.fail("just text"), { error: "just text" }],
      ["cancelled", (run) => run.cancel("not today"), { error: "not today", inError: true }],
    ];
    for (const [status, end, more] of ends) {
      const run = await one.manager.start("a", { trigger: "schedule" });
      const record = await end(run);
      expect(record).toMatchObject({ status, trigger: "schedule", ...more });
      expect((await records(two))[0]).toEqual(record);
      expect(isRunError(await rejection(run.end()))).toBe(true);
      expect(() => run.assertHeld()).toThrow();
      expect((await records(two))[0]).toEqual(record);
    }
    expect((await records(two)).length).toBe(5);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("a result that is not JSON is returned as it is; the record keeps what JSON can hold", async () => {
    const map = new Map([["rows", 3n]]);
    const { result, record } = await one.manager.run("a", () => map);
    expect(result).toBe(map);
    expect(record.result).toEqual({ rows: "3" });
    expect((await records(two))[0]).toEqual(record);
  });

  test("a run that its body has ended is not ended twice", async () => {
    const { record } = await one.manager.run("a", async (run) => void (await run.end("by hand")));
    expect(record).toMatchObject({ status: "completed", result: "by hand" });
  });

  test("a run that its block leaves open is closed as lost at the end of the block", async () => {
    {
      await using run = await one.manager.start("a");
      expect(run.signal.aborted).toBe(false);
    }
    expect((await records(two))[0]).toMatchObject({ status: "lost", error: "its block ended before the run did" });
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("a lock without a run keeps out the runs of its name until its release, and leaves no record", async () => {
    const lease = await one.manager.lock("a");
    expect(await rejection(two.manager.start("a", { wait: 0 }))).toMatchObject({ code: "LOCKED" });
    expect(await rejection(two.manager.lock("a"))).toMatchObject({ code: "LOCKED" });
    await lease.release();
    expect(await records(two)).toEqual([]);
    await (await two.manager.start("a", { wait: 0 })).end();
  });

  test("a forced unlock of the lock that was looked at leaves the next run alone", async () => {
    const first = await one.manager.start("a");
    const { fence } = first;
    await first.end();
    const second = await one.manager.start("a");
    expect(await two.manager.unlock("a", { reason: "x", fence })).toEqual({ unlocked: false });
    second.assertHeld();
    expect(await two.manager.unlock("a", { reason: "x", fence: second.fence })).toMatchObject({ unlocked: true });
    expect(await rejection(two.manager.unlock("a", { reason: "x", fence: 7 as never }))).toMatchObject({
      code: "INVALID",
    });
  });

  test("a forced unlock of a lock that no process holds reports that nothing was unlocked", async () => {
    expect(await two.manager.unlock("a", { reason: "x" })).toEqual({ unlocked: false });
    expect(await rejection(two.manager.unlock("a", { reason: "" }))).toMatchObject({ code: "INVALID" });
  });

  test("2,000 runs of one name leave 2,000 records (D10)", async () => {
    for (let i = 0; i < 1_000; i++) {
      await one.manager.run("a", () => {});
      await two.manager.run("a", () => {});
    }
    const all = await records(one);
    expect(all.length).toBe(2_000);
    expect(new Set(all.map(({ startTime }) => startTime)).size).toBe(2_000);
    expect(all.every(({ status }) => status === "completed")).toBe(true);
  });

  test("a clock that steps back loses no record, and makes no duration negative (D14)", async () => {
    await one.manager.run("a", () => {});
    clock.wall -= HOUR;
    await one.manager.run("a", () => {});
    const { record } = await one.manager.run("a", () => {
      clock.wall -= HOUR;
    });
    expect(record.duration).toBe(0);
    await two.manager.run("a", () => {});
    expect((await records(one)).length).toBe(4);
  });

  test("start times that another process with a fast clock has taken are skipped by the next run", async () => {
    const run = await one.manager.start("a");
    await run.end();
    // Exactly the start times that the next runs will use are taken.
    for (let i = 1; i <= 5; i++) {
      const record = { ...(await records(one))[0], startTime: run.startTime + i, status: "completed" } as RunRecord;
      await two.manager.channels.jobs.set({ name: "a", startTime: record.startTime }, record);
    }
    const next = await one.manager.start("a");
    expect(next.startTime).toBe(run.startTime + 6);
    expect((await one.manager.openRecords()).map(({ startTime }) => startTime)).toEqual([next.startTime]);
    await next.end();
    expect((await records(one)).length).toBe(7);
  });
});

describe("options of runs and managers", () => {
  test.each([
    ["a name", "", {}, /name of a job/],
    ["a name", 5, {}, /name of a job/],
    ["a timeout", "a", { timeout: "1 hour" }, /timeout of "a" must be a duration above 0, .* not the text "1 hour"/],
    ["a timeout", "a", { timeout: "5000" }, /not the text "5000"/],
    ["a timeout", "a", { timeout: 0 }, /above 0, .* not 0/],
    ["a timeout", "a", { timeout: -5 }, /above 0, .* not -5/],
    ["a timeout", "a", { timeout: Number.NaN }, /not NaN/],
    ["a wait", "a", { wait: -1 }, /wait of "a" must be a duration, .* not -1/],
    ["a wait", "a", { wait: "x" }, /not the text "x"/],
  ])("a run refuses %s that makes no sense (D12): %j %j", async (_, name, options, message) => {
    const { manager } = await world.manager();
    const error = (await rejection(manager.run(name as string, () => {}, options as object))) as RunError;
    expect(error).toMatchObject({ code: "INVALID" });
    expect(error.message).toMatch(message);
    expect(await collect(manager.history())).toEqual([]);
  });

  test("a second manager with other channels has records of its own (D16)", async () => {
    const other = new World();
    const one = await world.manager();
    const two = await other.manager();
    await one.manager.run("a", () => {});
    expect(await records(two)).toEqual([]);
  });

  test("a manager refused for its options leaves no channel open", async () => {
    let open = 0;
    const type = {
      type: "counting",
      open: async () => {
        open++;
        const way = await world.way();
        way.close = async () => void open--;
        return way;
      },
    };
    const config = { backend: type };
    expect(
      await rejection(openJobManager({ chJobs: config, chLocks: { ...config, args: { x: 1 } }, ttl: -1 })),
    ).toMatchObject({ code: "INVALID_CONFIG" });
    expect(open).toBe(0);
  });
});

test("a manager whose locks cannot be opened fails once the store of the records is closed", async () => {
  const way = await world.way();
  let closed = false;
  way.close = async () => {
    await new Promise<void>((resolve) => void clock.after(500, resolve));
    closed = true;
  };
  const chJobs = { backend: { type: "slow to close", open: async () => way } };
  const chLocks = { backend: { type: "away", open: () => Promise.reject(new Error("away")) } };
  await clock.until(rejection(openJobManager({ chJobs, chLocks, clock })));
  expect(closed).toBe(true);
});

test("close of a manager resolves only when its channels are closed", async () => {
  const way = await world.way();
  let closed = false;
  way.close = async () => {
    await new Promise<void>((resolve) => void clock.after(500, resolve));
    closed = true;
  };
  const backend = { type: "slow to close", open: async () => way };
  const manager = await clock.until(openJobManager({ chJobs: { backend }, chLocks: { backend }, clock }));
  await clock.until(manager.close());
  expect(closed).toBe(true);
});
