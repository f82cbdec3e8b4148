import { hostname } from "node:os";
import { type Channel, type Clock, parseRunId } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { slowdownOf } from "@ojm/core/internal/operator";
import { ForeignTicks } from "@ojm/schedule/internal";
import { overdueTicks } from "@ojm/schedule/operator";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type {
  Audit,
  Job,
  JobDetail,
  Jobs,
  Locks,
  LogPage,
  Me,
  Now,
  RunPage,
  Runs,
  Timeline,
  Why,
} from "../contract/types.js";
import { openTestUi, type TestUi } from "../testing/test-ui.js";
import type { OtherReason } from "../types.js";
import { take } from "../view/source.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let it: TestUi;

beforeEach(async () => {
  it = await openTestUi();
});

afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

/** Waits until a scheduler has announced its schedules to the others. */
const announced = (name: string): Promise<void> =>
  expect
    .poll(async () => (await it.get<Locks>("/api/v1/locks")).schedulers.flatMap(({ names }) => names))
    .toContain(name);

/** A schedule whose last process died before the tick at `from`. */
async function leftAlone(name: string, { cron, from }: { cron: string; from: number }): Promise<void> {
  await it.scheduler.add(name, { cron }, () => {});
  await it.scheduler.close();
  const channel = await it.manager.channel<{ readonly at: number }>("oJobManager-schedules");
  await channel.set(["cursor", name], { at: from - 1 });
}

const fail = (name: string, error = "no route"): Promise<unknown> =>
  it.manager.run(name, () => Promise.reject(new Error(error))).catch(() => {});

/** Records the kinds of entries that are scanned as a whole from now on. */
function scans(channel: object): { readonly scanned: string[]; end(): void } {
  const scanned: string[] = [];
  const all = Object.getPrototypeOf(channel) as Channel<unknown>;
  const { entries } = all;
  const spy = vi.spyOn(all, "entries").mockImplementation(function (this: Channel<unknown>, options = {}) {
    const { prefix } = options as { readonly prefix?: unknown };
    if (Array.isArray(prefix) && prefix.length === 1) scanned.push(String(prefix[0]));
    return entries.call(this, options);
  });
  return { scanned, end: () => spy.mockRestore() };
}

describe("me", () => {
  test("has the user, and the store", async () => {
    const me = await it.get<Me>("/api/v1/me");
    expect(me).toMatchObject({ user: "ana", role: "admin", readOnly: false, store: "memory", showResults: false });
  });

  test("says when a tick is overdue, so that a page that counts down agrees with the server", async () => {
    const { overdueAfter } = await it.get<Me>("/api/v1/me");
    let due = 0;
    const overdue = (by: number): undefined => {
      due = by;
    };
    overdueTicks({ decided: 0, overdue }, 0);
    expect(due).toBe(-overdueAfter - 1);
  });
});

