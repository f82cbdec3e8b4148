import { beforeEach, describe, expect, test } from "vitest";
import { openChannel } from "../channel/open.js";
import type { LogsValue } from "../jobs/logs/chunk.js";
import type { LogItem, LogOptions } from "../jobs/logs/types.js";
import { openJobManager } from "../jobs/manager.js";
import type { Run } from "../jobs/types.js";
import { type FakeClock, settled } from "../testing/fake-clock.js";
import { faultsOf, isLogCommit, told } from "../testing/logs.js";
import { collect, rejection } from "../testing/settle.js";
import { FaultyBackend } from "../testing/stores/faulty-backend.js";
import { SharedStore } from "../testing/stores/shared-store.js";
import { type ManagerOf, World } from "../testing/world.js";

const KIB = 1_024;

let world: World;
let clock: FakeClock;
let one: ManagerOf;
let two: ManagerOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.manager({ logBudget: { head: 10 * KIB, tail: 20 * KIB, chunk: 2 * KIB } });
  two = await world.manager();
});

const textOf = (n: number): string => `line ${n} ${"x".repeat(91)}`;
const write = (run: Run, from: number, to: number): void => {
  for (let n = from; n <= to; n++) run.log.info(textOf(n));
};
const read = (run: Pick<Run, "id">, options?: LogOptions): Promise<LogItem[]> =>
  collect(two.manager.log(run.id, options));
const pass = (ms: number): Promise<void> => clock.advance(ms);

/** Follows a log in the background. */
function follow(run: Pick<Run, "id">, options: LogOptions = {}, manager = two.manager) {
  const items: LogItem[] = [];
  let isOver = false;
  const over = (async () => {
    for await (const item of manager.log(run.id, { ...options, follow: true })) items.push(item);
    isOver = true;
  })();
  over.catch(() => {});
  return { items, over, isOver: () => isOver };
}

/** Writes lines with a pause after every few, so that none is dropped. */
async function writeSlowly(run: Run, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) {
    write(run, n, n);
    if (n % 50 === 0) await pass(250);
  }
  await pass(250);
}

test.each([["a"], ["a@b"], ["@2026-11-25T02:00:00.000Z"], [""], [5], [undefined], [{ name: "a" }]])(
  "what names no run is refused: %j",
  async (run) => {
    expect(await rejection(collect(two.manager.log(run as string)))).toMatchObject({ code: "INVALID" });
    expect(await rejection(two.manager.progress(run as string))).toMatchObject({ code: "INVALID" });
  },
);

test.each([{ tail: -1 }, { tail: 1.5 }, { tail: "5" }, { signal: 5 }, { after: -1 }, { after: 5, tail: 5 }])(
  "wrong options are refused: %j",
  async (options) => {
    const log = two.manager.log("a@2026-11-25T02:00:00.000Z", options as LogOptions);
    expect(await rejection(collect(log))).toMatchObject({ code: "INVALID" });
  },
);

test("an unknown run, and one without a log, have none", async () => {
  expect(await read({ id: "a@2026-11-25T02:00:00.000Z" })).toEqual([]);
  const { record } = await one.manager.run("a", () => {});
  expect(await read(record)).toEqual([]);
  await pass(60_000);
  for (const run of [record, { id: "a@2026-11-25T02:00:00.000Z" }]) {
    const { over, items } = follow(run);
    const before = clock.monotonic();
    await clock.until(over);
    expect(items).toEqual([]);
    // Nothing more can come.
    expect(clock.monotonic()).toBe(before);
  }
});

test("the log of a run that is not over ends with what is written, and is not said to be incomplete", async () => {
  const run = await one.manager.start("a");
  write(run, 1, 10);
  await pass(250);
  write(run, 11, 20);
  expect(faultsOf(await read(run), 10, textOf)).toEqual([]);
});

test("the signal of a reader that does not follow ends it", async () => {
  const run = await one.manager.start("a");
  await writeSlowly(run, 1, 10);
  for (const options of [{}, { tail: 3 }, { progress: true }])
    expect(await rejection(read(run, { ...options, signal: AbortSignal.abort() }))).toMatchObject({ code: "ABORTED" });
  expect(await rejection(two.manager.progress(run.id, { signal: AbortSignal.abort() }))).toMatchObject({
    code: "ABORTED",
  });
});

