/** Three replicas of a Nest application, in processes of their own. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type JobManager, type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { temporaryFolder } from "@ojm/testing/folder";
import { jsArgs } from "@ojm/testing/programs";
import { expect, it, vi } from "vitest";
import { collect } from "../packages/core/src/testing/settle.js";
import { type Child, startChild, watchChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

const SECOND = 1_000;
const EACH_SECOND = "* * * * * *";
/** How long it may take until others have found out that a process was killed, in ms. */
const PATIENCE = { timeout: 90_000, interval: 50 };

interface Fleet {
  readonly manager: JobManager;
  /** Starts a replica. */
  readonly replica: (expression?: string, takes?: number) => Promise<Child>;
}

async function fleetOn(options: JobManagerOptions): Promise<Fleet> {
  const { file, url } = options.chLocks?.args ?? {};
  const store = typeof url === "string" ? url : `sqlite:${String(file)}`;
  const replica: Fleet["replica"] = async (expression = EACH_SECOND, takes = 20) => {
    const child = startChild("../../../packages/nestjs/src/testing/app.child.ts", [store, expression, String(takes)]);
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

/** The outcomes and the records of a job, oldest first. */
async function look(manager: JobManager, name = "tick"): Promise<{ ticks: ScheduleTick[]; records: RunRecord[] }> {
  await using scheduler = openScheduler(manager);
  const ticks = (await collect(scheduler.ticks(name))).filter(({ outcome }) => outcome !== "waiting").reverse();
  return { ticks, records: (await collect(manager.history({ name }))).reverse() };
}

/** Waits until a job has this many completed runs. */
async function completed(manager: JobManager, count: number, name = "tick"): Promise<void> {
  const found = async (): Promise<number> =>
    (await look(manager, name)).records.filter(({ status }) => status === "completed").length;
  await expect.poll(found, PATIENCE).toBeGreaterThanOrEqual(count);
}

/** Each tick has one outcome, from the first one to the last. */
function expectEachOnce(ticks: readonly ScheduleTick[], every = SECOND): void {
  const covered = ticks.flatMap(({ at, until = at }) =>
    Array.from({ length: (until - at) / every + 1 }, (_, i) => at + i * every),
  );
  expect(covered).toEqual(covered.map((_, i) => (covered[0] ?? 0) + i * every));
}

/** Each tick that was run has one first attempt, one completed run, and no two methods ran at once. */
function expectRuns({ ticks, records }: { ticks: readonly ScheduleTick[]; records: readonly RunRecord[] }): void {
  const run = ticks.filter(({ outcome }) => outcome === "run").map(({ at }) => at);
  const done = records.filter(({ status }) => status === "completed");
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
  await expect.poll(() => manager.heldLocks(), PATIENCE).toEqual([]);
  expect(await manager.retries()).toEqual([]);
}

it.each(["express", "fastify"])("a CommonJS application requires the package, on %s", async (platform) => {
  const path = fileURLToPath(new URL("../packages/nestjs/src/testing/application.cjs", import.meta.url));
  const args = [...jsArgs(), path, platform, `sqlite:${join(temporaryFolder(), "ojm.db")}`];
  const child = watchChild(spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] }));
  expect([await child.ended, child.output]).toEqual([0, { stdout: "done\n", stderr: "" }]);
});

