/**
 * The week of the demo, from which the pictures of the documents are taken.
 * @module-tag full
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { openQueues } from "@ojm/queue";
import { openScheduler, type Scheduler, type ScheduleTick } from "@ojm/schedule";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ArgumentError, readArguments } from "./arguments.js";
import { sendMails } from "./mails.js";
import { makeWeek } from "./week.js";
import { changingZone } from "./world/times.js";

/* Two days that end on a Monday: the power cut of Sunday, and the clocks of Europe go back that night. */
const MINUTE = 60_000;
const END = Date.parse("2026-10-26T12:00:00Z");

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

interface Made {
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  readonly runs: readonly RunRecord[];
  readonly ticks: readonly ScheduleTick[];
}

async function read(file: string): Promise<Made> {
  const store = { type: "sqlite", args: { file } };
  const manager = await openJobManager({ chJobs: store, chLocks: store });
  const scheduler = openScheduler(manager);
  const ticks: ScheduleTick[] = [];
  for await (const { name } of scheduler.schedules()) ticks.push(...(await collect(scheduler.ticks(name))));
  return { manager, scheduler, runs: await collect(manager.history()), ticks };
}

describe("the demo of two days", () => {
  const folder = mkdtempSync(join(tmpdir(), "ojm-demo-"));
  const opened: Made[] = [];

  async function make(name: string, days: number): Promise<Made> {
    const file = join(folder, name);
    await makeWeek({ file, seed: 7, days, end: END });
    const made = await read(file);
    opened.push(made);
    return made;
  }

  beforeAll(async () => {
    await make("two-days.db", 2);
    // Some 10 s of computing, on a machine that may be busy.
  }, 600_000);

  afterAll(async () => {
    for (const { manager, scheduler } of opened) {
      await scheduler.close();
      await manager.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const first = (): Made => opened[0] as Made;
  const named = (name: string): RunRecord[] => first().runs.filter((run) => run.name === name);
  const outcomes = (name: string): (string | undefined)[] =>
    first()
      .ticks.filter((tick) => tick.schedule === name)
      .map(({ outcome, reason }) => reason ?? outcome);

  test("has a run of every minute, and ends before its end", () => {
    const began = new Set(named("orders-poll").map(({ startTime }) => Math.floor(startTime / MINUTE)));
    // Except those at which no process was running.
    const missed = new Set<number>();
    for (const { schedule, at, until = at, outcome } of first().ticks) {
      if (schedule !== "orders-poll" || outcome !== "missed") continue;
      for (let time = at; time <= until; time += MINUTE) missed.add(Math.floor(time / MINUTE));
    }
    const begin = END / MINUTE - 2 * 24 * 60;
    const all = Array.from({ length: 2 * 24 * 60 - 1 }, (_, i) => begin + 1 + i);
    expect(all.filter((minute) => !began.has(minute) && !missed.has(minute))).toEqual([]);
    expect(missed.size).toBeLessThan(180);
    expect(first().runs.every(({ status, endTime = END }) => status !== "running" && endTime < END)).toBe(true);
    expect(new Set(first().runs.map(({ name }) => name)).size).toBeGreaterThan(22);
  });

  test("is the same for the same seed", async () => {
    const one = await make("one.db", 1 / 6);
    const two = await make("two.db", 1 / 6);
    expect(two.runs.length).toBeGreaterThan(300);
    expect([two.runs, two.ticks]).toEqual([one.runs, one.ticks]);
  });

  test("has runs of each status", () => {
    const found = new Set(first().runs.map(({ status }) => status));
    expect([...found].sort()).toEqual(["cancelled", "completed", "failed", "lost", "skipped", "timeout"]);
  });

  test("has a job that fails in each attempt, with the stack of the error and of its cause", () => {
    const [last] = named("invoice-pdf");
    expect(last).toMatchObject({ status: "failed", attempt: 3, chain: expect.stringContaining("invoice-pdf@") });
    expect(last?.stack).toContain('unknown helper "currency"');
  });

  test("has a run whose process died, and the next attempt of it", () => {
    const lost = named("video-transcode").find(({ status }) => status === "lost");
    expect(lost?.error).toContain("ended, hung or lost the store");
    expect(named("video-transcode").some(({ attempt = 1 }) => attempt > 1)).toBe(true);
  });

  test("has ticks that were skipped as the job ran, was paused, or had a blackout", () => {
    expect(outcomes("gdpr-erase")).toContain("paused");
    expect(outcomes("metrics-rollup")).toContain("blackout");
    expect(outcomes("archive-tables")).toContain("overlap");
  });

  test("has ticks that were missed while no process ran", () => {
    const [missed] = first().ticks.filter(
      ({ schedule, outcome }) => schedule === "orders-poll" && outcome === "missed",
    );
    const [from, until] = [missed?.at, missed?.until].map((at) => new Date(at ?? 0).toISOString());
    expect([from, until]).toEqual(["2026-10-25T02:00:00.000Z", "2026-10-25T02:59:00.000Z"]);
  });

  test("has a forced unlock with its reason, and a job that is held", async () => {
    const unlocked = first().runs.find(({ endedBy }) => endedBy?.action === "unlock");
    expect(unlocked).toMatchObject({
      name: "video-transcode",
      error: "unlocked by force: hangs after clip 5, see #4711",
    });
    const [held] = await first().manager.heldLocks();
    expect(held).toMatchObject({ name: "archive-tables", note: { hold: { author: "ben" } } });
  });

  test("has runs of a backfill", () => {
    const late = named("customer-import").filter(({ delay = 0 }) => delay > 3 * 3_600_000);
    expect(late.length).toBeGreaterThan(0);
  });

  test("has logs with colours and progress, meta, and results", async () => {
    const [backup] = named("db-backup");
    expect(backup).toMatchObject({ meta: { team: "platform" }, result: { gigabytes: expect.any(Number) } });
    const log = await collect(first().manager.log(backup?.id ?? ""));
    expect(log.some((item) => "text" in item && item.text?.includes("\u001b[32m"))).toBe(true);
    expect(await first().manager.progress(backup?.id ?? "")).toMatchObject({ text: "GB dumped" });
  });

  test("has a job in a time zone whose clocks were changed, and runs it in both hours of the same name", () => {
    expect(changingZone({ start: END - 2 * 86_400_000, end: END })).toBe("Europe/Lisbon");
    const night = named("partner-feed").map(({ tick = 0 }) => new Date(tick).toISOString());
    expect(night).toEqual(expect.arrayContaining(["2026-10-25T00:00:00.000Z", "2026-10-25T01:00:00.000Z"]));
  });
});

test("the demo has a queue with mails that are sent, that wait, and that are dead letters", async () => {
  await using manager = await openJobManager();
  await using queues = openQueues(manager);
  const stop = new AbortController();
  const sending = sendMails(queues, stop.signal);
  await vi.waitFor(
    async () => {
      const { waiting, dead } = await queues.counts("mail");
      const sent = (await collect(manager.history({ name: "mail" }))).filter(({ status }) => status === "completed");
      expect([waiting, dead, sent.length].every((n) => n > 0)).toBe(true);
    },
    { timeout: 60_000, interval: 100 },
  );
  stop.abort();
  await sending;
  await queues.close({ grace: 0 });
});

describe("the command line of the demo", () => {
  test("has a week that ends now by default", () => {
    const options = readArguments(["--seed", "3"], END + 10);
    expect(options).toMatchObject({ days: 7, seed: 3, end: END, live: true, isOwn: true });
    expect(readArguments(["--until", "2026-01-01T00:00:00Z"], END)).toMatchObject({ live: false });
    expect(readArguments(["--help"], END)).toBeUndefined();
  });

  test.each([["--days=0"], ["--seed=x"], ["--until=soon"], ["--until=2099-01-01"], ["--speed=2"]])(
    "refuses %s in words",
    (arg) => {
      expect(() => readArguments([arg], END)).toThrow(ArgumentError);
    },
  );
});