test("the logs of other runs do not come into it", async () => {
  const runs = await Promise.all(["a", "a b", "ab", "b"].map((name) => one.manager.start(name)));
  for (const run of runs) run.log.info(run.name);
  for (const run of runs) await run.end();
  for (const run of runs) expect(told(await read(run))).toEqual([run.name]);
});

describe.each(["read", "follow"])("the last lines of a log: %s", (how) => {
  const last = async (run: Run, tail: number): Promise<LogItem[]> => {
    if (how === "read") return read(run, { tail });
    const { over, items } = follow(run, { tail });
    await clock.until(over);
    return items;
  };

  test.each([
    [0, []],
    [1, [300]],
    [25, Array.from({ length: 25 }, (_, i) => 276 + i)],
  ])("%i", async (tail, numbers) => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 300);
    await run.end();
    expect(told(await last(run, tail))).toEqual(numbers.map(textOf));
  });

  test("more than there are, over a gap", async () => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 1_000);
    await run.end();
    const all = await read(run);
    expect(await last(run, 100_000)).toEqual(all);
    const lines = all.filter((item) => "line" in item);
    const some = await last(run, lines.length - 1);
    expect(some.filter((item) => "line" in item)).toEqual(lines.slice(1));
    expect(some.filter((item) => "missing" in item)).toHaveLength(1);
  });
});

// The log has some 300 chunks.
describe("a part of a long log costs no more than its chunks", () => {
  test.each<[LogOptions, number]>([
    [{ tail: 1 }, 2],
    [{ tail: 60 }, 16],
    [{ after: 4_990 }, 14],
    [{ after: 2_500 }, 170],
  ])("%j", async (options, most) => {
    const long = await world.manager({ logBudget: { head: 10 * KIB, tail: 10_000 * KIB, chunk: 2 * KIB } });
    const run = await long.manager.start("a");
    await writeSlowly(run, 1, 5_000);
    await run.end();
    let read = 0;
    const scan = two.jobsWay.scan.bind(two.jobsWay);
    two.jobsWay.scan = async (...args) => {
      const page = await scan(...args);
      read += page.entries.length;
      return page;
    };
    const items = await collect(two.manager.log(run.id, options));
    const count = options.tail ?? 5_000 - (options.after ?? 0);
    expect(told(items)).toEqual(Array.from({ length: count }, (_, i) => textOf(5_000 - count + 1 + i)));
    expect(read).toBeLessThanOrEqual(most);
  });
});

