import { beforeEach, describe, expect, test } from "vitest";
import type { JobSummary, Reason, Run, RunRecord } from "../jobs/types.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import { summarize } from "./job-summary.js";

const TTL = 15_000;
const MINUTE = 60_000;

let world: World;
let clock: FakeClock;
let one: ManagerOf;
let two: ManagerOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.manager();
  two = await world.manager();
});

const why = (name = "a"): Promise<Reason[]> => clock.until(two.manager.why(name));
const codes = async (name = "a"): Promise<string[]> => (await why(name)).map(({ code }) => code);

describe("the wait for the end of a run", () => {
  test("ends with it, in whatever process it is, or at its time", async () => {
    const run = await clock.until(one.manager.start("a"));
    const before = clock.now();
    expect(await clock.until(two.manager.wait(run.id, { timeout: 5_000 }))).toMatchObject({ status: "running" });
    expect(clock.now() - before).toBe(5_000);
    const waiting = two.manager.wait(run);
    await clock.advance(20 * MINUTE);
    await clock.until(run.end(3));
    const after = clock.now();
    expect(await clock.until(waiting)).toMatchObject({ id: run.id, status: "completed", result: 3 });
    expect(clock.now() - after).toBeLessThan(1_000);
    expect(await clock.until(two.manager.wait(run.id))).toMatchObject({ status: "completed" });
  });

  test("is over at once for a run that is not there, and by a signal", async () => {
    expect(await clock.until(two.manager.wait("a@2026-11-25T02:00:00.000Z"))).toBeUndefined();
    expect(await rejection(two.manager.wait("a"))).toMatchObject({ code: "INVALID" });
    const run = await clock.until(one.manager.start("a"));
    const controller = new AbortController();
    const waiting = two.manager.wait(run, { signal: controller.signal });
    await clock.advance(1_000);
    controller.abort();
    expect(await clock.until(waiting)).toMatchObject({ status: "running" });
  });
});

