import diagnostics from "node:diagnostics_channel";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { BackendType } from "../../channel/backend/backend.js";
import { ChannelError } from "../../channel/errors.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { settled } from "../../testing/fake-clock.js";
import { faultsOf, isLogCommit, missingIn, told } from "../../testing/logs.js";
import { collect } from "../../testing/settle.js";
import { type ManagerOf, World } from "../../testing/world.js";
import { openJobManager } from "../manager.js";
import type { Run } from "../types.js";
import type { LogItem, LogLine } from "./types.js";

const KIB = 1_024;

let world: World;
let clock: FakeClock;
let one: ManagerOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.manager();
});

const textOf = (n: number): string => `line ${n} ${"x".repeat(91)}`;
const write = (run: Run, from: number, to: number): void => {
  for (let n = from; n <= to; n++) run.log.info(textOf(n));
};
const logCommits = (): number => one.jobsWay.commits.filter(isLogCommit).length;
const items = (run: { name: string; startTime: number }): Promise<LogItem[]> => collect(one.manager.log(run));
const lines = async (run: Run): Promise<LogLine[]> => (await items(run)) as LogLine[];
const pass = (ms: number): Promise<void> => clock.advance(ms);

/** Fails all commits to the logs until the result is called. */
function logsAway(): () => void {
  one.jobsWay.fault = (call) => (call.kind === "commit" && isLogCommit(call.commit) ? { type: "refused" } : undefined);
  return () => {
    one.jobsWay.fault = () => undefined;
  };
}

describe("what a line is", () => {
  test("a line has its number, offset, time, level and text", async () => {
    const run = await one.manager.start("a");
    const { log } = run;
    log.debug("one");
    await pass(5);
    log.info("zwei é", { rows: 2 });
    log.warn("three");
    log.error("four\nfive\n");
    log.write("out\n");
    log.write("err\n", "stderr");
    await run.end();
    const at = run.startTime;
    expect(await items(run)).toEqual([
      { line: 1, offset: 0, at, level: "debug", text: "one" },
      { line: 2, offset: 4, at: at + 5, level: "info", text: 'zwei é {"rows":2}' },
      { line: 3, offset: 23, at: at + 5, level: "warn", text: "three" },
      { line: 4, offset: 29, at: at + 5, level: "error", text: "four" },
      { line: 5, offset: 34, at: at + 5, level: "error", text: "five" },
      { line: 6, offset: 39, at: at + 5, level: "stdout", text: "out" },
      { line: 7, offset: 43, at: at + 5, level: "stderr", text: "err" },
    ]);
  });

  test("calls with anything return, and a line is one", async () => {
    const run = await one.manager.start("a");
    const log = run.log as unknown as Record<string, (...args: unknown[]) => void>;
    const odd = [undefined, null, 5, 10n, Symbol("s"), {}, [], () => 1, new Error("e"), "\ud800", "\0", "\u2028"];
    for (const value of odd) {
      for (const call of ["debug", "info", "warn", "error", "write"]) {
        log[call]?.(value);
        log[call]?.(value, value);
      }
      run.progress(value as number, value as number, value as string);
    }
    await clock.until(run.end());
    for (const { text } of await lines(run)) expect(typeof text).toBe("string");
    expect((await items(run)).every((item) => "line" in item)).toBe(true);
    expect(await one.manager.progress(run)).toMatchObject({ done: 5, total: 5 });
  });

  test("an open line of raw output is complete at the end of the run", async () => {
    const run = await one.manager.start("a");
    run.log.write("10%\r20%\r");
    run.log.write("no end", "stderr");
    await run.end();
    expect(told(await items(run))).toEqual(["20%", "no end"]);
  });

  test("a line is cut at 16 KiB", async () => {
    const run = await one.manager.start("a");
    run.log.info("x".repeat(20 * KIB));
    await run.end();
    const [line] = await lines(run);
    expect(line?.text).toBe(`${"x".repeat(16 * KIB)}… [${4 * KIB} bytes cut]`);
  });

  test("a line after the end of the run goes nowhere", async () => {
    const run = await one.manager.start("a");
    run.log.info("before");
    await run.end();
    run.log.info("after");
    run.log.write("after\n");
    run.progress(1);
    await pass(10_000);
    expect(told(await items(run))).toEqual(["before"]);
    expect(await one.manager.progress(run)).toBeUndefined();
    const silent = await one.manager.start("b");
    const { log } = silent;
    await silent.end();
    log.info("after");
    log.write("after\n");
    await pass(10_000);
    expect(await items(silent)).toEqual([]);
  });
});