describe("now", () => {
  test("has what runs, with its progress and its waiters", async () => {
    const run = await it.manager.start("import", { trigger: "launch" });
    run.progress(3, 10, "rows");
    const waiting = it.manager.start("import", { wait: 60_000 });
    await expect
      .poll(async () => (await it.get<Now>("/api/v1/now")).running)
      .toMatchObject([
        { id: run.id, trigger: "launch", fence: run.fence, waiting: 1, progress: { done: 3, total: 10, text: "rows" } },
      ]);
    const [waiter] = await it.manager.waiters("import");
    expect((await it.get<Now>("/api/v1/now")).waiting).toEqual([{ name: "import", waiting: 1, waiters: [waiter] }]);
    expect((await it.get<Locks>("/api/v1/locks")).locks).toMatchObject([
      { name: "import", waiting: 1, waiters: [{ host: hostname(), pid: process.pid, since: waiter?.since }] },
    ]);
    await run.end();
    await (await waiting).end();
    await expect.poll(async () => (await it.get<Now>("/api/v1/now")).running).toEqual([]);
  });

  test("has the author and the reason of a request to stop a run that is still running", async () => {
    const run = await it.manager.start("import");
    await it.manager.cancel("import", { reason: "wrong month", author: "ben", wait: 0 });
    await expect
      .poll(async () => (await it.get<Now>("/api/v1/now")).running[0]?.stopRequest)
      .toMatchObject({ author: "ben", reason: "wrong month" });
    await run.end().catch(() => {});
  });

  test("has a run that is still running a minute after it was asked to stop as a problem, and its request on its page", async () => {
    let ago = 20 * 60_000;
    const clock: Clock = { ...systemClock, now: () => Date.now() - ago };
    await using it = await openTestUi({ channels: { clock }, mask: (text) => text.replaceAll("wrong", "***") });
    const run = await it.manager.start("import");
    const stop = async (ms: number): Promise<Now["problems"]> => {
      ago = ms;
      await it.manager.cancel("import", { reason: `wrong month, ${ms}`, author: "ben", wait: 0 });
      ago = 0;
      const now = async (): Promise<Now> => await it.get<Now>("/api/v1/now");
      await expect.poll(async () => (await now()).running[0]?.stopRequest?.reason).toBe(`*** month, ${ms}`);
      return (await now()).problems;
    };
    const text = "asked to stop 17 min ago by ben, still running: *** month, 1040000";
    expect(await stop(17 * 60_000 + 20_000)).toEqual([
      { kind: "ignores-cancel", name: "import", at: expect.any(Number), text, run: run.id, act: "unlock" },
    ]);
    expect(await stop(50_000)).toEqual([]);
    const page = async (): Promise<RunPage> => it.get<RunPage>(`/api/v1/runs/${encodeURIComponent(run.id)}`);
    expect((await page()).stopRequest).toMatchObject({ author: "ben", reason: "*** month, 50000" });
    await run.end();
    expect((await page()).stopRequest).toMatchObject({ author: "ben", reason: "*** month, 50000" });
  });

  test("is answered from memory: once the store is followed, nothing is scanned for it", async () => {
    await it.scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    await using run = await it.manager.start("import");
    await it.manager.hold("held", { reason: "a look" });
    const held = async (): Promise<unknown> => (await it.get<Now>("/api/v1/now")).problems.map(({ name }) => name);
    await expect.poll(held).toEqual(["held"]);
    const { scanned, end } = scans(it.manager.channels.locks);
    try {
      expect((await it.get<Now>("/api/v1/now")).running.map(({ id }) => id)).toEqual([run.id]);
      const kinds = ["lock", "retry", "session", "schedule", "cursor", "member"];
      expect(scanned.filter((kind) => kinds.includes(kind))).toEqual([]);
    } finally {
      end();
    }
  });

  test("says whether the store is empty", async () => {
    const isEmpty = async (): Promise<boolean> => (await it.get<Now>("/api/v1/now")).empty;
    expect(await isEmpty()).toBe(true);
    await it.manager.run("import", () => {});
    await expect.poll(isEmpty).toBe(false);
  });

  test("has the retry series that wait for their next attempt, and so do their run and why, with the action that helps", async () => {
    const fails = (): Promise<never> => Promise.reject(new Error("no route"));
    it.manager.run("import", fails, { retry: { attempts: 3, delay: 3_600_000 } }).catch(() => {});
    await expect.poll(async () => (await it.get<Now>("/api/v1/now")).retries).toHaveLength(1);
    const { retries, truncated } = await it.get<Now>("/api/v1/now");
    const [next] = await it.manager.retries("import");
    const told = { name: "import", chain: next?.chain, attempt: 2, attempts: 3, due: next?.due, error: "no route" };
    expect([retries, truncated]).toEqual([[told], false]);
    expect((await it.get<RunPage>(`/api/v1/runs/${encodeURIComponent(next?.chain ?? "")}`)).next).toEqual(told);
    const { reasons } = await it.get<Why>("/api/v1/jobs/import/why");
    expect(reasons[0]).toMatchObject({ code: "retry", run: next?.chain, attempt: 2, act: "cancel" });
    await it.act("/api/v1/jobs/import/cancel", { reason: "wrong month" });
    await expect.poll(async () => (await it.get<Now>("/api/v1/now")).retries).toEqual([]);
    expect((await it.get<RunPage>(`/api/v1/runs/${encodeURIComponent(next?.chain ?? "")}`)).next).toBeUndefined();
  });

  test("has an attempt that no process makes as a problem, but not that of a living process", async () => {
    const fails = (): Promise<never> => Promise.reject(new Error("no route"));
    const retry = { attempts: 3, delay: 3_600_000 };
    const work = it.manager.run("import", fails, { retry }).catch(() => {});
    await expect.poll(() => it.manager.retries()).toHaveLength(1);
    const { manager } = it;
    const locks = manager.channels.locks as Channel<unknown>;
    const [next] = await manager.retries("import");
    // If another process closed the record, no process makes the attempt.
    const { by: _, ...left } = { ...next, name: "left", chain: "left@2026-01-01T00:00:00.000Z" };
    await locks.set(["retry", "left", left.chain], left);
    const now = async (): Promise<Now> => it.get<Now>("/api/v1/now");
    await expect.poll(async () => (await now()).retries.length).toBe(2);
    const { problems, retries } = await now();
    expect(retries.map(({ name, orphaned }) => [name, orphaned])).toEqual(
      expect.arrayContaining([
        ["import", undefined],
        ["left", true],
      ]),
    );
    const text = "no process makes attempt 2 of 3: its process is gone";
    expect(problems.filter(({ kind }) => kind === "orphaned-retry")).toEqual([
      { kind: "orphaned-retry", name: "left", text, run: left.chain },
    ]);
    await locks.unset(["retry", "left", left.chain]);
    await manager.cancel("import", { reason: "enough" });
    await work;
  });

  test("has the action that helps with each problem, and the jobs of a group that it does not help", async () => {
    const failing = { cron: "0 0 1 1 *", retry: { attempts: 1 } } as const;
    const refused = (): Promise<never> => Promise.reject(new Error("connect ECONNREFUSED 10.0.3.17:5432"));
    for (const name of ["billing/a", "billing/b"]) {
      await it.scheduler.add(name, failing, refused);
      await it.scheduler.runNow(name, { reason: "it is due", args: { day: name } });
    }
    await fail("by hand", "connect ECONNREFUSED 10.0.3.17:5432");
    await fail("alone", "the disk is full");
    await it.scheduler.add("paused", failing, () => {});
    await it.scheduler.pause("paused", { reason: "the partner moves" });
    await it.manager.hold("held", { reason: "a look" });
    const acts = async (): Promise<unknown> =>
      (await it.get<Now>("/api/v1/now")).problems.map(({ kind, name, jobs: { runs, ...jobs } = {}, act }) => [
        runs === undefined ? name : { ...jobs, runs: runs.map((run) => parseRunId(run)?.name) },
        ...[kind, act],
      ]);
    const runs = ["billing/a", "billing/b", "by hand"];
    const group = { runs, n: 3, names: ["billing/a", "billing/b", "by hand"], except: ["by hand"] };
    await expect.poll(acts).toEqual([
      ["alone", "failed", undefined],
      [group, "failed", "run-now"],
      ["held", "held", "end-hold"],
      ["paused", "paused", "resume"],
    ]);
    const { status } = await it.act("/api/v1/jobs/billing%2Fa/run-now", {
      reason: "the database is back",
      again: true,
    });
    expect(status).toBe(200);
    const args = async (): Promise<unknown> => {
      return (await take(it.manager.history({ name: "billing/a" }), 9)).map((run) => run.args);
    };
    await expect.poll(args).toEqual([{ day: "billing/a" }, { day: "billing/a" }]);
    // The other one still has its failure: a group of two.
    await it.manager.hold("billing/b", { reason: "a look", wait: 5_000 });
    const { act } = (await it.get<Now>("/api/v1/now")).problems.find(({ jobs }) => jobs !== undefined) ?? {};
    expect(act).toBe("run-now");
  });

  test("has the problems, the worst first, until a run completes", async () => {
    await fail("report");
    await it.manager.hold("import", { reason: "the schema changes", author: "ana" });
    await it.scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    await it.scheduler.pause("nightly", { reason: "holidays", author: "bo" });
    const problems = async (): Promise<unknown> =>
      (await it.get<Now>("/api/v1/now")).problems.map(({ kind, name, text }) => [kind, name, text]);
    await expect.poll(problems).toEqual([
      ["failed", "report", "no route"],
      ["held", "import", expect.stringMatching(/^held by ana until \S+Z: the schema changes$/)],
      ["paused", "nightly", "paused by bo: holidays"],
    ]);
    await it.manager.run("report", () => {});
    await expect
      .poll(async () => (await it.get<Now>("/api/v1/now")).problems.map(({ name }) => name))
      .toEqual(["import", "nightly"]);
  });

  test("has the next ticks of all schedules, the soonest first, and the number of schedulers", async () => {
    await it.scheduler.add("often", { every: 3_600_000 }, () => {});
    await it.scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    await it.scheduler.add("yearly", { cron: "0 0 1 1 *" }, () => {});
    await announced("yearly");
    const now = await it.get<Now>("/api/v1/now");
    expect(now.schedulers).toBe(1);
    const due = now.next.map((tick) => tick.due);
    expect(due).toEqual([...due].sort((a, b) => a - b));
    expect(now.next.filter(({ schedule }) => schedule === "often").length).toBe(24);
    expect(now.next.filter(({ schedule }) => schedule === "nightly").length).toBe(1);
  });

  test("has the number of jobs that are due in each half hour of a day, even beside one that is due each second", async () => {
    await it.scheduler.add("each-second", { every: 1_000 }, () => {});
    await it.scheduler.add("two-hourly", { every: 7_200_000 }, () => {});
    await it.scheduler.add("paused", { every: 60_000 }, () => {});
    await it.scheduler.pause("paused", { reason: "a look" });
    const { ahead, at, next } = await it.get<Now>("/api/v1/now");
    expect(ahead).toHaveLength(48);
    expect(ahead.filter((n) => n === 1)).toHaveLength(36);
    expect(ahead.filter((n) => n === 2)).toHaveLength(12);
    const due = next.find(({ schedule }) => schedule === "two-hourly")?.due ?? 0;
    expect(ahead[Math.floor((due - at) / 1_800_000)]).toBe(2);
    expect(next.filter(({ schedule }) => schedule === "two-hourly")).toHaveLength(1);
  });

  test("says once that no process runs the schedules, with their number, and beside it what failed", async () => {
    await fail("report");
    for (const name of ["often", "nightly", "yearly"]) await it.scheduler.add(name, { cron: "0 0 1 1 *" }, () => {});
    await announced("yearly");
    await it.scheduler.close();
    const problems = async (): Promise<Now["problems"]> => (await it.get<Now>("/api/v1/now")).problems;
    await expect.poll(async () => (await problems()).map(({ kind }) => kind)).toEqual(["unattended", "failed"]);
    const [unattended] = await problems();
    expect(unattended).toEqual({
      kind: "unattended",
      name: "nightly",
      text: "no process runs these schedules",
      jobs: { n: 3, names: ["nightly", "often", "yearly"] },
    });
    const { jobs } = await it.get<Jobs>("/api/v1/jobs?q=nightly");
    expect(jobs).toMatchObject([{ name: "nightly", unattended: "no process runs this schedule" }]);
  });

  test("says since when no process runs a schedule by its first undecided tick", async () => {
    const from = Math.floor(Date.now() / 60_000 - 60) * 60_000;
    await leftAlone("often", { cron: "* * * * *", from });
    const told = async (): Promise<readonly [number | undefined, JobDetail["ticks"][number] | undefined]> => [
      (await it.get<Now>("/api/v1/now")).problems[0]?.at,
      (await it.get<JobDetail>("/api/v1/jobs/often")).ticks.find(({ outcome }) => outcome === "overdue"),
    ];
    const [at, tick] = await told();
    expect(at).toBe(from);
    expect(tick).toMatchObject({ at: from, text: "no process has decided on it so far", count: expect.any(Number) });
    expect((await told())[0]).toBe(from);
    expect((await it.get<JobDetail>("/api/v1/jobs/often")).overdue).toMatchObject({ at: from });
    const { reasons } = await it.get<Why>("/api/v1/jobs/often/why");
    const since = new Date(from).toISOString();
    expect(reasons[0]).toMatchObject({
      code: "unattended",
      text: expect.stringContaining(`ticks are overdue, since ${since}`),
    });
  });

  test("says why the next tick of a job will be skipped, and when it runs next", async () => {
    const to = Math.ceil(Date.now() / 3_600_000 + 3) * 3_600_000;
    await it.scheduler.add("dark", { every: 1_000, blackout: { from: 0, to } }, () => {});
    await it.scheduler.add("paused", { every: 1_000 }, () => {});
    await it.scheduler.add("stopped", { every: 1_000 }, () => {});
    await it.scheduler.pause("paused", { reason: "a look", until: to });
    await it.scheduler.pause("stopped", { reason: "a look" });
    const { jobs } = await it.get<Jobs>("/api/v1/jobs");
    expect(jobs.map(({ name, skipped, nextRun }) => [name, skipped, nextRun])).toEqual([
      ["dark", "blackout", to],
      ["paused", "paused", to],
      ["stopped", "paused", undefined],
    ]);
  });

  test("lists the jobs when one is paused until the year 9999", async () => {
    await it.scheduler.add("report", { cron: "0 2 * * *" }, () => {});
    await it.scheduler.pause("report", { reason: "replaced", until: "9999-12-31T00:00Z" });
    const { jobs } = await it.get<Jobs>("/api/v1/jobs");
    expect(jobs).toMatchObject([{ name: "report", skipped: "paused" }]);
    expect(jobs[0]).not.toHaveProperty("nextRun");
  });

  test("marks the coming ticks of a job that no process runs, and of no other", async () => {
    const coming = async (): Promise<readonly (true | undefined)[]> =>
      (await it.get<Now>("/api/v1/now")).next.map(({ unattended }) => unattended);
    const ofJob = async (): Promise<JobDetail["ticks"]> => (await it.get<JobDetail>("/api/v1/jobs/often")).ticks;
    await it.scheduler.add("often", { every: 3_600_000 }, () => {});
    await announced("often");
    expect(new Set(await coming())).toEqual(new Set([undefined]));
    expect((await ofJob()).some(({ unattended }) => unattended)).toBe(false);
    await it.scheduler.close();
    await expect.poll(async () => new Set(await coming())).toEqual(new Set([true]));
    const ticks = (await ofJob()).filter(({ outcome }) => outcome === undefined);
    expect(ticks.length).toBeGreaterThan(0);
    expect(ticks.every(({ unattended }) => unattended === true)).toBe(true);
  });

  test("has the next tick of each job, however often one of them is due", async () => {
    await it.scheduler.add("busy", { every: 5_000 }, () => {});
    for (let hour = 0; hour < 20; hour++)
      await it.scheduler.add(`daily ${hour}`, { cron: `0 ${hour} * * *` }, () => {});
    const { next } = await it.get<Now>("/api/v1/now");
    expect(new Set(next.map(({ schedule }) => schedule)).size).toBe(21);
    expect(next.length).toBe(50);
    expect(next.filter(({ schedule }) => schedule === "busy").length).toBe(30);
  });

  test("leaves out the runs that ojm makes for itself", async () => {
    await fail("ojm alerts");
    const run = await it.manager.start("ojm alerts");
    const { problems, running } = await it.get<Now>("/api/v1/now");
    expect([problems, running]).toEqual([[], []]);
    await run.end();
  });
});

