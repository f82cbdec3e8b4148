import { beforeEach, describe, expect, test } from "vitest";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, World } from "../../testing/world.js";
import { closeRecords, openRecords } from "../channels.js";
import { openJobManager } from "../manager.js";
import { runId } from "../run-id.js";
import type { HistoryOptions, RunRecord } from "../types.js";

const TTL = 15_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

let world: World;

beforeEach(() => {
  world = new World();
});

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

const failed = (name: string, startTime: number): RunRecord =>
  record(name, startTime, { status: "failed", inError: true, error: "no" });

/** Writes records as an older version of ojm did: without an index. */
async function writeOld(one: ManagerOf, records: readonly RunRecord[]): Promise<void> {
  await one.manager.channels.jobs.setAll(["name", "startTime"], records);
}

const shown = async ({ manager }: Pick<ManagerOf, "manager">, options: HistoryOptions = {}): Promise<string[]> =>
  (await collect(manager.history(options))).map(({ name, startTime }) => `${name}${startTime}`);

/** The number of keys and entries of the index. */
async function sizeOfIndex({ jobsWay }: ManagerOf): Promise<number> {
  const records = await openRecords({ backend: jobsWay }, world.clock);
  let size = 0;
  for await (const { key } of records.times.keys()) if (Array.isArray(key)) size++;
  await closeRecords(records);
  return size;
}

describe.each([
  { how: "by the index", across: true },
  { how: "name by name", across: false },
])("a history that is read $how", ({ across }) => {
  test("a history shows the runs that began from one time to before another", async () => {
    const backend = await world.way({ commitAcrossChannels: across });
    const one = await world.manager({ chJobs: { backend } });
    await world.write(
      { jobsWay: backend },
      [5, 10, 15, 20].flatMap((at) => [record("a", at), record("b", at + 1)]),
    );
    expect(await shown(one, { from: 10, to: 20 })).toEqual(["b16", "a15", "b11", "a10"]);
    expect(await shown(one, { from: 11, to: 21, limit: 3 })).toEqual(["a20", "b16", "a15"]);
    expect(await shown(one, { from: 10, to: 20, name: "a" })).toEqual(["a15", "a10"]);
    expect(await shown(one, { from: 17 })).toEqual(["b21", "a20"]);
    expect(await shown(one, { to: 6 })).toEqual(["a5"]);
    expect(await shown(one, { from: 30 })).toEqual([]);
  });

  test("a history shows each record once, whether it is of this hour, of last year or of the next day", async () => {
    const backend = await world.way({ commitAcrossChannels: across });
    const one = await world.manager({ chJobs: { backend } });
    const now = world.clock.now();
    // At, just before and just after each age at which one window of time ends and the next one begins.
    const ages = [1, 17, 273, 4_369, 70_000].flatMap((hours) => [-1, 0, 1].map((ms) => hours * 3_600_000 + ms));
    const times = [now + DAY, now, ...ages.map((age) => now - age)].sort((a, b) => b - a);
    await world.write(
      { jobsWay: backend },
      times.map((at) => record("a", at)),
    );
    const all = times.map((at) => `a${at}`);
    for (const limit of [1, 2, 5, 100]) expect(await shown(one, { limit })).toEqual(all.slice(0, limit));
    for (const [i, to] of times.entries()) expect(await shown(one, { to, limit: 4 })).toEqual(all.slice(i + 1, i + 5));
    for (const [i, from] of times.entries()) expect(await shown(one, { from })).toEqual(all.slice(0, i + 1));
  });

  test("every end of a run is found in the history of all names, and nothing after a prune", async () => {
    const backend = await world.way({ commitAcrossChannels: across });
    const { manager } = await world.manager({ chJobs: { backend } });
    await manager.run("a", () => {});
    await rejection(manager.run("b", () => Promise.reject(new Error("no"))));
    await (await manager.start("c")).cancel();
    const open = await manager.start("d");
    await world.clock.advance(10);
    expect((await shown({ manager })).map((each) => each[0]).sort()).toEqual(["a", "b", "c", "d"]);
    expect(await manager.prune({ olderThan: 0 })).toEqual({ removed: 3 });
    expect((await shown({ manager })).map((each) => each[0])).toEqual(["d"]);
    await open.end();
  });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, "now"])("a history refuses a time of %s", async (time) => {
  const one = await world.manager();
  for (const options of [{ from: time }, { to: time }] as HistoryOptions[]) {
    expect(await rejection(shown(one, options))).toMatchObject({ code: "INVALID_ARGUMENT" });
  }
});