describe("when lines are written", () => {
  test("a run without a log opens no channel for one, and costs what it did", async () => {
    const before = one.way.commits.length;
    await one.manager.run("a", (run) => void run.log);
    expect(one.way.commits.length - before).toBe(3); // the commit that opens the session too
    expect(logCommits()).toBe(0);
  });

  test("lines wait for others for a quarter of a second", async () => {
    const run = await one.manager.start("a");
    write(run, 1, 2);
    await pass(249);
    write(run, 3, 3);
    expect(logCommits()).toBe(0);
    await pass(1);
    expect(logCommits()).toBe(1);
    expect(told(await items(run))).toEqual([textOf(1), textOf(2), textOf(3)]);
    write(run, 4, 4);
    await pass(249);
    expect(logCommits()).toBe(1);
    await pass(1);
    expect(logCommits()).toBe(2);
    await run.end();
  });

  test("how long lines wait, and how large a chunk is, may be chosen", async () => {
    one = await world.manager({ logBudget: { chunk: 300, interval: 1_000 } });
    const run = await one.manager.start("a");
    write(run, 1, 1);
    await pass(999);
    expect(logCommits()).toBe(0);
    await pass(1);
    expect(logCommits()).toBe(1);
    write(run, 2, 10);
    await pass(0);
    expect(logCommits()).toBe(3);
    const first = await one.manager.start("b");
    write(first, 1, 6);
    await pass(0);
    expect(logCommits()).toBe(4);
    await clock.until(one.manager.close());
  });

  test("64 KiB are written at once, one commit at a time, and no sooner than ten times what the last one took", async () => {
    one.jobsWay.fault = (call) =>
      call.kind === "commit" && isLogCommit(call.commit) ? { type: "slow", ms: 20 } : undefined;
    const run = await one.manager.start("a");
    write(run, 1, 3_000);
    await pass(0);
    expect(logCommits()).toBe(1);
    await pass(20 + 199);
    expect(logCommits()).toBe(1);
    await pass(1);
    expect(logCommits()).toBe(2);
    await clock.until(run.end());
    expect(faultsOf(await items(run), 3_000, textOf)).toEqual([]);
  });

  test("what a log keeps in memory is bounded, and what it drops is in the log to the line", async () => {
    const dropped: unknown[] = [];
    const listen = (message: unknown): void => void dropped.push(message);
    diagnostics.subscribe("ojm:log:dropped", listen);
    onTestFinished(() => void diagnostics.unsubscribe("ojm:log:dropped", listen));
    one = await world.manager({ logBudget: { head: 1_024 * KIB, tail: 3_072 * KIB } });
    const run = await one.manager.start("a");
    write(run, 1, 100_000);
    await clock.until(run.end());
    const all = await items(run);
    expect(faultsOf(all, 100_000, textOf)).toEqual([]);
    const kept = all.filter((item) => "line" in item).length;
    expect(kept * 100).toBeGreaterThan(900 * KIB);
    expect(kept * 100).toBeLessThan(1_300 * KIB);
    const gaps = all.filter((item) => "missing" in item);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ missing: { lines: 100_000 - kept } });
    // All of it was dropped, and nothing was deleted.
    expect(gaps[0]?.dropped).toEqual(gaps[0]?.missing);
    expect(dropped[0]).toEqual({ id: run.id, lines: expect.any(Number), bytes: expect.any(Number) });
    expect(dropped.reduce((sum: number, each) => sum + (each as { lines: number }).lines, 0)).toBe(100_000 - kept);
  });

  test("the begin of a log and its end are kept, and what lies between is missing to the line", async () => {
    one = await world.manager({ logBudget: { head: 10 * KIB, tail: 20 * KIB, chunk: 2 * KIB } });
    const run = await one.manager.start("a");
    for (let n = 1; n <= 2_000; n++) {
      write(run, n, n);
      if (n % 100 === 0) await pass(250);
    }
    await clock.until(run.end());
    const all = await items(run);
    expect(faultsOf(all, 2_000, textOf)).toEqual([]);
    const gaps = all.filter((item) => "missing" in item);
    expect(gaps).toEqual([{ missing: expect.objectContaining({ lines: expect.any(Number) }) }]);
    const kept = all.length - 1;
    expect(kept * 100).toBeGreaterThan(20 * KIB);
    expect(kept * 100).toBeLessThan(30 * KIB);
  });

  test("a log in memory keeps 512 KiB", async () => {
    const run = await one.manager.start("a");
    for (let n = 1; n <= 20_000; n++) {
      write(run, n, n);
      if (n % 500 === 0) await pass(250);
    }
    await clock.until(run.end());
    const all = await items(run);
    expect(faultsOf(all, 20_000, textOf)).toEqual([]);
    const kept = 100 * (all.length - 1);
    expect(kept).toBeGreaterThan(400 * KIB);
    expect(kept).toBeLessThanOrEqual(512 * KIB);
  });
});