describe("a reader that follows", () => {
  test("continues after the line that it has", async () => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 10);
    const { over, items } = follow(run, { after: 8 });
    await pass(0);
    expect(told(items)).toEqual([textOf(9), textOf(10)]);
    write(run, 11, 12);
    await run.end();
    await clock.until(over);
    expect(told(items)).toEqual([9, 10, 11, 12].map(textOf));
  });

  test("every line comes in order, from another process, and the end ends it", async () => {
    const run = await one.manager.start("a");
    write(run, 1, 10);
    await pass(250);
    const { over, items, isOver } = follow(run);
    await pass(0);
    expect(items).toHaveLength(10);
    await writeSlowly(run, 11, 2_000);
    expect(isOver()).toBe(false);
    write(run, 2_001, 2_005);
    await run.end();
    await settled();
    expect(isOver()).toBe(true);
    await over;
    // A reader that keeps up misses nothing, however small the budget is.
    expect(items.filter((item) => "missing" in item)).toEqual([]);
    expect(faultsOf(items, 2_005, textOf)).toEqual([]);
  });

  test("a reader that comes late learns what is not kept, and then everything", async () => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 1_000);
    const { over, items } = follow(run);
    await pass(0);
    await writeSlowly(run, 1_001, 2_000);
    await run.end();
    await clock.until(over);
    expect(items.filter((item) => "missing" in item)).toHaveLength(1);
    expect(faultsOf(items, 2_000, textOf)).toEqual([]);
  });

  test("only new lines come with a tail of 0", async () => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 10);
    const { over, items } = follow(run, { tail: 0 });
    await pass(0);
    write(run, 11, 12);
    await run.end();
    await clock.until(over);
    expect(told(items)).toEqual([textOf(11), textOf(12)]);
  });

  test("a run that has not written a line yet is followed", async () => {
    const run = await one.manager.start("a");
    const { over, items } = follow(run);
    await pass(60_000);
    write(run, 1, 1);
    await run.end();
    await clock.until(over);
    expect(told(items)).toEqual([textOf(1)]);
  });

  test("a run that ends without a line ends its reader", async () => {
    const run = await one.manager.start("a");
    const { over, items } = follow(run);
    await pass(1_000);
    await run.end();
    await clock.until(over, 10_000);
    expect(items).toEqual([]);
  });

  test("a run whose process died ends its reader once its record is closed, and the rest is unknown", async () => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 100);
    const { over, items, isOver } = follow(run);
    // Its process neither writes nor answers from now on.
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await pass(2_000);
    expect(isOver()).toBe(false);
    await two.manager.unlock("a", { reason: "its process died" });
    await clock.until(over, 10_000);
    expect(told(items)).toEqual([...Array.from({ length: 100 }, (_, i) => textOf(i + 1)), "unknown"]);
    expect(told(await read(run)).at(-1)).toBe("unknown");
    await pass(60_000);
    const { over: later, items: same } = follow(run);
    const before = clock.monotonic();
    await clock.until(later);
    expect(clock.monotonic()).toBe(before);
    expect(told(same)).toEqual(told(items));
  });

  test("a record that is pruned ends its reader", async () => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 10);
    const { over } = follow(run);
    await pass(0);
    await two.manager.channels.jobs.unset({ name: "a", startTime: run.startTime });
    await clock.until(over, 10_000);
  });

  test("its signal ends it, also before it begins", async () => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 10);
    const stop = new AbortController();
    const { over, items } = follow(run, { signal: stop.signal });
    await pass(0);
    stop.abort();
    await clock.until(over);
    expect(items).toHaveLength(10);
    const { over: never, items: none } = follow(run, { signal: stop.signal });
    await clock.until(never);
    expect(none).toEqual([]);
    const timers = clock.pending;
    await clock.until(follow(run, { signal: stop.signal }).over);
    expect(clock.pending).toBe(timers);
  });

  test("a caller that leaves its loop, and one whose manager is closed, leave nothing behind", async () => {
    const run = await one.manager.start("a");
    await writeSlowly(run, 1, 10);
    for await (const _ of two.manager.log(run.id, { follow: true })) break;
    const { over } = follow(run);
    await pass(0);
    await clock.until(two.manager.close());
    await clock.until(over);
  });

  test("progress comes with the lines, if it is asked for", async () => {
    const run = await one.manager.start("a");
    run.progress(1, 3);
    await pass(1_000);
    const { over, items } = follow(run, { progress: true });
    await pass(0);
    run.log.info("x");
    run.progress(2, 3);
    await pass(1_000);
    run.progress(3, 3);
    await run.end();
    await clock.until(over);
    expect(items.flatMap((item) => ("progress" in item ? [item.progress.done] : []))).toEqual([1, 2, 3]);
    expect(await read(run)).toHaveLength(1);
    const [first] = await read(run, { progress: true });
    expect(first).toMatchObject({ progress: { done: 3, total: 3 } });
  });

  test("chunks that the store reports in the wrong order are read in the right one", async () => {
    const run = await one.manager.start("a");
    const late: (() => void)[] = [];
    let isHeld = false;
    const watch = two.way.watch.bind(two.way);
    two.way.watch = (range, sink) =>
      watch(range, {
        ...sink,
        change: (change) => (isHeld ? late.push(() => sink.change(change)) : sink.change(change)),
        gap: () => sink.gap(),
        fail: (error) => sink.fail(error),
      });
    const { over, items } = follow(run);
    await pass(0);
    isHeld = true;
    await writeSlowly(run, 1, 200);
    isHeld = false;
    for (const tell of late.reverse()) tell();
    await pass(0);
    write(run, 201, 210);
    await run.end();
    await clock.until(over);
    expect(items.filter((item) => "missing" in item)).toEqual([]);
    expect(faultsOf(items, 210, textOf)).toEqual([]);
  });

  test("a store without a watch is looked at", async () => {
    const way = await world.way({ watch: false });
    const manager = await clock.until(openJobManager({ chJobs: { backend: way }, clock }));
    const run = await one.manager.start("a");
    const { over, items } = follow(run, {}, manager);
    await writeSlowly(run, 1, 200);
    await run.end();
    await clock.until(over, 10_000);
    expect(faultsOf(items, 200, textOf)).toEqual([]);
    const open = await one.manager.start("a");
    const stop = new AbortController();
    const other = follow(open, { signal: stop.signal }, manager);
    await pass(10_000);
    way.fault = () => ({ type: "refused" });
    await pass(10_000);
    stop.abort();
    await clock.until(other.over);
    await open.end();
    way.fault = () => undefined;
    const reads = way.reads;
    await pass(10_000);
    expect(way.reads).toBe(reads);
  });
});