describe("the index of a store that had none", () => {
  /** A manager on a store with three records of an older version, before its first check. */
  async function upgraded(): Promise<ManagerOf> {
    const way = await world.way();
    const records = await openRecords({ backend: way }, world.clock);
    await records.jobs.setAll(["name", "startTime"], [record("a", 1), record("b", 2), record("a", 3)]);
    await closeRecords(records);
    const manager = await openJobManager({ chJobs: { backend: way }, chLocks: { backend: way }, clock: world.clock });
    return { manager, way, jobsWay: way };
  }

  test("the records of an older version are in the history before and after they are in the index", async () => {
    const one = await upgraded();
    expect(await shown(one)).toEqual(["a3", "b2", "a1"]);
    await world.clock.advance(TTL);
    expect(await sizeOfIndex(one)).toBe(3);
    expect(await shown(one)).toEqual(["a3", "b2", "a1"]);
  });

  test("all records of an older version are in the index before it is used", async () => {
    const way = await world.way();
    const records = await openRecords({ backend: way }, world.clock);
    await records.jobs.setAll(
      ["name", "startTime"],
      Array.from({ length: 1_100 }, (_, i) => record(`job ${i % 3}`, i)),
    );
    await closeRecords(records);
    const one = await world.manager({ chJobs: { backend: way } });
    await world.clock.advance(TTL);
    expect((await shown(one)).length).toBe(1_100);
    expect(await sizeOfIndex({ ...one, jobsWay: way })).toBe(1_100);
  });

  test("the failures of an older version are among the failures", async () => {
    const way = await world.way();
    const records = await openRecords({ backend: way }, world.clock);
    const at = world.clock.now();
    await records.jobs.setAll(["name", "startTime"], [failed("a", at - 2), record("b", at - 1)]);
    await closeRecords(records);
    const { manager } = await world.manager({ chJobs: { backend: way } });
    await world.clock.advance(TTL);
    expect((await collect(manager.failedRuns())).map(({ name }) => name)).toEqual(["a"]);
    expect((await manager.failedJobs()).map(({ name }) => name)).toEqual(["a"]);
  });

  test("a store is filled by one process, however many are opened at once", async () => {
    const one = await upgraded();
    const others = await Promise.all([world.manager(), world.manager(), world.manager()]);
    await world.clock.advance(TTL);
    const fillings = [one, ...others].flatMap(({ way }) =>
      way.commits.filter(({ writes }) => writes.some(({ key }) => key.startsWith("oJobManager-times ["))),
    );
    expect(fillings.length).toBe(1);
  });

  test("a store that is new is not filled again", async () => {
    const one = await world.manager();
    await world.clock.advance(2 * DAY);
    const fillings = one.way.commits.filter(({ writes }) => writes.some(({ key }) => key.endsWith('"filled ')));
    expect(fillings.length).toBe(1);
  });

  test("an index whose filling fails half-way is filled by the next look", async () => {
    const one = await upgraded();
    one.way.once("oJobManager-times", { type: "refused" });
    await world.clock.advance(25 * TTL);
    expect(await sizeOfIndex(one)).toBe(3);
  });
});