describe("a store of the logs that is away", () => {
  test("the job does not notice, and its end does not wait", async () => {
    const warned = vi.spyOn(process, "emitWarning");
    const run = await one.manager.start("a");
    logsAway();
    write(run, 1, 10);
    await pass(10_000);
    const before = clock.monotonic();
    await clock.until(run.end());
    expect(clock.monotonic() - before).toBe(0);
    expect(warned).not.toHaveBeenCalled();
  });

  test("a store that cannot be opened at first is opened later, and nothing is lost", async () => {
    const way = await world.way();
    let isThere = false;
    const backend: BackendType = {
      type: "late",
      open: async () => {
        if (isThere) return way;
        throw new ChannelError("UNAVAILABLE", "it is not there yet", { retryable: true });
      },
    };
    one = await world.manager({ chLogs: { backend } });
    const run = await one.manager.start("a");
    write(run, 1, 10);
    await pass(5_000);
    isThere = true;
    await pass(5_000);
    write(run, 11, 20);
    await clock.until(run.end());
    const all = await items(run);
    expect(faultsOf(all, 20, textOf)).toEqual([]);
    expect(missingIn(all).lines).toBe(0);
    await clock.until(one.manager.close());
  });

  test("lines of an outage are there afterwards, and those that did not fit are counted", async () => {
    const run = await one.manager.start("a");
    write(run, 1, 100);
    await pass(1_000);
    const back = logsAway();
    for (let n = 101; n <= 30_000; n++) {
      write(run, n, n);
      if (n % 1_000 === 0) await pass(1_000);
    }
    back();
    await pass(5_000);
    write(run, 30_001, 30_100);
    await clock.until(run.end());
    const all = await items(run);
    expect(faultsOf(all, 30_100, textOf)).toEqual([]);
    // 1 MiB waits, and the rest was dropped.
    expect(missingIn(all).dropped).toBeGreaterThan(10_000);
    // In memory: half a MiB is kept.
    expect(all.length * 100).toBeGreaterThan(400 * KIB);
    expect(all.at(-1)).toMatchObject({ line: 30_100 });
  });

  test("a short outage loses nothing", async () => {
    const run = await one.manager.start("a");
    for (let n = 1; n <= 30; n++) {
      write(run, n, n);
      const back = n % 3 === 0 ? logsAway() : () => {};
      await pass(700);
      back();
    }
    await clock.until(run.end());
    await pass(5_000);
    const all = await items(run);
    expect(faultsOf(all, 30, textOf)).toEqual([]);
    expect(missingIn(all).lines).toBe(0);
  });

  test.each(["reply lost", "request lost"] as const)(
    "a chunk whose answer does not come is written once: %s",
    async (type) => {
      const run = await one.manager.start("a");
      write(run, 1, 10);
      one.jobsWay.once("oJobManager-logs", { type });
      await pass(300);
      write(run, 11, 20);
      await pass(10_000);
      await clock.until(run.end());
      const all = await items(run);
      expect(faultsOf(all, 20, textOf)).toEqual([]);
      expect(missingIn(all).lines).toBe(0);
    },
  );

  test("a chunk that the store refuses for good is counted, and the log continues", async () => {
    const dropped: unknown[] = [];
    const listen = (message: unknown): void => void dropped.push(message);
    diagnostics.subscribe("ojm:log:dropped", listen);
    onTestFinished(() => void diagnostics.unsubscribe("ojm:log:dropped", listen));
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const run = await one.manager.start("a");
    write(run, 1, 10);
    await pass(1_000);
    const commit = one.jobsWay.commit.bind(one.jobsWay);
    one.jobsWay.commit = async (ops) => {
      if (isLogCommit(ops)) throw new ChannelError("TOO_LARGE", "no such chunk");
      return commit(ops);
    };
    write(run, 11, 15);
    await pass(300);
    one.jobsWay.commit = commit;
    write(run, 16, 20);
    await pass(5_000);
    await run.end();
    const all = await items(run);
    expect(faultsOf(all, 20, textOf)).toEqual([]);
    expect(missingIn(all)).toEqual({ lines: 5, dropped: 5 });
    expect(dropped).toEqual([{ id: run.id, lines: 5, bytes: 5 * 100 }]);
    expect(warned).toHaveBeenCalledOnce();
  });

  test("a log whose run ended meanwhile is completed once the store is back", async () => {
    const run = await one.manager.start("a");
    const back = logsAway();
    write(run, 1, 10);
    await pass(500);
    await clock.until(run.end());
    expect(await items(run)).toEqual([]);
    await pass(20_000);
    back();
    await pass(5_000);
    const all = await items(run);
    expect(faultsOf(all, 10, textOf)).toEqual([]);
    expect(missingIn(all).lines).toBe(0);
  });

  test("the end waits half a second at most for a store that stops answering", async () => {
    const run = await one.manager.start("a");
    one.jobsWay.fault = (call) =>
      call.kind === "commit" && isLogCommit(call.commit) ? { type: "slow", ms: 60_000 } : undefined;
    write(run, 1, 10);
    const before = clock.monotonic();
    await clock.until(run.end());
    expect(clock.monotonic() - before).toBe(500);
  });

  test("the record is closed before the last lines are written, in the same turn", async () => {
    const run = await one.manager.start("a");
    write(run, 1, 10);
    await pass(1_000);
    write(run, 11, 20);
    const before = one.way.commits.length;
    const ending = run.end();
    await settled();
    const [record, log, ...more] = one.way.commits.slice(before).map(isLogCommit);
    expect([record, log, more]).toEqual([false, true, []]);
    await ending;
    expect(faultsOf(await items(run), 20, textOf)).toEqual([]);
  });

  test("a manager that is closed writes the last lines first, and does not wait for a store that is away", async () => {
    const run = await one.manager.start("a");
    write(run, 1, 10);
    await clock.until(one.manager.close({ grace: 0 }));
    one = await world.manager();
    expect(faultsOf(await items(run), 10, textOf)).toEqual([]);
    const other = await one.manager.start("b");
    write(other, 1, 10);
    logsAway();
    await pass(1_000);
    const before = clock.monotonic();
    await clock.until(one.manager.close({ grace: 0 }));
    expect(clock.monotonic() - before).toBe(0);
  });

  test("a manager that is closed waits two seconds at most for the last lines of runs that ended", async () => {
    one = await world.manager({ logBudget: { chunk: 100 } });
    one.jobsWay.fault = (call) =>
      call.kind === "commit" && isLogCommit(call.commit) ? { type: "slow", ms: 400 } : undefined;
    const run = await one.manager.start("a");
    write(run, 1, 4);
    const began = clock.monotonic();
    await clock.until(run.end());
    expect(clock.monotonic() - began).toBe(500);
    await clock.until(one.manager.close());
    expect(clock.monotonic() - began).toBe(800);
    one = await world.manager();
    expect(missingIn(await items(run)).lines).toBe(0);
    expect(faultsOf(await items(run), 4, textOf)).toEqual([]);
    one.jobsWay.fault = (call) =>
      call.kind === "commit" && isLogCommit(call.commit) ? { type: "slow", ms: 60_000 } : undefined;
    await clock.until(one.manager.run("b", (other) => write(other, 1, 4)));
    const closing = clock.monotonic();
    await clock.until(one.manager.close());
    expect(clock.monotonic() - closing).toBe(2_000);
  });

  test("a channel of logs that cannot be opened is reported by one warning, and no job fails", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    one = await world.manager({ chLogs: { type: "no-such-type" } });
    for (let i = 0; i < 3; i++) await clock.until(one.manager.run("a", (run) => write(run, 1, 10)));
    await vi.waitFor(() => expect(warned).toHaveBeenCalled());
    await pass(5_000);
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/^the logs of runs cannot be written: .*no-such-type/),
    ]);
    await clock.until(one.manager.close());
  });
});