describe("a store that is restarted under its readers", () => {
  test("a reader misses nothing that was kept, and says what was not", async () => {
    const store = await SharedStore.open(clock);
    const open = () =>
      clock.until(openJobManager({ chJobs: { backend: store }, chLocks: { backend: store }, clock, ttl: 3_600_000 }));
    const [writer, reader] = [await open(), await open()];
    const run = await writer.start("a", { timeout: 7_200_000 });
    await writeSlowly(run, 1, 100);
    const { over, items } = follow(run, {}, reader);
    await pass(0);
    store.restart(30_000);
    for (let n = 101; n <= 20_000; n++) {
      write(run, n, n);
      if (n % 500 === 0) await pass(1_000);
    }
    await pass(10_000);
    await writeSlowly(run, 20_001, 20_100);
    await clock.until(run.end());
    await clock.until(over);
    expect(faultsOf(items, 20_100, textOf)).toEqual([]);
    expect(items.filter((item) => "missing" in item).length).toBeLessThanOrEqual(2);
  });

  test("a run that ends while the store is away ends its reader with the last line", async () => {
    const jobs = await world.way();
    const logs = await SharedStore.open(clock);
    const way = new FaultyBackend(logs, clock);
    const options = { chJobs: { backend: jobs }, chLocks: { backend: jobs }, chLogs: { backend: way }, clock };
    const [writer, reader] = [await clock.until(openJobManager(options)), await clock.until(openJobManager(options))];
    const run = await writer.start("a");
    await writeSlowly(run, 1, 100);
    const { over, items, isOver } = follow(run, {}, reader);
    await pass(0);
    logs.restart(30_000);
    write(run, 101, 200);
    await pass(1_000);
    await clock.until(run.end());
    await pass(20_000);
    expect(isOver()).toBe(false);
    await clock.until(over);
    expect(faultsOf(items, 200, textOf)).toEqual([]);
  });

  test("a reader that hears of no outage waits for the end of the log all the same", async () => {
    const jobs = await world.way();
    const [own, others] = [await world.way(), await world.way()];
    const open = (logs: FaultyBackend) =>
      clock.until(
        openJobManager({ chJobs: { backend: jobs }, chLocks: { backend: jobs }, chLogs: { backend: logs }, clock }),
      );
    const [writer, reader] = [await open(own), await open(others)];
    const run = await writer.start("a");
    await writeSlowly(run, 1, 100);
    const { over, items } = follow(run, {}, reader);
    await pass(0);
    for (const way of [own, others]) way.fault = () => ({ type: "refused" });
    write(run, 101, 200);
    await pass(1_000);
    await clock.until(run.end());
    await pass(20_000);
    // The next attempt of the run comes two seconds after the next read of the reader.
    others.fault = () => undefined;
    await pass(2_000);
    own.fault = () => undefined;
    await clock.until(over);
    expect(faultsOf(items, 200, textOf)).toEqual([]);
    expect(items.filter((item) => "missing" in item)).toEqual([]);
  });

  test("a store that is away from the beginning is reported at once", async () => {
    two.jobsWay.fault = () => ({ type: "refused" });
    const { over } = follow({ id: "a@2026-11-25T02:00:00.000Z" });
    expect(await clock.until(rejection(over))).toMatchObject({ code: "UNAVAILABLE" });
  });
});