describe("records that another program writes", () => {
  const commits = ({ way }: ManagerOf): number =>
    way.commits.filter(({ writes }) => writes.some(({ key }) => key.startsWith("oJobManager-times ["))).length;

  /** A manager whose index was filled before. */
  async function open(): Promise<ManagerOf> {
    const one = await world.manager();
    await world.clock.advance(TTL);
    return one;
  }

  test("a record without an entry in the index is in the history and among the failures within hours", async () => {
    const one = await open();
    const at = world.clock.now();
    await writeOld(one, [record("late", at), failed("bad", at + 1)]);
    await world.clock.advance(HOUR + 30 * TTL);
    expect(await shown(one)).toEqual([`bad${at + 1}`, `late${at}`]);
    expect((await collect(one.manager.failedRuns())).map(({ name }) => name)).toEqual(["bad"]);
    expect((await one.manager.failedJobs()).map(({ name }) => name)).toEqual(["bad"]);
    await writeOld(one, [record("again", at + 2)]);
    await world.clock.advance(HOUR + 30 * TTL);
    expect((await shown(one)).length).toBe(3);
    expect(await one.manager.prune({ olderThan: 0 })).toEqual({ removed: 3 });
    expect(await sizeOfIndex(one)).toBe(0);
  });

  test("each look checks a slice of the records, and all are found", async () => {
    const one = await open();
    const at = world.clock.now();
    const all = Array.from({ length: 1_700 }, (_, i) => record(`job ${i % 7}`, at + i));
    await writeOld(one, all);
    await one.manager.channels.jobs.set("not a record", 5 as unknown as RunRecord);
    const asked: number[] = [];
    const scan = one.way.scan.bind(one.way);
    one.way.scan = (request, options) => {
      if (request.values && request.from.startsWith("oJobManager-jobs")) asked.push(request.limit);
      return scan(request, options);
    };
    await world.clock.advance(60 * TTL);
    expect((await shown(one)).length).toBe(1_700);
    expect(asked).toEqual([500, 500, 500, 500]);
  });

  test("an index that lacks nothing is not written, and another process continues a check", async () => {
    const one = await open();
    await world.write(
      one,
      Array.from({ length: 1_200 }, (_, i) => record("a", i)),
    );
    const before = commits(one);
    await world.clock.advance(3 * HOUR);
    expect(commits(one)).toBe(before);
    await writeOld(one, [record("z", 5)]);
    await world.clock.advance(HOUR / 2);
    await one.manager.close();
    const two = await world.manager();
    await world.clock.advance(2 * HOUR);
    expect(await shown(two, { to: 6, limit: 1 })).toEqual(["z5"]);
  });

  test("a record that is deleted while it is checked leaves no entry in the index", async () => {
    const one = await open();
    await writeOld(one, [failed("a", 1), record("b", 2)]);
    const two = await world.way();
    const records = await openRecords({ backend: two }, world.clock);
    const commit = one.way.commit.bind(one.way);
    one.way.commit = async (request, options) => {
      const adds = request.writes.some(({ key }) => key.startsWith("oJobManager-times ["));
      if (adds) await records.jobs.unset({ name: "a", startTime: 1 });
      return commit(request, options);
    };
    await world.clock.advance(HOUR + 30 * TTL);
    expect(await sizeOfIndex(one)).toBe(1);
    await closeRecords(records);
  });

  test.each([5, { began: 1, after: [[]] }, { began: 1e300, after: null }])(
    "a damaged note of the last check begins a new one: %j",
    async (value) => {
      const one = await open();
      const records = await openRecords({ backend: one.way }, world.clock);
      await (records.turns as unknown as { set(key: string, value: unknown): Promise<void> }).set("indexed", value);
      await closeRecords(records);
      await writeOld(one, [record("late", 5)]);
      await world.clock.advance(HOUR);
      expect(await shown(one)).toEqual(["late5"]);
    },
  );
});

test("prune removes the entries of records that another program deleted or overwrote", async () => {
  const one = await world.manager();
  await world.write(one, [record("a", 1), record("b", 2), record("c", 3)]);
  await one.manager.channels.jobs.unset({ name: "a", startTime: 1 });
  await one.manager.channels.jobs.set({ name: "b", startTime: 2 }, 5 as unknown as RunRecord);
  expect(await shown(one)).toEqual(["c3"]);
  expect(await one.manager.prune({ olderThan: 0 })).toEqual({ removed: 1 });
  expect(await sizeOfIndex(one)).toBe(0);
});

describe("a look for orphans by the index", () => {
  /** Two managers; the run of the first is open, and its lock is gone. */
  async function orphaned(change: (startTime: number) => Promise<void> | void): Promise<ManagerOf> {
    const [one, two] = [await world.manager(), await world.manager()];
    await world.clock.advance(30 * TTL);
    await change(world.clock.now());
    await one.manager.start("a");
    one.way.fault = () => ({ type: "refused" });
    await two.manager.channels.locks.unset(["lock", "a"]);
    return two;
  }

  test("an orphan is found although the clock of its process was hours behind", async () => {
    const two = await orphaned(() => {
      world.clock.wall -= 5 * 3_600_000;
    });
    world.clock.wall += 5 * 3_600_000;
    await world.clock.advance(25 * TTL);
    expect((await collect(two.manager.history())).map(({ status }) => status)).toEqual(["lost"]);
  });

  for (const { count, tags } of [
    { count: 3, tags: [] },
    { count: 600, tags: ["full"] },
  ]) {
    test(`runs that had their locks at one look and not at a later one are found: ${count}`, { tags }, async () => {
      const [one, two] = [await world.manager(), await world.manager()];
      for (let i = 0; i < count; i++) await one.manager.start(`job ${i}`);
      await world.clock.advance(30 * TTL);
      one.way.fault = () => ({ type: "refused" });
      for (let i = 0; i < count; i++) await two.manager.channels.locks.unset(["lock", `job ${i}`]);
      await world.clock.advance(40 * TTL);
      const records = await collect(two.manager.history());
      expect(records.filter(({ status }) => status !== "lost")).toEqual([]);
      expect(records.length).toBe(count);
    });
  }

  test("a look reads no record that an earlier look has seen closed", async () => {
    const one = await world.manager();
    await world.clock.advance(1);
    await world.write(
      one,
      Array.from({ length: 300 }, (_, i) => record("a", world.clock.now() + i)),
    );
    await world.clock.advance(20 * TTL);
    const { reads } = one.way;
    await world.clock.advance(20 * TTL);
    expect(one.way.reads - reads).toBeLessThan(150);
  });
});