describe("where and how long logs are kept", () => {
  test("logs have a store of their own, if they are given one", async () => {
    const own = await world.way();
    const logs = await openJobManager({ chLogs: { backend: own }, clock });
    const { record } = await clock.until(logs.run("a", (run) => run.log.info("x")));
    expect(own.commits.filter(isLogCommit)).toHaveLength(1);
    expect(told(await collect(logs.log(record.id)))).toEqual(["x"]);
    await clock.until(logs.close());
  });

  test("lines have a time to live, where there is one", async () => {
    one = await world.manager({ logBudget: { ttl: 10_000 } });
    const { record } = await clock.until(one.manager.run("a", (run) => run.log.info("x")));
    await pass(9_000);
    expect(told(await items(record))).toEqual(["x"]);
    await pass(2_000);
    expect(await items(record)).toEqual([]);
  });

  test("a store may keep no logs of runs that completed: their number of lines stays", async () => {
    one = await world.manager({ logBudget: { completed: false, chunk: 2 * KIB } });
    const run = await one.manager.start("a");
    write(run, 1, 100);
    run.progress(100);
    await pass(2_000);
    await clock.until(run.end());
    await settled();
    expect(told(await items(run))).toEqual([100]);
    expect(await one.manager.progress(run)).toBeUndefined();
    // Even if the store is slow.
    one.jobsWay.fault = (call) =>
      call.kind === "commit" && isLogCommit(call.commit) ? { type: "slow", ms: 100 } : undefined;
    const slow = await one.manager.start("a");
    write(slow, 1, 100);
    slow.progress(1);
    await clock.until(slow.end());
    await pass(10_000);
    expect(told(await items(slow))).toEqual([100]);
    expect(await one.manager.progress(slow)).toBeUndefined();
    one.jobsWay.fault = () => undefined;
    const failed = await one.manager.start("a");
    write(failed, 1, 100);
    await clock.until(failed.fail("because"));
    await pass(1_000);
    expect(faultsOf(await items(failed), 100, textOf)).toEqual([]);
    expect(missingIn(await items(failed)).lines).toBe(0);
    // Even if the manager is closed at once.
    const last = await one.manager.start("a");
    write(last, 1, 3);
    const ended = last.end();
    await clock.until(Promise.all([ended, one.manager.close()]));
    one = await world.manager();
    expect(told(await items(last))).toEqual([3]);
  });

  test.each([
    [{ logBudget: { heads: 1 } }, /heads/],
    [{ logBudget: { head: 0 } }, /logBudget.head must be a number above 0/],
    [{ logBudget: { completed: 1 } }, /logBudget.completed must be true or false/],
    [{ logBudget: 5 }, /logBudget must be a map/],
    [{ chLogs: { typ: "simple" } }, /typ/],
  ])("wrong options are refused: %j", async (options, message) => {
    await expect(openJobManager(options as object)).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringMatching(message),
    });
  });
});

