/** Three replicas of a Nest application, in processes of their own. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { temporaryFolder } from "@ojm/testing/folder";
import { jsArgs } from "@ojm/testing/programs";
import { expect, it, type TestContext, vi } from "vitest";
import { collect } from "../packages/core/src/testing/settle.js";
import { type Child, startChild, watchChild } from "./support/processes.js";
import { type CreateStore, onSharedStores } from "./support/stores.js";

const SECOND = 1_000;
const EACH_SECOND = "* * * * * *";
/** How long it may take until others have found out that a process was killed, in ms. */
const PATIENCE = { timeout: 90_000, interval: 50 };

interface Fleet {
  readonly manager: JobManager;
  /** Starts a replica. */
  readonly replica: (expression?: string, takes?: number) => Promise<Child>;
}

async function fleetOn(create: CreateStore, { onTestFinished }: TestContext): Promise<Fleet> {
  const options = await create(onTestFinished);
  const { file, url } = options.chLocks?.args ?? {};
  const store = typeof url === "string" ? url : `sqlite:${String(file)}`;
  const replica: Fleet["replica"] = async (expression = EACH_SECOND, takes = 20) => {
    const args = [store, expression, String(takes)];
    const child = startChild("../../../packages/nestjs/src/testing/app.child.ts", args, onTestFinished);
    expect(await child.message()).toBe("ready");
    return child;
  };
  return { manager: await openJobManager(options), replica };
}

const three = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all([make(), make(), make()]);

/** Asks a replica to end, as a deploy does. Nest ends the process by the signal, after its hooks. */
async function end({ process, ended, output }: Child): Promise<void> {
  process.kill("SIGTERM");
  expect([await ended, output.stderr]).toEqual(["SIGTERM", ""]);
}

/** The records of a job, oldest first. */
async function recordsOf(manager: JobManager, name = "tick"): Promise<RunRecord[]> {
  return (await collect(manager.history({ name }))).reverse();
}

/** The outcomes and the records of a job, oldest first. */
async function look(manager: JobManager, name = "tick"): Promise<{ ticks: ScheduleTick[]; records: RunRecord[] }> {
  await using scheduler = openScheduler(manager);
  const ticks = (await collect(scheduler.ticks(name))).filter(({ outcome }) => outcome !== "waiting").reverse();
  return { ticks, records: await recordsOf(manager, name) };
}

const isCompleted = ({ status }: RunRecord): boolean => status === "completed";

/** Waits until a job has this many completed runs. */
async function completed(manager: JobManager, count: number, name = "tick"): Promise<void> {
  await vi.waitUntil(async () => (await recordsOf(manager, name)).filter(isCompleted).length >= count, PATIENCE);
}

/** Waits until this many more runs have completed than now. */
async function completedMore(manager: JobManager, count: number): Promise<void> {
  await completed(manager, (await recordsOf(manager)).filter(isCompleted).length + count);
}

/** Each second has one outcome, from the first tick to the last. */
function expectEachOnce(ticks: readonly ScheduleTick[]): void {
  const covered = ticks.flatMap(({ at, until = at }) =>
    Array.from({ length: (until - at) / SECOND + 1 }, (_, i) => at + i * SECOND),
  );
  expect(covered).toEqual(covered.map((_, i) => (covered[0] ?? 0) + i * SECOND));
}

/** Each tick that was run has one first attempt, one completed run, and no two methods ran at once. */
function expectRuns({ ticks, records }: { ticks: readonly ScheduleTick[]; records: readonly RunRecord[] }): void {
  const run = ticks.filter(({ outcome }) => outcome === "run").map(({ at }) => at);
  const done = records.filter(isCompleted);
  expect(done.map(({ tick }) => tick)).toEqual(run);
  expectNoneAtOnce(done);
}

function expectNoneAtOnce(records: readonly RunRecord[]): void {
  const spans = records.map(({ result }) => result as { readonly began: number; readonly ended: number });
  spans.sort((a, b) => a.began - b.began);
  for (const [i, { began }] of spans.entries()) {
    if (i > 0) expect(began).toBeGreaterThanOrEqual(spans[i - 1]?.ended ?? Number.NaN);
  }
}

/** Waits until no run is active and none is pending, although no replica lives. */
async function settled(manager: JobManager): Promise<void> {
  await vi.waitUntil(async () => (await manager.heldLocks()).length === 0, PATIENCE);
  expect(await manager.retries()).toEqual([]);
}