describe("jobs", () => {
  test("are listed by name, with how they go, page after page", async () => {
    await it.manager.run("b", () => {});
    await fail("a");
    await fail("a");
    await it.scheduler.add("c", { cron: "0 2 * * *", timeZone: "Europe/Lisbon" }, () => {});
    const { jobs, more } = await it.get<Jobs>("/api/v1/jobs");
    expect(more).toBe(false);
    expect(jobs).toMatchObject([
      { name: "a", last: { status: "failed", error: "no route" }, streak: -2, rate: 0 },
      { name: "b", last: { status: "completed" }, streak: 1, rate: 1 },
      { name: "c", schedule: { words: "At 02:00 (Europe/Lisbon)", timeZone: "Europe/Lisbon" }, outcomes: [] },
    ] satisfies Partial<Job>[] | object[]);
    expect(jobs[2]?.next).toBeGreaterThan(Date.now());
    const first = await it.get<Jobs>("/api/v1/jobs?limit=2");
    expect([first.jobs.map(({ name }) => name), first.more]).toEqual([["a", "b"], true]);
    const second = await it.get<Jobs>("/api/v1/jobs?limit=2&after=b");
    expect([second.jobs.map(({ name }) => name), second.more]).toEqual([["c"], false]);
    expect((await it.get<Jobs>("/api/v1/jobs?q=B")).jobs.map(({ name }) => name)).toEqual(["b"]);
  });

  test("are found by a pattern, and by the host of their newest run", async () => {
    for (const name of ["billing/a", "crm/billing", "billing/b"]) await it.manager.run(name, () => {});
    await it.scheduler.add("billing/c", { every: HOUR }, () => {});
    const names = async (list: string, query: string): Promise<string[]> => {
      const answer = await it.get<Partial<Jobs & Runs>>(`/api/v1/${list}?${query}`);
      return (answer[list as "jobs"] ?? []).map(({ name }) => name).sort();
    };
    const here = hostname().slice(0, 3).toUpperCase();
    expect(await names("jobs", "q=billing/*")).toEqual(["billing/a", "billing/b", "billing/c"]);
    expect(await names("jobs", `q=BILLING/*&host=${here}`)).toEqual(["billing/a", "billing/b"]);
    expect(await names("runs", `q=billing/*&host=${here}*`)).toEqual(["billing/a", "billing/b"]);
    expect(await names("runs", `host=${here}*elsewhere`)).toEqual([]);
    expect(await names("jobs", "host=elsewhere")).toEqual([]);
    const run = await it.manager.start("billing/d");
    expect(await names("jobs", `q=*d&host=${here}`)).toEqual(["billing/d"]);
    expect(await names("runs", `status=running&host=${here}`)).toEqual(["billing/d"]);
    expect(await names("runs", "status=running&host=elsewhere")).toEqual([]);
    await run.end();
  });

  test("have their last outcomes, and their trends, by which they are sorted", async () => {
    const clock = { ...systemClock };
    await using it = await openTestUi({ channels: { clock } });
    const ago = async <T>(ms: number, work: () => Promise<T>): Promise<T> => {
      clock.now = () => Date.now() - ms;
      return work().finally(() => {
        clock.now = Date.now;
      });
    };
    const run = async (name: string, began: number, took: number): Promise<void> => {
      const run = await ago(began, () => it.manager.start(name));
      await ago(began - took, () => run.end());
    };
    for (let day = 13; day >= 0; day--) {
      await run("a steady one", day * DAY + HOUR, 60_000);
      await run("slower", day * DAY + HOUR, day < 7 ? 150_000 : 60_000);
    }
    await it.manager.run("new", () => Promise.reject(new Error("no"))).catch(() => {});
    const jobs = (query = ""): Promise<Jobs> => it.get<Jobs>(`/api/v1/jobs${query}`);
    await expect.poll(async () => (await jobs()).counting).toBe(undefined);
    const found = (await jobs()).jobs.map(({ name, trend }) => [name, trend && slowdownOf(trend).toFixed(1)]);
    expect(found).toEqual([
      ["a steady one", "1.0"],
      ["new", undefined],
      ["slower", "2.5"],
    ]);
    expect((await jobs("?q=new")).jobs[0]?.outcomes).toEqual([["failed", expect.any(Number)]]);
    expect((await jobs("?q=slower")).jobs[0]?.outcomes.map(([status]) => status)).toEqual(
      Array.from({ length: 14 }, () => "completed"),
    );
    const names = async (query: string): Promise<unknown> => {
      const { jobs: all, more } = await jobs(`?sort=slower${query}`);
      return [...all.map(({ name }) => name), more];
    };
    expect(await names("")).toEqual(["slower", "a steady one", "new", false]);
    expect(await names("&limit=1")).toEqual(["slower", true]);
    expect(await names("&limit=1&after=slower")).toEqual(["a steady one", true]);
    expect(await names("&q=e")).toEqual(["slower", "a steady one", "new", false]);
    expect((await it.send("GET", "/api/v1/jobs?sort=faster")).status).toBe(400);
    expect((await jobs("?state=slow,failing")).jobs.map(({ name }) => name)).toEqual(["new", "slower"]);
    expect((await jobs("?state=slow&q=new")).jobs).toEqual([]);
  });

  test("a job has the course of its runs, and what people and releases changed meanwhile", async () => {
    await it.scheduler.add("import", { cron: "0 2 * * *" }, () => {});
    await it.manager.run("import", () => {});
    await fail("import");
    await it.scheduler.pause("import", { reason: "the partner moves", author: "ana" });
    await it.scheduler.add("import", { cron: "0 3 * * *" }, () => {});
    const [newest] = await take(it.manager.history({ name: "import", limit: 1 }), 1);
    const { jobs } = it.manager.channels;
    const { startTime = 0 } = newest ?? {};
    const key = { name: "import", startTime };
    await jobs.set(key, { ...(await jobs.get(key)), versions: { ojm: "0.0.1", node: process.version } } as never);
    const job = async (): Promise<JobDetail> => it.get<JobDetail>("/api/v1/jobs/import");
    const whats = async (): Promise<unknown> => (await job()).marks.map(({ what }) => what).sort();
    // The start times of two runs differ: the second one may be a moment ahead of the clock.
    await expect.poll(whats).toEqual(["new-definition", "new-version", "pause"]);
    const { course, marks } = await job();
    expect(course).toEqual([
      [expect.any(Number), "completed", expect.any(Number)],
      [startTime, "failed", expect.any(Number)],
    ]);
    const markOf = (wanted: string): unknown => marks.find(({ what }) => what === wanted);
    expect(markOf("new-version")).toMatchObject({ at: startTime, text: expect.stringMatching(/^ojm .+ → 0\.0\.1/) });
    expect(markOf("pause")).toMatchObject({ text: "ana: the partner moves" });
  });

  test("a job whose ticks come from another scheduler has their outcomes, and why it does not run", async () => {
    const ticks = new ForeignTicks(it.manager);
    let end = (): void => {};
    const isDone = new Promise<void>((resolve) => {
      end = resolve;
    });
    const job = { name: "report", trigger: "node-cron", body: () => isDone };
    const begun = await ticks.begin(job, Date.parse("2026-01-01T02:00:00Z"));
    expect(await ticks.begin(job, Date.parse("2026-01-01T02:01:00Z"))).toBeUndefined();
    end();
    await begun?.ended;
    const [skipped, run] = (await it.get<JobDetail>("/api/v1/jobs/report")).ticks;
    expect(skipped).toMatchObject({ outcome: "skipped", reason: "overlap", text: expect.stringContaining("report@") });
    expect(run).toMatchObject({ outcome: "run", status: "completed" });
    const { reasons } = await it.get<Why>("/api/v1/jobs/report/why");
    expect(reasons.map(({ code }) => code)).toEqual(["ready", "last", "tick"]);
    await ticks.close();
  });

  test("a job has its definition and its ticks, whatever its name is", async () => {
    const name = "a/b %?# \u{1f600}";
    await it.scheduler.add(name, { every: 60_000 }, () => {});
    const job = await it.get<JobDetail>(`/api/v1/jobs/${encodeURIComponent(name)}`);
    expect(job).toMatchObject({ name, definition: { every: 60_000 } });
    expect(job.ticks.length).toBe(10);
    const dues = job.ticks.map(({ due }) => due);
    expect(dues).toEqual(dues.toSorted((a, b) => a - b));
    expect((await it.send("GET", "/api/v1/jobs/none")).status).toBe(404);
  });

  test("a tick that was run has the status of its run", async () => {
    await it.scheduler.add("feed", { every: 1_000 }, () => {
      throw new Error("no feed");
    });
    const statuses = async (): Promise<unknown[]> => {
      const { ticks } = await it.get<JobDetail>("/api/v1/jobs/feed");
      return ticks.filter(({ outcome }) => outcome === "run").map(({ status }) => status);
    };
    await expect.poll(statuses).toContain("failed");
  });

  test("why has the reasons of ojm why, each with the action that helps", async () => {
    await it.scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    await it.scheduler.pause("nightly", { reason: "holidays" });
    await announced("nightly");
    const run = await it.manager.start("nightly");
    const why = await it.get<Why>("/api/v1/jobs/nightly/why");
    expect(why.reasons.map(({ code, act }) => [code, act])).toEqual([
      ["paused", "resume"],
      ["running", "cancel"],
      ["next", "run-now"],
    ]);
    expect(why.reasons[1]?.run).toBe(run.id);
    expect(why.next).toBeUndefined();
    await run.end();
  });

  test("why names the run that kept the last tick away, so that a page can show its time in any zone", async () => {
    const run = "report@2026-11-24T10:00:00.000Z";
    await it.scheduler.add("report", { cron: "0 0 1 1 *" }, () => {});
    const channel = await it.manager.channel("oJobManager-schedules");
    await channel.set(["tick", "report", 5], {
      ...{ outcome: "skipped", reason: "overlap", decided: 5, revision: 1 },
      by: { host: "h", pid: 1, instance: "i" },
      evidence: { run, holder: { host: "h", pid: 1 } },
    });
    const { reasons } = await it.get<Why>("/api/v1/jobs/report/why");
    expect(reasons.find(({ code }) => code === "tick")).toMatchObject({ run, text: expect.stringContaining(run) });
  });

  test("why begins with the failure of the last run where nothing keeps the job from running", async () => {
    const codes = async (): Promise<unknown[]> =>
      (await it.get<Why>("/api/v1/jobs/report/why")).reasons.map(({ code, status }) => [code, status]);
    await fail("report");
    expect(await codes()).toEqual([
      ["last", "failed"],
      ["ready", undefined],
    ]);
    await it.manager.run("report", () => {});
    expect(await codes()).toEqual([
      ["ready", undefined],
      ["last", "completed"],
    ]);
  });
});

