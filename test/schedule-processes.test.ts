/**
 * Schedules of processes that are killed all the time: schedules.test.ts has a process of each kind.
 * @module-tag full
 */
import { setTimeout as pause } from "node:timers/promises";
import { type JobManager, type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleDefinition, type ScheduleTick } from "@ojm/schedule";
import { expect, it, vi } from "vitest";
import { collect } from "../packages/core/src/testing/settle.js";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

/** How long, in s. */
const SECONDS = Number(process.env["OJM_SCHEDULE_SECONDS"] ?? 8);
const PROCESSES = 3;
/** From one kill to the next, in ms. */
const BETWEEN_KILLS = 2_000;
const SECOND = 1_000;
/** How long it may take until others have found out that a process was killed, in ms. */
const WITHIN = 90_000;

interface Scheduled {
  readonly definition: ScheduleDefinition;
  /** How long a run takes, in ms. */
  readonly takes: number;
}

/** The schedules of each process. */
const schedules: Readonly<Record<string, Scheduled>> = {
  latest: { definition: { cron: "* * * * * *" }, takes: 100 },
  all: { definition: { cron: "* * * * * *", overlap: "queue", missed: "all" }, takes: 100 },
  retried: {
    definition: {
      cron: "* * * * * *",
      overlap: "queue",
      missed: "all",
      retry: { attempts: 20, delay: 200, backoff: "fixed", onLost: true },
    },
    takes: 700,
  },
};

async function begin(options: JobManagerOptions, all = schedules): Promise<Child> {
  const child = startChild("schedule/scheduled.child.ts", [JSON.stringify(options), JSON.stringify(all)]);
  expect(await child.message()).toBe("ready");
  return child;
}

/** Waits until a process runs the job that is tried again, and resolves to that process. */
async function untilBusy(manager: JobManager): Promise<number> {
  const busy = async (): Promise<number> =>
    (await manager.heldLocks()).find(({ name }) => name === "retried")?.holder.pid ?? 0;
  return vi.waitUntil(busy, { interval: 20, timeout: WITHIN });
}

/** Whether an attempt was made after one that was lost. */
async function wasTriedAgain(manager: JobManager): Promise<boolean> {
  for await (const { attempt = 1 } of manager.history({ name: "retried" })) if (attempt > 1) return true;
  return false;
}

/** The outcomes and the records of a job, oldest first. */
async function look(manager: JobManager, name: string): Promise<{ ticks: ScheduleTick[]; records: RunRecord[] }> {
  await using scheduler = openScheduler(manager);
  const ticks: ScheduleTick[] = [];
  // A waiting tick has no outcome yet.
  for await (const tick of scheduler.ticks(name)) if (tick.outcome !== "waiting") ticks.unshift(tick);
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name })) records.unshift(record);
  return { ticks, records };
}

/** Every second from the first tick on has one outcome, up to the last one. */
function expectEachOnce(ticks: readonly ScheduleTick[]): number[] {
  const covered = ticks.flatMap(({ at, until = at }) =>
    Array.from({ length: (until - at) / SECOND + 1 }, (_, i) => at + i * SECOND),
  );
  const first = ticks[0]?.at ?? 0;
  expect(covered).toEqual(Array.from({ length: covered.length }, (_, i) => first + i * SECOND));
  return covered;
}

/**
 * A body begins when the previous one has ended. The start time of a record is a moment earlier: it is
 * written in the commit that takes the lock, and the previous run may end between the two.
 */
function expectNoneAtOnce(records: readonly RunRecord[]): void {
  const completed = records.filter(({ status }) => status === "completed");
  const bodies = completed.map(({ result }) => result as { readonly began: number; readonly ended: number });
  bodies.sort((a, b) => a.began - b.began);
  for (const [i, { began }] of bodies.entries()) {
    if (i > 0) expect(began).toBeGreaterThanOrEqual(bodies[i - 1]?.ended ?? Number.NaN);
  }
}

/** The ticks before `to` that are tried again, and whose last attempt did not complete. */
function openOf(records: readonly RunRecord[], to: number): string[] {
  const last = new Map(records.map((record) => [record.tick, record]));
  const open = [...last.values()].filter(({ status, retry }) => status !== "completed" && retry !== undefined);
  return open.filter(({ tick = 0 }) => tick < to).map(({ id, status, attempt }) => `${id} ${status} ${attempt}`);
}

