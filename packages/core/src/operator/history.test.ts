import { beforeEach, describe, expect, test } from "vitest";
import { runId } from "../jobs/run-id.js";
import type { RunRecord } from "../jobs/types.js";
import { seeded } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import { jobNames } from "./history.js";

let world: World;
let one: ManagerOf;

beforeEach(async () => {
  world = new World();
  one = await world.manager();
});

const DAY = 86_400_000;

function record(name: string, startTime: number, more: Partial<RunRecord> = {}): RunRecord {
  const startDate = new Date(startTime).toISOString();
  const holder = { host: "h", pid: 1, instance: "1-x" };
  const end = { endTime: startTime + 1, fence: "1" };
  const id = runId({ name, startTime });
  return {
    name,
    startTime,
    startDate,
    id,
    holder,
    status: "completed",
    trigger: "manual",
    timeout: 1,
    ...end,
    ...more,
  };
}

async function write(records: readonly RunRecord[]): Promise<void> {
  await world.write(one, records);
}

const history = (options: { name?: string; limit?: number } = {}): Promise<RunRecord[]> =>
  collect(one.manager.history(options));

describe("the history", () => {
  test("the history of a name shows the runs of that name only, newest first (D24)", async () => {
    await write([3, 1, 2].flatMap((at) => ["a", "ab", "a b", "A", ""].map((name) => record(name, at))));
    expect((await history({ name: "a" })).map(({ name, startTime }) => [name, startTime])).toEqual([
      ["a", 3],
      ["a", 2],
      ["a", 1],
    ]);
    expect(await history({ name: "b" })).toEqual([]);
    expect((await history({ name: "a", limit: 2 })).length).toBe(2);
    expect(await history({ name: "a", limit: 0 })).toEqual([]);
  });

  test("the history of all names is merged, newest first, whatever the limit", async () => {
    const chance = seeded(5);
    const all: RunRecord[] = [];
    for (let i = 0; i < 400; i++) {
      // A few names with many runs, and many names with few.
      const name = chance() < 0.5 ? `often ${Math.floor(chance() * 3)}` : `seldom ${Math.floor(chance() * 100)}`;
      all.push(record(name, i * 10 + Math.floor(chance() * 10)));
    }
    await write(all);
    const times = all.map(({ startTime }) => startTime).sort((a, b) => b - a);
    for (const limit of [1, 7, 8, 9, 100, 399, 400, 401, Number.POSITIVE_INFINITY]) {
      expect((await history({ limit })).map(({ startTime }) => startTime)).toEqual(times.slice(0, limit));
    }
  });

  test("the history of all names shows both of two runs that began at the same time", async () => {
    await write([record("a", 5), record("b", 5), record("a", 6), record("c", 5)]);
    const shown = (await history()).map(({ name, startTime }) => `${name}${startTime}`);
    expect(shown[0]).toBe("a6");
    expect(shown.slice(1).sort()).toEqual(["a5", "b5", "c5"]);
  });

  test("the history reads no more records than it shows, however many there are", async () => {
    const now = world.clock.now();
    await write(Array.from({ length: 3_000 }, (_, i) => record(i % 2 === 0 ? "a" : "b", now - i)));
    const asked: number[] = [];
    const scan = one.way.scan.bind(one.way);
    one.way.scan = (request, options) => {
      asked.push(request.limit);
      return scan(request, options);
    };
    expect((await history({ name: "a", limit: 10 })).length).toBe(10);
    expect(asked).toEqual([10]);
    asked.length = 0;
    const { reads } = one.way;
    expect((await history({ limit: 10 })).length).toBe(10);
    expect(one.way.reads - reads).toBeLessThan(15);
    expect(asked.reduce((sum, limit) => sum + limit, 0)).toBeLessThan(50);
    for await (const _ of one.manager.history()) break;
  });

  test.each([-1, 1.5, Number.NaN])("the history refuses a limit of %s", async (limit) => {
    await write([record("a", 1)]);
    expect(await rejection(history({ limit }))).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await rejection(history({ limit, name: "a" }))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("the history and prune skip entries that are not records", async () => {
    await write([record("a", 1), record("c", 2)]);
    const { jobs } = one.manager.channels;
    const keys = ["text", 5, ["a", 1], { name: "a", zone: 1 }, { name: "b" }, { name: 5, startTime: 1 }, { zone: 1 }];
    for (const key of keys) await jobs.set(key, record("x", 1));
    expect(await collect(jobNames(jobs))).toEqual(["a", "c"]);
    expect((await history()).map(({ name }) => name)).toEqual(["c", "a"]);
    await world.manager();
    expect((await one.manager.prune({ olderThan: 0 })).removed).toBe(2);
  });

  test("the history of all names skips records with another start time than their key, and ends", async () => {
    await write([record("a", 1), record("a", 2), record("b", 3)]);
    const { jobs } = one.manager.channels;
    for (const startTime of [5, 1e300, 3.5])
      await jobs.set({ name: "a", startTime: 3 }, { ...record("a", 3), startTime });
    await jobs.set({ name: "b", startTime: 4 }, record("a", 4));
    const { reads } = one.way;
    expect((await history()).map(({ name, startTime }) => [name, startTime])).toEqual([
      ["b", 3],
      ["a", 2],
      ["a", 1],
    ]);
    expect(one.way.reads - reads).toBeLessThan(20);
    expect((await history({ name: "a" })).map(({ startTime }) => startTime)).toEqual([2, 1]);
  });

  test("a record that was damaged in the store hides no other one", async () => {
    await write([record("a", 1), record("b", 2), record("c", 3)]);
    const { entries } = await one.way.scan({ from: "", to: "~", reverse: false, limit: 100, values: true });
    const [damaged] = entries.filter(({ key, value }) => key.includes('"b ') && value !== "0");
    await one.way.commit({ checks: [], writes: [{ key: damaged?.key ?? "", value: "{" }] });
    expect((await history()).map(({ name }) => name)).toEqual(["c", "a"]);
    expect((await one.manager.prune({ olderThan: 0 })).removed).toBe(2);
    expect(await history()).toEqual([]);
  });

  test("the history is ended by its signal", async () => {
    await write([record("a", 1)]);
    const signal = AbortSignal.abort();
    expect(await rejection(collect(one.manager.history({ signal })))).toMatchObject({ code: "ABORTED" });
  });
});

describe("prune", () => {
  test("prune deletes no more records in one commit than the store takes", async () => {
    const backend = await world.way({ maxOps: 10 });
    const small = await world.manager({ chJobs: { backend } });
    const records = Array.from({ length: 45 }, (_, i) => record("a", i + 1));
    await world.write(small, records);
    expect(await small.manager.prune({ olderThan: 0 })).toEqual({ removed: 45 });
    expect(backend.commits.filter(({ writes }) => writes.length > 10)).toEqual([]);
  });

  test("prune deletes the records of runs that ended long enough ago, and never an open run", async () => {
    const now = world.clock.now();
    await write([
      record("a", now - 10 * DAY),
      record("a", now - 8 * DAY, { endTime: now - 6 * DAY }),
      record("a", now - DAY),
      record("b", now - 9 * DAY),
      ...Array.from({ length: 250 }, (_, i) => record("many", now - 20 * DAY + i)),
    ]);
    const run = await one.manager.start("open");
    await world.clock.advance(5_000);
    expect(await one.manager.prune({ olderThan: 7 * DAY })).toEqual({ removed: 252 });
    expect((await history()).map(({ name }) => name)).toEqual(["open", "a", "a"]);
    expect(await one.manager.prune({ olderThan: 0 })).toEqual({ removed: 2 });
    expect((await history()).map(({ startTime }) => startTime)).toEqual([run.startTime]);
  });

  test.each([undefined, "7 days", Number.NaN, -1, Number.POSITIVE_INFINITY])(
    "prune refuses an age of %s",
    async (olderThan) => {
      const error = await rejection(one.manager.prune({ olderThan: olderThan as number }));
      expect(error).toMatchObject({ code: "INVALID" });
      expect((error as Error).message).toContain("olderThan");
    },
  );
});