describe("runs", () => {
  test("are listed newest first, page after page, and by status", async () => {
    for (const name of ["a", "b", "c"]) await it.manager.run(name, () => {});
    await fail("d");
    const names: string[] = [];
    let before = "";
    for (let more = true; more; ) {
      const page = await it.get<Runs>(`/api/v1/runs?limit=3${before}`);
      names.push(...page.runs.map(({ name }) => name));
      before = `&before=${encodeURIComponent(page.before ?? "")}`;
      more = page.more;
    }
    expect(names).toEqual(["d", "c", "b", "a"]);
    const shown = async (query: string): Promise<string[]> =>
      (await it.get<Runs>(`/api/v1/runs?${query}`)).runs.map(({ name }) => name);
    expect(await shown("status=failed")).toEqual(["d"]);
    expect(await shown("status=completed&limit=2")).toEqual(["c", "b"]);
    expect(await shown("name=a")).toEqual(["a"]);
    const run = await it.manager.start("e");
    expect(await shown("status=running")).toEqual(["e"]);
    await run.end();
  });

  test("runs are found by a part of the name of their job, as jobs are, and a name that is near is offered", async () => {
    for (const name of ["Invoice mails", "backup", "nightly/invoices", "nightly/invoices"]) {
      const { record } = await it.manager.run(name, () => {});
      // Runs that start in the same millisecond are sorted by name.
      await expect.poll(Date.now, { interval: 1 }).toBeGreaterThan(record.startTime);
    }
    const run = await it.manager.start("z invoice");
    const page = (query: string): Promise<Runs> => it.get<Runs>(`/api/v1/runs?${query}`);
    const shown = async (query: string): Promise<string[]> => (await page(query)).runs.map(({ name }) => name);
    await expect
      .poll(() => shown("q=invoice"))
      .toEqual(["z invoice", "nightly/invoices", "nightly/invoices", "Invoice mails"]);
    expect(await shown("q=invoice&status=completed&limit=2")).toEqual(["nightly/invoices", "nightly/invoices"]);
    expect(await shown("q=invoice&status=running")).toEqual(["z invoice"]);
    const first = await page("q=invoice&limit=3");
    expect(await shown(`q=invoice&limit=3&before=${encodeURIComponent(first.before ?? "")}`)).toEqual([
      "Invoice mails",
    ]);
    expect(await page("q=invioces")).toEqual({ runs: [], more: false, meant: "nightly/invoices" });
    expect(await page("name=mails")).toEqual({ runs: [], more: false, meant: "Invoice mails" });
    // The name is right, but no run has the status.
    for (const query of ["q=invoice&status=lost", "name=backup&status=lost", "q=entirely-different"])
      expect(await page(query), query).toEqual({ runs: [], more: false });
    await run.end();
  });

  test("the audit is found by a part of the name of a job, and a name that is near is offered", async () => {
    await it.manager.run("nightly/invoices", () => {});
    for (const name of ["server-move", "nightly/invoices"]) await it.manager.hold(name, { reason: "the disk is full" });
    const page = (query: string): Promise<Audit> => it.get<Audit>(`/api/v1/audit?${query}`);
    expect((await page("q=MOVE")).entries.map(({ name }) => name)).toEqual(["server-move"]);
    expect((await page("name=move")).entries).toEqual([]);
    await expect.poll(() => page("q=invioces")).toEqual({ entries: [], more: false, meant: "nightly/invoices" });
  });

  test("the page of a run says whether its job can be run again on request", async () => {
    const job = async (name: string): Promise<RunPage["job"]> => {
      const { record } = await it.manager.run(name, () => {});
      return (await it.get<RunPage>(`/api/v1/runs/${encodeURIComponent(record.id)}`)).job;
    };
    expect(await job("by hand")).toEqual({ scheduled: false });
    await it.scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    await announced("nightly");
    expect(await job("nightly")).toEqual({ scheduled: true });
    const { record } = await it.manager.run("nightly", () => {});
    await it.manager.hold("nightly", { reason: "the disk is replaced" });
    await it.scheduler.close();
    await expect
      .poll(async () => (await it.get<RunPage>(`/api/v1/runs/${encodeURIComponent(record.id)}`)).job)
      .toEqual({ scheduled: true, unattended: expect.stringContaining("no process"), held: true });
  });

  test("a run has its attempts, the last one that completed, and why its job does not run", async () => {
    await it.manager.run("a", () => {});
    const body = (): Promise<void> => Promise.reject(new Error("no route"));
    await it.manager.run("a", body, { retry: { attempts: 2, delay: 1 } }).catch(() => {});
    const { runs } = await it.get<Runs>("/api/v1/runs?name=a");
    const page = await it.get<RunPage>(`/api/v1/runs/${encodeURIComponent(runs[0]?.id ?? "")}`);
    expect(page.run).toMatchObject({ status: "failed", attempt: 2, retry: { attempts: 2 }, error: "no route" });
    expect(page.attempts.map(({ id }) => id)).toEqual([runs[1]?.id, runs[0]?.id]);
    expect(page.lastWell?.id).toBe(runs[2]?.id);
    expect(page.why.map(({ code }) => code)).toContain("last");
    expect(page.log).toEqual({ ended: true });
    expect(page.newest).toBeUndefined();
    await it.manager.hold("a", { reason: "the schema changes" });
    const pageOf = async (id = ""): Promise<RunPage> => await it.get<RunPage>(`/api/v1/runs/${encodeURIComponent(id)}`);
    expect(await pageOf(runs[1]?.id)).toMatchObject({ newest: { id: runs[0]?.id, status: "failed" }, why: [] });
    const [held] = (await pageOf(runs[0]?.id)).why;
    expect(held).toMatchObject({ code: "maintenance", text: expect.stringContaining("the schema changes") });
    // For an older run, it would not be news.
    expect((await pageOf(runs[2]?.id)).why).toEqual([]);
  });

  test("a run with an unknown status and no end has not ended, on its page and in the list of the jobs", async () => {
    await it.manager.run("sync", () => {});
    const { value: last } = await it.manager.history({ name: "sync" }).next();
    const startTime = Number(last?.startTime) + 1;
    const id = `sync@${new Date(startTime).toISOString()}`;
    const { endTime: _, endDate: __, duration: ___, ...rest } = last ?? expect.fail("no run");
    const jobs = await it.manager.channel<unknown>("oJobManager-jobs");
    await jobs.set({ name: "sync", startTime }, { ...rest, id, startTime, status: "draining" });
    const path = `/api/v1/runs/${encodeURIComponent(id)}`;
    expect(await it.get<RunPage>(path)).toMatchObject({ run: { status: "draining" }, log: { ended: false } });
    const { jobs: list } = await it.get<Jobs>("/api/v1/jobs");
    expect(list).toMatchObject([{ name: "sync", last: { id: last?.id, status: "completed" } }]);
  });

  test("results are hidden unless showResults is set, and everything passes the mask", async () => {
    const mask = (text: string): string => text.replaceAll("secret", "***");
    await using shown = await openTestUi({ showResults: true, mask });
    for (const { manager, get } of [it, shown]) {
      const { record } = await manager.run("a", ({ log }) => {
        log.info("a secret line");
        return { token: "secret", rows: 3 };
      });
      const { run } = await get<RunPage>(`/api/v1/runs/${record.id}`);
      if (manager === it.manager) {
        expect(run.result).toBeUndefined();
        expect(run.resultHidden).toBe(true);
      } else {
        expect(run.result).toEqual({ token: "***", rows: 3 });
        const log = await get<LogPage>(`/api/v1/runs/${record.id}/log`);
        expect(log.items).toMatchObject([{ line: 1, text: "a *** line" }]);
        expect(await (await shown.send("GET", `/api/v1/runs/${record.id}/log.txt`)).text()).toContain("a *** line\n");
      }
    }
  });

  test("the args of a run are hidden as its result, and masked where they are shown", async () => {
    const { manager } = it;
    const mask = (text: string): string => text.replaceAll("hunter2", "***");
    await using shown = await openTestUi({ manager, mask, showResults: true });
    const { record } = await manager.run("with args", () => {}, { args: { password: "hunter2", rows: 10 } });
    const of = async (cockpit: TestUi): Promise<unknown> =>
      ((await cockpit.get(`/api/v1/runs/${encodeURIComponent(record.id)}`)) as { run: { args?: unknown } }).run.args;
    expect([await of(it), await of(shown)]).toEqual([undefined, { password: "***", rows: 10 }]);
  });

  test("the meta of a schedule is hidden as that of runs, and masked where it is shown", async () => {
    const { manager, scheduler } = it;
    const mask = (text: string): string => text.replaceAll("hunter2", "***");
    const definition = { cron: "0 2 * * *", meta: { password: "hunter2" } };
    await scheduler.add("nightly", definition, () => {});
    await using hidden = await openTestUi({ manager, scheduler, mask });
    await using shown = await openTestUi({ manager, scheduler, mask, showResults: true });
    const of = async ({ get }: TestUi): Promise<unknown> => (await get<JobDetail>("/api/v1/jobs/nightly")).definition;
    expect(await of(hidden)).toEqual({ cron: "0 2 * * *" });
    expect(await of(shown)).toEqual({ cron: "0 2 * * *", meta: { password: "***" } });
  });

  test("what else keeps a job from running is among its reasons, and first among the problems", async () => {
    await it.manager.run("import", () => Promise.reject(new Error("its process is gone"))).catch(() => {});
    const { runs } = await it.get<Runs>("/api/v1/runs?name=import");
    const run = runs[0]?.id ?? "";
    const orphan = {
      name: "import",
      code: "orphaned",
      text: "its command goes on",
      help: "kill it",
      run,
    } as const;
    const refused = { name: "import", code: "refused", text: "a start was refused" } as const;
    const reasons = async (name?: string): Promise<readonly OtherReason[]> =>
      name === undefined ? [orphan] : [{ ...orphan, keeps: true }, refused];
    await using asked = await openTestUi({ manager: it.manager, scheduler: it.scheduler, reasons });
    const why = await asked.get<Why>("/api/v1/jobs/import/why");
    expect(why.reasons.map(({ code }) => code)).toEqual(["orphaned", "refused", "last"]);
    expect(why.reasons[0]).toMatchObject({ text: "its command goes on", help: "kill it", run });
    const { reasons: never } = await asked.get<Why>("/api/v1/jobs/never-begun/why");
    expect(never.map(({ code }) => code)).toEqual(["orphaned", "refused", "never", "unscheduled"]);
    const { problems } = await asked.get<Now>("/api/v1/now");
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ kind: "orphaned", name: "import", text: "its command goes on", run });
  });

  test("a log is read in pages, or from its end", async () => {
    const { record } = await it.manager.run("a", async ({ log }) => {
      for (let i = 1; i <= 25; i++) log.info(`line ${i}`);
    });
    const page = async (query: string): Promise<[number[], boolean]> => {
      const { items, more } = await it.get<LogPage>(`/api/v1/runs/${record.id}/log?${query}`);
      return [items.flatMap((item) => ("line" in item ? [item.line] : [])), more];
    };
    expect(await page("limit=2")).toEqual([[1, 2], true]);
    expect(await page("limit=2&after=2")).toEqual([[3, 4], true]);
    expect(await page("limit=2&after=23")).toEqual([[24, 25], false]);
    expect(await page("tail=3")).toEqual([[23, 24, 25], false]);
    expect((await it.send("GET", "/api/v1/runs/a@2026-11-25T02:00:00.000Z/log")).status).toBe(404);
  });

  test("pages of a log with a gap make up the whole, wherever they end", async () => {
    const channels = { logBudget: { head: 1_000, tail: 1_000, chunk: 200, interval: 1 } };
    await using small = await openTestUi({ channels });
    const { record } = await small.manager.run("a", async ({ log }) => {
      for (let i = 1; i <= 200; i++) log.info(`line ${i} of a log that is too long`);
    });
    const path = `/api/v1/runs/${record.id}/log`;
    const { items: all } = await small.get<LogPage>(path);
    expect(all.filter((item) => "missing" in item)).toHaveLength(1);
    for (let limit = 1; limit <= all.length; limit++) {
      const items: LogPage["items"][number][] = [];
      for (let after = 0, more = true; more; ) {
        const page = await small.get<LogPage>(`${path}?after=${after}&limit=${limit}`);
        items.push(...page.items);
        more = page.more;
        const next = page.items.findLast((item) => "line" in item);
        after = next !== undefined && "line" in next ? next.line : after;
      }
      expect(items, `by ${limit}`).toEqual(all);
    }
  });
});