describe("progress", () => {
  test("progress is written at most once a second, the last one counts, and the end writes it", async () => {
    const run = await one.manager.start("a");
    const at = clock.now();
    run.progress(1, 100, "begins");
    await pass(0);
    expect(await one.manager.progress(run.id)).toEqual({ done: 1, total: 100, text: "begins", at });
    for (let n = 2; n <= 50; n++) {
      run.progress(n, 100);
      await pass(100);
    }
    expect(logCommits()).toBe(5);
    run.progress(100, 100);
    await run.end();
    expect(await one.manager.progress(run.id)).toMatchObject({ done: 100 });
    expect(logCommits()).toBe(6);
    expect(await items(run)).toEqual([]);
  });

  test("a write of progress that is slow does not come after the last one", async () => {
    one.jobsWay.fault = (call) => {
      if (call.kind !== "commit" || !isLogCommit(call.commit)) return undefined;
      one.jobsWay.fault = () => undefined;
      return { type: "slow", ms: 100 };
    };
    const run = await one.manager.start("a");
    run.progress(1);
    await pass(10);
    run.progress(2);
    await clock.until(run.end());
    expect(await one.manager.progress(run)).toMatchObject({ done: 2 });
    await pass(1_000);
    expect(await one.manager.progress(run)).toMatchObject({ done: 2 });
  });

  test("progress is lost while the store is away, and the next one is written", async () => {
    const run = await one.manager.start("a");
    const back = logsAway();
    run.progress(1);
    await pass(5_000);
    back();
    run.progress(2);
    await pass(1_000);
    expect(await one.manager.progress(run)).toMatchObject({ done: 2 });
    logsAway();
    run.progress(3);
    await pass(1_000);
    run.progress(4);
    const before = clock.monotonic();
    await clock.until(run.end());
    expect(clock.monotonic() - before).toBe(0);
  });
});