/** Kills one process after the other, and starts another one for each. Resolves to when it ended. */
async function killAndReplace(manager: JobManager, options: JobManagerOptions, alive: Child[]): Promise<number> {
  const from = Date.now();
  // A run may end between the check of its process and the kill: then repeat until a kill strikes a run.
  for (let kills = 0; Date.now() < from + SECONDS * SECOND || !(await wasTriedAgain(manager)); kills++) {
    await pause(BETWEEN_KILLS);
    const busy = await untilBusy(manager);
    const place = alive.findIndex((child) => child.process.pid === busy);
    const [victim] = alive.splice(place < 0 ? kills % 2 : place, 1);
    victim?.process.kill("SIGKILL");
    await victim?.ended;
    alive.push(await begin(options));
  }
  return Date.now();
}

/** Each tick has one outcome, and those that were run have one first attempt each. */
function expectWhole({ ticks, records }: { ticks: ScheduleTick[]; records: RunRecord[] }): void {
  expect(expectEachOnce(ticks).length).toBeGreaterThanOrEqual(SECONDS);
  const run = ticks.filter(({ outcome }) => outcome === "run");
  const first = records.filter(({ attempt = 1 }) => attempt === 1);
  expect(first.map(({ id, tick }) => [id, tick])).toEqual(run.map(({ run: id, at }) => [id, at]));
  expect(records.filter(({ status }) => status === "completed").length).toBeGreaterThan(0);
  expectNoneAtOnce(records);
}

onSharedStores({}, (create) => {
  it("a backfill that was requested while no process was there leaves each tick one outcome", async () => {
    const options = await create();
    const latest = { definition: { every: SECOND, missed: "none" }, takes: 10 } as const;
    await using manager = await openJobManager(options);
    await using scheduler = openScheduler(manager);
    const first = await begin(options, { latest });
    await expect.poll(async () => (await look(manager, "latest")).ticks.length, { timeout: WITHIN }).toBeGreaterThan(1);
    first.process.kill("SIGTERM");
    await first.ended;
    const from = Date.now();
    await pause(6 * SECOND);
    await scheduler.backfill("latest", { from: from + SECOND, to: from + 4 * SECOND, reason: "an outage" });
    const second = await begin(options, { latest });
    const open = async (): Promise<number> => (await collect(scheduler.backfills("latest"))).length;
    await expect.poll(open, { timeout: WITHIN }).toBe(0);
    second.process.kill("SIGTERM");
    await second.ended;
    const { ticks } = await look(manager, "latest");
    expectEachOnce(ticks);
    expect(ticks.filter(({ evidence }) => evidence?.["backfill"] !== undefined)).toHaveLength(3);
  });

  it(
    "each tick has one outcome and its attempts never overlap, whichever of the processes is killed",
    async () => {
      const options = await create();
      const alive = await Promise.all(Array.from({ length: PROCESSES }, () => begin(options)));
      await using manager = await openJobManager(options);
      const to = await killAndReplace(manager, options, alive);
      // Those that were killed may have been the first and the second: wait until others have found out.
      for (const name of Object.keys(schedules)) {
        const decided = async (): Promise<number> => (await look(manager, name)).ticks.at(-1)?.at ?? 0;
        await expect.poll(decided, { timeout: WITHIN }).toBeGreaterThan(to);
      }
      const open = async (): Promise<string[]> => openOf((await look(manager, "retried")).records, to);
      await expect.poll(open, { timeout: WITHIN }).toEqual([]);
      for (const child of alive) child.process.kill("SIGTERM");
      for (const child of alive) expect([await child.ended, child.output.stderr]).toEqual([0, ""]);

      expectWhole(await look(manager, "latest"));
      for (const name of ["all", "retried"]) {
        const found = await look(manager, name);
        expectWhole(found);
        expect(found.ticks.filter(({ outcome }) => outcome !== "run")).toEqual([]);
      }
      expect(await open()).toEqual([]);
    },
    240_000 + SECONDS * 10 * SECOND,
  );

  it("a killed run is tried again at once by another process of its host, and not when its session is over", async () => {
    // Waiting for the end of the session would take longer than this test may take.
    const options = { ...(await create()), ttl: 3_600_000 };
    const retry = { attempts: 2, delay: 100, onLost: true } as const;
    const nightly = { definition: { every: 86_400_000, retry }, takes: 600_000 };
    const [one, two] = await Promise.all([begin(options, { nightly }), begin(options, { nightly })]);
    const begun = [one, two].map(async (child) => ({ child, text: await child.message<string>() }));
    await using manager = await openJobManager(options);
    await using scheduler = openScheduler(manager);
    await scheduler.runNow("nightly", { reason: "a test", within: WITHIN });
    const first = await Promise.race(begun);
    expect(first.text).toBe("nightly 1");
    const other = begun[first.child === one ? 1 : 0];
    first.child.process.kill("SIGKILL");
    expect((await other)?.text).toBe("nightly 2");
  });
});