describe("the timeline", () => {
  test("has a lane for each job, with its runs and the ticks that were not run or are to come", async () => {
    const { record } = await it.manager.run("a", () => {});
    await it.scheduler.add("b", { every: 3_600_000 }, () => {});
    const now = Date.now();
    const { lanes, more } = await it.get<Timeline>(
      `/api/v1/timeline?from=${now - 60_000}&to=${now + 7_200_000}&px=800`,
    );
    expect(more).toBe(false);
    expect(lanes.map(({ name }) => name)).toEqual(["a", "b"]);
    const [bar] = lanes[0]?.bars ?? [];
    expect(bar?.slice(2)).toEqual(["completed", 1, record.id]);
    expect(lanes[1]?.ticks.map(({ outcome }) => outcome)).toEqual([undefined, undefined]);
    expect((await it.send("GET", `/api/v1/timeline?from=${now}&to=${now}`)).status).toBe(400);
  });
});

describe("locks", () => {
  test("have the holder of each lock, its run, and the schedulers", async () => {
    const run = await it.manager.start("a");
    await it.manager.hold("b", { reason: "the schema changes", author: "ana" });
    await it.scheduler.add("c", { cron: "0 2 * * *" }, () => {});
    await announced("c");
    const locks = await it.get<Locks>("/api/v1/locks");
    expect(locks.locks).toMatchObject([
      { name: "a", run: run.id, fence: run.fence, gone: false },
      { name: "b", hold: { reason: "the schema changes", author: "ana" } },
    ]);
    expect(locks.instances).toMatchObject([{ pid: process.pid, locks: 1 }]);
    expect(locks.schedulers).toMatchObject([{ pid: process.pid, schedules: 1, names: ["c"] }]);
    await run.end();
  });
});