onSharedStores({ only: ["sqlite, one file", "redis"], first: ["sqlite, one file"] }, (create) => {
  it("of three replicas of a Nest application, one runs each tick, and each runs its timeout, one at a time", async () => {
    const { manager, replica } = await fleetOn(await create());
    const replicas = await three(replica);
    await completed(manager, 3);
    await completed(manager, 3, "Tasks.start");
    await Promise.all(replicas.map(end));
    await settled(manager);
    const found = await look(manager);
    expectEachOnce(found.ticks);
    expectRuns(found);
    const starts = (await look(manager, "Tasks.start")).records;
    expect(new Set(starts.map(({ holder }) => holder.pid))).toEqual(new Set(replicas.map((one) => one.process.pid)));
    expectNoneAtOnce(starts);
    const intervals = await look(manager, "Tasks.each");
    expectEachOnce(intervals.ticks);
    expect(new Set(intervals.records.map(({ tick }) => tick)).size).toBe(intervals.records.length);
    await manager.close();
  });

  it("a tick whose replica of a Nest application is killed in the middle is run again by another one", {
    tags: ["full"],
  }, async () => {
    const { manager, replica } = await fleetOn(await create());
    const replicas = await three(() => replica(EACH_SECOND, 700));
    const busy = async (): Promise<number> =>
      (await manager.heldLocks()).find(({ name }) => name === "tick")?.holder.pid ?? 0;
    const wasLost = async (): Promise<boolean> => (await look(manager)).records.some(({ status }) => status === "lost");
    for (;;) {
      const pid = await vi.waitUntil(busy, PATIENCE);
      const victim = replicas.find(({ process }) => process.pid === pid);
      if (victim === undefined) continue;
      victim.process.kill("SIGKILL");
      await victim.ended;
      replicas.splice(replicas.indexOf(victim), 1);
      await manager.sweep();
      if (await wasLost()) break;
      // The run ended between the check of its process and the kill.
      replicas.push(await replica(EACH_SECOND, 700));
    }
    const { records } = await look(manager);
    const lost = records.find(({ status }) => status === "lost");
    await completed(manager, records.length + 2);
    await Promise.all(replicas.map(end));
    const found = await look(manager);
    expectEachOnce(found.ticks);
    const again = found.records.filter(({ tick, status }) => tick === lost?.tick && status === "completed");
    expect(again).toHaveLength(1);
    expect(again[0]?.attempt).toBeGreaterThan(1);
    expect(again[0]?.holder.pid).not.toBe(lost?.holder.pid);
    await manager.close();
  });

  it("a rolling deploy of a Nest application loses no tick, and runs none twice", { tags: ["full"] }, async () => {
    const { manager, replica } = await fleetOn(await create());
    const replicas = await three(() => replica(EACH_SECOND, 400));
    await completed(manager, 1);
    for (const old of replicas.splice(0)) {
      replicas.push(await replica(EACH_SECOND, 400));
      await end(old);
      const { records } = await look(manager);
      await completed(manager, records.filter(({ status }) => status === "completed").length + 1);
    }
    await using scheduler = openScheduler(manager);
    await scheduler.pause("tick", { reason: "the test is over" });
    const open = async (): Promise<unknown[]> => [
      ...(await manager.retries()),
      ...(await manager.heldLocks()).filter(({ name }) => name === "tick"),
    ];
    await expect.poll(open, PATIENCE).toEqual([]);
    await Promise.all(replicas.map(end));
    const found = await look(manager);
    expectEachOnce(found.ticks);
    expectRuns(found);
    await manager.close();
  });

  it("if half of the replicas of a Nest application have a new expression, they alone run its ticks", {
    tags: ["full"],
  }, async () => {
    const { manager, replica } = await fleetOn(await create());
    const old = await Promise.all([replica(), replica()]);
    await completed(manager, 2);
    const next = await Promise.all([replica("*/2 * * * * *"), replica("*/2 * * * * *")]);
    await completed(manager, (await look(manager)).records.length + 2);
    for (const { output } of old) await expect.poll(() => output.stderr, PATIENCE).toContain("OJM_SCHEDULE");
    await Promise.all(next.map(end));
    const { ticks, records } = await look(manager);
    const changed = ticks.filter(({ revision }) => revision === 2);
    expect(changed.length).toBeGreaterThanOrEqual(2);
    expectEachOnce(changed, 2 * SECOND);
    expect(changed.map(({ at }) => at % (2 * SECOND))).toEqual(changed.map(() => 0));
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