describe("why a job does not run", () => {
  test("reports that a job never ran", async () => {
    expect(await why()).toEqual([{ code: "never", text: 'no run of "a" is stored' }]);
  });

  test("reports where a job runs, since when, and its waiters", async () => {
    const run = await clock.until(one.manager.start("a"));
    const waiting = one.manager.run("a", () => {}, { wait: MINUTE });
    await clock.advance(1_000);
    const [running, queue, ...rest] = await why();
    const since = new Date(run.startTime).toISOString();
    expect(running).toMatchObject({ code: "running", run: { id: run.id }, lock: { fence: run.fence } });
    expect(running?.text).toMatch(new RegExp(`^it runs now, on .*, pid ${process.pid}, since ${since}$`));
    const [waiter] = await one.manager.waiters("a");
    expect(queue).toMatchObject({ code: "queue", waiters: [waiter] });
    const waits = new Date(waiter?.since ?? 0).toISOString();
    expect(queue?.text).toMatch(new RegExp(`^one run waits for the lock: .*, pid ${process.pid}, since ${waits}$`));
    expect(rest).toEqual([]);
    await clock.until(run.end());
    await clock.until(waiting);
    expect(await codes()).toEqual(["last"]);
  });

  test("reports that the next run takes over the lock of an ended session", async () => {
    await clock.until(one.manager.start("a"));
    const blind = await world.manager();
    one.way.fault = () => ({ type: "refused" });
    blind.way.fault = ({ kind }) => (kind === "commit" ? { type: "refused" } : undefined);
    two.way.fault = blind.way.fault;
    await clock.advance(3 * TTL);
    const [running] = await clock.until(blind.manager.why("a"));
    expect(running?.text).toMatch(/whose session has ended: the next run takes the lock over/);
  });

  test("reports the holder of a lock without a run, and of a hold for maintenance", async () => {
    const lease = await clock.until(one.manager.lock("a"));
    expect((await why())[0]).toMatchObject({ code: "locked", text: expect.stringMatching(/without a run, by .*pid/) });
    await clock.until(lease.release());
    await clock.until(one.manager.hold("a", { reason: "the schema changes", author: "ana" }));
    expect((await why())[0]?.text).toMatch(/^held for maintenance by ana until .*: the schema changes$/);
    expect(await codes()).toEqual(["maintenance", "never"]);
  });

  test("reports when and why a job is tried again", async () => {
    const body = (): Promise<void> => Promise.reject(new Error("no \u001b[2J route"));
    const work = rejection(one.manager.run("a", body, { retry: { attempts: 2, delay: MINUTE } }));
    await clock.advance(1_000);
    const [retry, last] = await why();
    expect(retry).toMatchObject({ code: "retry", next: { attempt: 2 } });
    expect(retry?.text).toMatch(/^attempt 2 of a@.* is due at 20.*Z, after: no \\u001b\[2J route$/);
    expect(last?.text).toMatch(/^the last run, a@.*, failed at .*: no \\u001b\[2J route$/);
    await clock.until(work, 2 * MINUTE);
  });

  test("reports that no process makes an attempt whose process died until the job is run again", async () => {
    const body = (): Promise<void> => Promise.reject(new Error("no route"));
    const work = rejection(one.manager.run("a", body, { retry: { attempts: 2, delay: MINUTE } }));
    await clock.advance(1_000);
    expect(await clock.until(two.manager.orphanedRetries())).toEqual([]);
    one.way.fault = () => ({ type: "refused" });
    await clock.advance(4 * TTL);
    const left = (await why()).find(({ code }) => code === "retry");
    expect(left?.text).toMatch(/after: no route\. Its process is gone: no process makes it$/);
    expect(left?.orphaned).toBe(". Its process is gone: no process makes it");
    expect(await clock.until(two.manager.orphanedRetries("a"))).toEqual([left?.next]);
    one.way.fault = () => undefined;
    await clock.until(work, 5 * MINUTE);
  });

  test("an attempt that no process makes is ended by the run that takes its place, and its process no longer makes it", async () => {
    let bodies = 0;
    const body = (): Promise<void> => {
      bodies++;
      return Promise.reject(new Error("no route"));
    };
    const work = rejection(one.manager.run("a", body, { retry: { attempts: 2, delay: 10 * MINUTE } }));
    await clock.advance(1_000);
    one.way.fault = () => ({ type: "refused" });
    await clock.advance(4 * TTL);
    const [left] = await clock.until(two.manager.orphanedRetries("a"));
    if (left === undefined) return expect.fail("no attempt was left");
    const run = await clock.until(two.manager.start("a", { claim: { ops: () => [], refused: async () => {} } }));
    expect(await clock.until(two.manager.endOrphanedRetry(run, left))).toBe(true);
    expect(await clock.until(two.manager.endOrphanedRetry(run, left))).toBe(false);
    await clock.until(run.end());
    one.way.fault = () => undefined;
    await clock.until(work, 20 * MINUTE);
    expect([bodies, await clock.until(two.manager.retries())]).toEqual([1, []]);
  });
});

describe("the jobs", () => {
  test("each job is listed once, by name, with its run, its last end and its usual duration", async () => {
    for (const ms of [100, 200, 300]) {
      await clock.until(one.manager.run("b", () => new Promise<void>((resolve) => void clock.after(ms, resolve))));
    }
    await clock.until(rejection(one.manager.run("c", () => Promise.reject(new Error("no")))));
    const run = await clock.until(one.manager.start("a"));
    const all = await clock.until(collect<JobSummary>(two.manager.jobs()));
    expect(all.map(({ name, streak, usual }) => [name, streak, usual])).toEqual([
      ["a", 0, undefined],
      ["b", 3, { p50: 200, p95: 300 }],
      ["c", -1, undefined],
    ]);
    expect(all[0]?.running?.id).toBe(run.id);
    expect(all[2]?.last).toMatchObject({ status: "failed", error: "no" });
    await clock.until(run.end());
  });

  test("the jobs are as many as there are names, even of more than one page", async () => {
    const names = Array.from({ length: 45 }, (_, i) => `job ${String(i).padStart(2, "0")}`);
    for (const name of names) await clock.until(one.manager.run(name, () => {}));
    expect((await clock.until(collect<JobSummary>(two.manager.jobs()))).map(({ name }) => name)).toEqual(names);
    expect(await clock.until(collect(two.manager.jobNames()))).toEqual(names);
  });

  test("a streak counts from the newest end, whatever runs now", () => {
    const record = (status: RunRecord["status"], i: number): RunRecord =>
      ({ id: `a@${i}`, status, inError: !["completed", "skipped"].includes(status) }) as RunRecord;
    const streak = (...all: RunRecord["status"][]): number => summarize("a", all.map(record)).streak;
    expect(streak()).toBe(0);
    expect(streak("running", "completed", "completed", "failed")).toBe(2);
    expect(streak("failed", "lost", "completed")).toBe(-2);
  });

  test("a skipped run neither ends a streak nor counts in it: the work was not tried", () => {
    const record = (status: RunRecord["status"], i: number): RunRecord =>
      ({ id: `a@${i}`, status, inError: !["completed", "skipped"].includes(status) }) as RunRecord;
    const streak = (...all: RunRecord["status"][]): number => summarize("a", all.map(record)).streak;
    expect(streak("skipped", "lost", "skipped", "failed", "completed")).toBe(-2);
    expect(streak("completed", "skipped", "completed", "failed")).toBe(2);
    expect(streak("skipped")).toBe(0);
  });

  test("a streak counts a chain of attempts once, and no cancelled run, as alerts do", () => {
    const run = (id: string, status: RunRecord["status"], chain?: string): RunRecord =>
      ({ id, status, inError: status !== "completed", ...(chain && { chain }) }) as RunRecord;
    const streak = (...all: RunRecord[]): number => summarize("a", all).streak;
    expect(streak(run("3", "failed", "1"), run("2", "failed", "1"), run("1", "failed", "1"))).toBe(-1);
    expect(streak(run("2", "completed", "1"), run("1", "failed", "1"), run("0", "completed"))).toBe(2);
    expect(streak(run("3", "running", "2"), run("2", "failed", "2"), run("1", "completed"))).toBe(1);
    expect(streak(run("3", "cancelled"), run("2", "failed"), run("1", "cancelled"), run("0", "failed"))).toBe(-2);
    expect(streak(run("1", "cancelled"))).toBe(0);
  });
});

describe("the jobs that fail", () => {
  async function fail(name: string): Promise<void> {
    const body = (): never => {
      throw new Error("no");
    };
    await clock.until(rejection(one.manager.run(name, body)));
    await clock.advance(1);
  }

  const names = async (options = {}): Promise<string[]> =>
    (await clock.until(two.manager.failedJobs(options))).map(({ name }) => name);

  test("is one whose last chain was cancelled, and whose run before it failed", async () => {
    const fail = (): Promise<never> => Promise.reject(new Error("no route"));
    const first = await clock.until(rejection(one.manager.run("a", fail)));
    expect(first).toMatchObject({ message: "no route" });
    const tried = rejection(one.manager.run("a", fail, { retry: { attempts: 2, delay: MINUTE } }));
    await clock.advance(1_000);
    await clock.until(two.manager.cancel("a", { reason: "enough" }));
    await clock.until(tried);
    expect(await names()).toEqual(["a"]);
  });

  test("are those whose last run ended in error, the latest first", async () => {
    for (const name of ["mended", "cancelled", "skips", "runs"]) await fail(name);
    await clock.until(one.manager.run("mended", () => {}));
    const run = await clock.until(one.manager.start("cancelled"));
    await clock.until(run.cancel());
    await clock.until((await clock.until(one.manager.start("only cancelled"))).cancel());
    for (let i = 0; i < 7; i++) await clock.until(one.manager.run("skips", (it) => it.skip("nothing to do")));
    await clock.until(one.manager.start("runs"));
    await fail("fails");
    expect(await names()).toEqual(["fails", "runs", "skips", "cancelled"]);
    expect(await names({ limit: 1 })).toEqual(["fails"]);
    await clock.advance(2 * 60 * MINUTE);
    await fail("fails");
    expect(await names({ from: clock.now() - 60 * MINUTE })).toEqual(["fails"]);
  });

  test("are none whose chain of attempts was ended on request", async () => {
    let calls = 0;
    const body = async (run: Run): Promise<never> => {
      if (++calls === 2) await run.cancel("a deploy");
      throw new Error("no");
    };
    const ended = rejection(one.manager.run("retried", body, { retry: { attempts: 2, delay: 1_000 } }));
    await clock.until(ended);
    expect(calls).toBe(2);
    expect(await names()).toEqual([]);
  });

  test("are found behind one that fails all the time", async () => {
    for (const name of ["important", "quiet", "mended"]) await fail(name);
    await clock.until(one.manager.run("mended", () => {}));
    for (let i = 0; i < 320; i++) await fail("noisy");
    expect(await names()).toEqual(["noisy", "quiet", "important"]);
    expect(await names({ from: 0 })).toEqual(["noisy", "quiet", "important"]);
  });
});

describe("the last success of each job", () => {
  const HOUR = 60 * MINUTE;

  function record(name: string, startTime: number, status: RunRecord["status"]): RunRecord {
    const startDate = new Date(startTime).toISOString();
    const ended = {
      endTime: startTime + 1_000,
      duration: 1_000,
      inError: status !== "completed" && status !== "skipped",
    };
    return {
      name,
      startTime,
      startDate,
      id: `${name}@${startDate}`,
      status,
      holder: { host: "h", pid: 1, instance: "i" },
      trigger: "manual",
      timeout: HOUR,
      fence: "1",
      ...(status !== "running" && ended),
    };
  }

  const successes = async (): Promise<string[]> => {
    const found = await clock.until(collect<RunRecord>(two.manager.lastSuccesses()));
    return found.map(({ name, startTime }) => `${name} ${Math.round((clock.now() - startTime) / MINUTE)}`);
  };

  test("is listed in the order of names, whatever ended otherwise since; a job that never completed has none", async () => {
    const at = (minutes: number): number => clock.now() - minutes * MINUTE;
    const ends = ["running", "skipped", "failed", "cancelled"] as const;
    await world.write(one, [
      ...ends.flatMap((status) => [record(status, at(3), "completed"), record(status, at(2), status)]),
      ...[record("a b", at(9), "completed"), record("a", at(8), "completed"), record("a", at(9), "completed")],
      ...ends.map((status) => record("never", at(ends.indexOf(status)), status)),
    ]);
    expect(await successes()).toEqual(["a 8", "a b 9", "cancelled 3", "failed 3", "running 3", "skipped 3"]);
  });

  test("is found behind thousands of failures, and costs no read of them", async () => {
    const failures = 3_000;
    const begin = clock.now() - (failures + 10) * MINUTE;
    await world.write(one, [
      ...[
        record("a", begin, "completed"),
        record("a", begin + MINUTE, "completed"),
        record("idle", begin, "completed"),
      ],
      ...Array.from({ length: failures }, (_, i) => record("a", begin + (i + 2) * MINUTE, "failed")),
      ...Array.from({ length: failures }, (_, i) => record("never", begin + i * MINUTE, "lost")),
    ]);
    const expected = [`a ${failures + 9}`, `idle ${failures + 10}`];
    // The first query makes the store count its records.
    expect(await successes()).toEqual(expected);
    let read = 0;
    const scan = two.way.scan.bind(two.way);
    two.way.scan = async (request, options) => {
      const page = await scan(request, options);
      read += page.entries.length;
      return page;
    };
    expect(await successes()).toEqual(expected);
    expect(read).toBeLessThan(200);
  });

  test("is listed as long as the record is kept", async () => {
    await world.write(one, [
      record("a", clock.now() - 3 * HOUR, "completed"),
      ...Array.from({ length: 9 }, (_, i) => record("a", clock.now() - i * MINUTE - HOUR, "failed")),
    ]);
    expect(await successes()).toEqual(["a 180"]);
    await clock.until(one.manager.prune({ olderThan: 2 * HOUR }));
    expect(await successes()).toEqual([]);
  });
});