it.concurrent.for(["express", "fastify"])(
  "a CommonJS application requires the package, on %s",
  async (platform, { onTestFinished }) => {
    const path = fileURLToPath(new URL("../packages/nestjs/src/testing/application.cjs", import.meta.url));
    const args = [...jsArgs(), path, platform, `sqlite:${join(temporaryFolder(onTestFinished), "ojm.db")}`];
    const process = spawn(execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const { ended, output } = watchChild(process, onTestFinished);
    expect([await ended, output]).toEqual([0, { stdout: "done\n", stderr: "" }]);
  },
);

const STORES = ["sqlite, one file", "redis"] as const;

onSharedStores({ only: STORES, first: ["sqlite, one file"], sideBySide: true }, (create) => {
  it.sequential("of three replicas of a Nest application, one runs each tick, and each runs its timeout, one at a time", async (context) => {
    const { manager, replica } = await fleetOn(create, context);
    const replicas = await three(replica);
    await completed(manager, 3);
    await completed(manager, 3, "Tasks.start");
    await Promise.all(replicas.map(end));
    await settled(manager);
    const found = await look(manager);
    expectEachOnce(found.ticks);
    expectRuns(found);
    const starts = await recordsOf(manager, "Tasks.start");
    expect(new Set(starts.map(({ holder }) => holder.pid))).toEqual(new Set(replicas.map((one) => one.process.pid)));
    expectNoneAtOnce(starts);
    const intervals = await look(manager, "Tasks.each");
    expectEachOnce(intervals.ticks);
    expect(new Set(intervals.records.map(({ tick }) => tick)).size).toBe(intervals.records.length);
    await manager.close();
  });

  it.sequential("a rolling deploy of a Nest application loses no tick, and runs none twice", {
    tags: ["full"],
  }, async (context) => {
    const { manager, replica } = await fleetOn(create, context);
    const replicas = await three(() => replica(EACH_SECOND, 400));
    for (const old of replicas.splice(0)) {
      const [fresh] = await Promise.all([replica(EACH_SECOND, 400), completedMore(manager, 1)]);
      replicas.push(fresh);
      await end(old);
    }
    await completedMore(manager, 1);
    await using scheduler = openScheduler(manager);
    await scheduler.pause("tick", { reason: "the test is over" });
    const isRunning = async (): Promise<boolean> =>
      (await manager.retries()).length > 0 || (await manager.heldLocks()).some(({ name }) => name === "tick");
    await vi.waitUntil(async () => !(await isRunning()), PATIENCE);
    await Promise.all(replicas.map(end));
    const found = await look(manager);
    expectEachOnce(found.ticks);
    expectRuns(found);
    await manager.close();
  });

  it("a tick whose replica of a Nest application is killed in the middle is run again by another one", {
    tags: ["full"],
  }, async (context) => {
    const { manager, replica } = await fleetOn(create, context);
    const replicas = await three(() => replica(EACH_SECOND, 700));
    const busy = async (): Promise<number> =>
      (await manager.heldLocks()).find(({ name }) => name === "tick")?.holder.pid ?? 0;
    const lostRun = async (): Promise<RunRecord | undefined> =>
      (await recordsOf(manager)).find(({ status }) => status === "lost");
    let lost: RunRecord | undefined;
    while (lost === undefined) {
      const pid = await vi.waitUntil(busy, PATIENCE);
      const victim = replicas.find(({ process }) => process.pid === pid);
      if (victim === undefined) continue;
      victim.process.kill("SIGKILL");
      await victim.ended;
      replicas.splice(replicas.indexOf(victim), 1);
      await manager.sweep();
      lost = await lostRun();
      // The run ended between the check of its process and the kill.
      if (lost === undefined) replicas.push(await replica(EACH_SECOND, 700));
    }
    const isAgain = (record: RunRecord): boolean => record.tick === lost.tick && isCompleted(record);
    await vi.waitUntil(async () => (await recordsOf(manager)).some(isAgain), PATIENCE);
    await completedMore(manager, 1);
    await Promise.all(replicas.map(end));
    const found = await look(manager);
    expectEachOnce(found.ticks);
    const again = found.records.filter(isAgain);
    expect(again).toHaveLength(1);
    expect(again[0]?.attempt).toBeGreaterThan(1);
    expect(again[0]?.holder.pid).not.toBe(lost.holder.pid);
    await manager.close();
  });

  it("if half of the replicas of a Nest application have a new expression, they alone run its ticks", {
    tags: ["full"],
  }, async (context) => {
    const { manager, replica } = await fleetOn(create, context);
    const old = await Promise.all([replica("*/2 * * * * *"), replica("*/2 * * * * *")]);
    await completed(manager, 1);
    const next = await Promise.all([replica(), replica()]);
    await completedMore(manager, 3);
    for (const { output } of old) await vi.waitUntil(() => output.stderr.includes("OJM_SCHEDULE"), PATIENCE);
    await Promise.all(next.map(end));
    const { ticks, records } = await look(manager);
    const changed = ticks.filter(({ revision }) => revision === 2);
    expect(changed.length).toBeGreaterThanOrEqual(2);
    expectEachOnce(changed);
    const before = ticks.filter(({ revision }) => revision === 1);
    expect(before.map(({ at }) => at % (2 * SECOND))).toEqual(before.map(() => 0));
    const pids = new Set(next.map(({ process }) => process.pid));
    for (const { at, run } of changed) {
      const [record, ...others] = records.filter(({ tick }) => tick === at);
      expect([record?.id, others]).toEqual([run, []]);
      expect(pids).toContain(record?.holder.pid);
    }
    for (const { process } of old) process.kill("SIGTERM");
    await manager.close();
  });
});