test("no list is longer than 200 KB: it has more, and the pages have all of it once", async () => {
  const name = (i: number): string => `${String(i).padStart(3, "0")} ${"x".repeat(900)}`;
  for (let i = 0; i < 110; i++) await fail(name(i), "y".repeat(2_000));
  const whole = async (path: string, next: (page: Paged) => string): Promise<string[]> => {
    const names: string[] = [];
    for (let query = "", pages = 0; pages < 10; pages++) {
      const text = await (await it.send("GET", `/api/v1/${path}${query}`)).text();
      expect(text.length).toBeLessThan(200_000);
      const page = JSON.parse(text) as Paged;
      names.push(...(page.jobs ?? page.lanes ?? page.runs ?? []).map((item) => item.name));
      if (!page.more) return names;
      query = next(page);
    }
    throw new Error("the pages do not end");
  };
  const all = Array.from({ length: 110 }, (_, i) => name(i));
  const after = ({ jobs, lanes }: Paged): string => `&after=${encodeURIComponent((jobs ?? lanes)?.at(-1)?.name ?? "")}`;
  expect(await whole("jobs?limit=100", after)).toEqual(all);
  expect(await whole("timeline?limit=100", after)).toEqual(all);
  const before = (page: Paged): string => `&before=${encodeURIComponent(page.before ?? "")}`;
  expect(await whole("runs?limit=200", before)).toEqual(all.toReversed());
});

/** A page of a list. */
interface Paged {
  readonly jobs?: readonly { readonly name: string }[];
  readonly lanes?: readonly { readonly name: string }[];
  readonly runs?: readonly { readonly name: string }[];
  readonly more: boolean;
  readonly before?: string;
}
