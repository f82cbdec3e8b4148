import type { JobManager } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import type { Problem } from "@ojm/schedule/operator";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { storeIn } from "../../../../testing/store.js";
import { StoreHealth } from "../../ps/health.js";
import { LiveStore, onePerJob } from "./live-store.js";

const HOUR = 3_600_000;

let folder: string;
let manager: JobManager;
let live: LiveStore;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

async function follow(): Promise<void> {
  live = new LiveStore("a store", await storeIn(folder), () => {});
  const closing = new AbortController();
  const over = live.follow(closing.signal);
  onTestFinished(async () => {
    closing.abort();
    await over;
  });
  await expect.poll(() => live.snapshot(Date.now()).isComplete).toBe(true);
}

const problems = (): string[] => live.snapshot(Date.now()).problems.map(({ name, kind }) => `${name} ${kind}`);

describe("the live snapshot of a store", () => {
  test("a failure is a problem until a run goes well, and counts for an hour", async () => {
    await follow();
    const fail = (): Promise<never> => Promise.reject(new Error("no route"));
    await manager.run("import", fail).catch(() => {});
    await expect.poll(problems).toEqual(["import failed"]);
    expect(live.snapshot(Date.now()).failed).toEqual({ count: 1, isMore: false });
    expect(live.snapshot(Date.now() + 3_601_000).failed.count).toBe(0);
    await manager.run("import", () => {});
    await expect.poll(problems).toEqual([]);
    expect(live.snapshot(Date.now()).failed.count).toBe(1);
  });

  test("a job between two attempts is not a problem beside what is retried, until none follows", async () => {
    await follow();
    const retry = { attempts: 2, delay: 3_600_000 };
    const fail = (): Promise<never> => Promise.reject(new Error("no route"));
    const tried = manager.run("import", fail, { retry }).catch(() => {});
    // It was read by the time at which the other one is known.
    await expect.poll(() => live.snapshot(Date.now()).failed.count).toBe(1);
    await expect.poll(() => live.snapshot(Date.now() + HOUR / 2).retrying).toMatchObject([{ error: "no route" }]);
    expect(live.snapshot(Date.now() + HOUR / 2).problems).toEqual([]);
    await manager.cancel("import", { reason: "enough" });
    await tried;
    await manager.run("other", fail).catch(() => {});
    await expect.poll(problems).toEqual(["other failed"]);
  });

  test("a job whose last run failed is not a problem while an attempt follows, and is one again when none does", async () => {
    await follow();
    const fail = (): Promise<never> => Promise.reject(new Error("no route"));
    await manager.run("import", fail).catch(() => {});
    await expect.poll(problems).toEqual(["import failed"]);
    const retry = { attempts: 2, delay: 3_600_000 };
    const tried = manager.run("import", fail, { retry }).catch(() => {});
    await expect.poll(() => live.snapshot(Date.now()).retrying.length).toBe(1);
    await expect.poll(problems).toEqual([]);
    await manager.cancel("import", { reason: "enough" });
    await tried;
    await expect.poll(problems).toEqual(["import failed"]);
    await manager.run("import", () => {});
    await expect.poll(problems).toEqual([]);
  });

  test("for a schedule that no process runs, a last run that was lost is shown with it", async () => {
    const scheduler = openScheduler(manager);
    await scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    await scheduler.close();
    // Older than what counts as a failure of its own.
    const startTime = Date.now() - 8 * 24 * HOUR;
    const startDate = new Date(startTime).toISOString();
    const importer = await manager.openImport();
    await importer.add({
      run: {
        ...{ name: "nightly", startTime, startDate, id: `nightly@${startDate}`, status: "lost", trigger: "schedule" },
        ...{ holder: { host: "h", pid: 1, instance: "i" }, timeout: HOUR, fence: "1" },
        ...{ endTime: startTime + 1, duration: 1, inError: true },
      },
    });
    await importer.flush();
    await follow();
    const text = (): string | undefined => live.snapshot(Date.now()).problems[0]?.text;
    await expect.poll(text).toBe("no process runs this schedule; its last run was lost");
    // A running run is not lost, although its scheduler is closed.
    await using run = await manager.start("nightly");
    await expect.poll(() => live.snapshot(Date.now()).running.map(({ id }) => id)).toEqual([run.id]);
    await expect.poll(text).toBe("no process runs this schedule");
  });

  test("a cancelled run is not a failure", async () => {
    await follow();
    const run = await manager.start("import");
    await expect.poll(() => live.snapshot(Date.now()).running.length).toBe(1);
    await run.cancel();
    await manager.run("other", () => Promise.reject(new Error("no route"))).catch(() => {});
    await expect.poll(problems).toEqual(["other failed"]);
  });

  test("schedules that are paused, and those that no process runs, are problems", async () => {
    const scheduler = openScheduler(manager);
    await scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    await follow();
    await expect.poll(() => live.snapshot(Date.now()).next.map(({ name }) => name)).toEqual(["nightly"]);
    // A scheduler announces its schedules to the others a moment later.
    await expect.poll(problems).toEqual([]);
    await scheduler.pause("nightly", { reason: "a migration", author: "ana" });
    await expect.poll(problems).toEqual(["nightly paused"]);
    await scheduler.resume("nightly");
    await scheduler.close();
    await expect.poll(problems).toEqual(["nightly unattended"]);
  });
});

test("a job that a person holds is a problem, and its ticks are shown as held", async () => {
  await using scheduler = openScheduler(manager);
  await scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
  await follow();
  await manager.hold("nightly", { reason: "a migration", until: Date.now() + 48 * 3_600_000, author: "ana" });
  await manager.hold("manual", { reason: "an audit", until: Date.now() + 3_600_000, author: "ben" });
  await expect.poll(() => problems().sort()).toEqual(["manual held", "nightly held"]);
  const held = (): readonly Problem[] => live.snapshot(Date.now()).problems;
  expect(held().find(({ name }) => name === "nightly")?.text).toMatch(/^held by ana until \S+Z: a migration$/);
  await expect.poll(() => live.snapshot(Date.now()).next).toMatchObject([{ name: "nightly", skipped: "held" }]);
  await manager.unlock("nightly", { reason: "done" });
  await manager.unlock("manual", { reason: "done" });
  await expect.poll(problems).toEqual([]);
  await expect.poll(() => live.snapshot(Date.now()).next[0]?.skipped).toBeUndefined();
});

test("a job with several problems has one row: the worst, and the others behind it", () => {
  const problem = (kind: Problem["kind"], text: string): Problem => ({ name: "import", kind, text });
  const other: Problem = { name: "other", kind: "paused", text: "paused by bo: a look" };
  expect(onePerJob([problem("failed", "no route"), other, problem("paused", "paused by ana: a migration")])).toEqual([
    problem("failed", "no route; paused by ana: a migration"),
    other,
  ]);
});

describe("the health of a store", () => {
  test("a store that was quiet is asked, and is away from when it was heard last until it answers", async () => {
    let answer: Promise<unknown> = Promise.resolve();
    let asked = 0;
    const health = new StoreHealth(
      () => {
        asked++;
        return answer;
      },
      () => {},
      1_000,
    );
    await health.look(3_000);
    expect(asked).toBe(0);
    answer = Promise.reject(new Error("away"));
    await health.look(7_000);
    expect([asked, health.away(9_000)]).toEqual([1, 8_000]);
    health.heard(9_500);
    expect(health.away(9_600)).toBeUndefined();
  });
});