test("entries of others among the chunks are passed over, and what they took the place of is missing", async () => {
  const run = await one.manager.start("a");
  for (let n = 1; n <= 5; n++) {
    run.log.info(`line ${n}`);
    await pass(250);
  }
  await run.end();
  const logs = await openChannel<LogsValue | string>("oJobManager-logs", { backend: two.jobsWay, clock });
  await logs.set(["a", run.startTime, 1], "mine");
  await logs.set(["a", run.startTime, "note"], "mine");
  await logs.set(["a", run.startTime, 2], { at: 1, line: 3, offset: 1, lines: 7, text: "too few" });
  await logs.set(["a", run.startTime, 3], { at: 1, line: 4, offset: 21, lines: 1, text: "no form" });
  await logs.set(["a", run.startTime, "progress"], "mine");
  expect(told(await read(run))).toEqual(["line 1", 2, "no form", "line 5"]);
  expect(told(await read(run, { tail: 3 }))).toEqual(["line 1", 2, "no form", "line 5"]);
  expect(told(await read(run, { tail: 2 }))).toEqual(["no form", "line 5"]);
  for (const after of [1, 2]) expect(told(await read(run, { after }))).toEqual([2, "no form", "line 5"]);
  expect(told(await read(run, { after: 3 }))).toEqual(["no form", "line 5"]);
  expect(told(await read(run, { after: 4 }))).toEqual(["line 5"]);
  expect(await two.manager.progress(run.id)).toBeUndefined();
  const { over, items } = follow(run, { progress: true });
  await clock.until(over);
  expect(told(items)).toEqual(["line 1", 2, "no form", "line 5"]);
});

describe("prune", () => {
  const keys = async (): Promise<unknown[]> => {
    const logs = await openChannel<LogsValue>("oJobManager-logs", { backend: two.jobsWay, clock });
    return (await logs.getKeys()).map((key) => (key as unknown[])[0]);
  };

  test.each([
    { stores: "one store", apart: false },
    { stores: "two stores", apart: true },
  ])("a log goes with its record, and those of others stay: $stores", async ({ apart }) => {
    const way = apart ? await world.way({ commitAcrossChannels: false }) : one.jobsWay;
    const manager = apart
      ? await clock.until(openJobManager({ chJobs: { backend: way }, clock, logBudget: { chunk: 2 * KIB } }))
      : one.manager;
    const open = await manager.start("open");
    await writeSlowly(open, 1, 10);
    for (const name of ["a", "b", "b", "none"]) {
      const run = await manager.start(name);
      run.progress(1);
      if (name !== "none") await writeSlowly(run, 1, 200);
      await clock.until(run.end());
    }
    await pass(10_000);
    const { record } = await clock.until(manager.run("b", (run) => void write(run, 1, 3)));
    const before = way.commits.length;
    expect(await clock.until(manager.prune({ olderThan: 5_000 }))).toEqual({ removed: 4 });
    // One commit deletes everything, if one can.
    if (!apart) expect(way.commits.length - before).toBe(1);
    expect(new Set(await keys())).toEqual(new Set(["open", "b"]));
    expect(told(await read(record))).toHaveLength(3);
    await clock.until(manager.prune({ olderThan: 5_000 }));
    expect(told(await read(open))).toHaveLength(10);
  });

  test.each([
    { commitAcrossChannels: true, commits: 3 },
    { commitAcrossChannels: false, commits: 7 },
  ])(
    "a log that does not fit into a commit goes first, and a prune that breaks off is finished by the next: %j",
    async ({ commitAcrossChannels, commits }) => {
      const way = await world.way({ maxOps: 40, commitAcrossChannels });
      const manager = await clock.until(openJobManager({ chJobs: { backend: way }, clock, logBudget: { chunk: 100 } }));
      for (const name of ["a", "b"]) {
        const run = await manager.start(name);
        for (let n = 1; n <= 150; n++) {
          write(run, n, n);
          await pass(10);
        }
        await clock.until(run.end());
      }
      await pass(1_000);
      const count = (await keys()).length;
      expect(count).toBeGreaterThan(200);
      let left = commits;
      way.fault = (call) =>
        call.kind === "commit" && isLogCommit(call.commit) && left-- <= 0 ? { type: "slow", ms: 60_000 } : undefined;
      const stop = new AbortController();
      clock.after(1_000, () => stop.abort());
      const pruning = rejection(manager.prune({ olderThan: 0, signal: stop.signal }));
      expect(await clock.until(pruning)).toMatchObject({ code: "ABORTED" });
      expect((await keys()).length).toBeGreaterThan(0);
      expect((await collect(manager.history())).length).toBe(2);
      way.fault = () => undefined;
      await clock.until(manager.prune({ olderThan: 0 }));
      expect(await keys()).toEqual([]);
      expect(await collect(manager.history())).toEqual([]);
    },
  );

  test("a prune of many names without logs asks for none of them", async () => {
    for (let n = 0; n < 50; n++) await clock.until(one.manager.run(`job ${n}`, () => {}));
    await pass(1_000);
    const before = two.way.reads;
    await clock.until(two.manager.prune({ olderThan: 0 }));
    expect(two.way.reads - before).toBeLessThan(10);
  });
});
