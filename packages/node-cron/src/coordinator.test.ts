/** One process. test/node-cron.test.ts has three, which are killed and replaced. */
import { type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { temporaryFolder } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import newest, { type NodeCron, type TaskContext } from "node-cron";
import lowest from "node-cron-4.4";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type OjmCoordinator, ojmCoordinator } from "./coordinator.js";

const EACH_SECOND = "* * * * * *";
const LOGGER = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
const at = (time: string): string => `report:2030-01-01T${time}.000Z`;

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.unshift(item);
  return all;
}

/** The records and the outcomes of the ticks, oldest first. */
const recordsOf = (manager: JobManager): Promise<RunRecord[]> => collect(manager.history({ name: "report" }));

async function ticksOf(manager: JobManager): Promise<ScheduleTick[]> {
  await using scheduler = openScheduler(manager);
  return collect(scheduler.ticks("report"));
}

// A version of node-cron has no types that differ from those of another one.
describe.each([
  ["the newest", newest],
  ["the lowest", lowest as unknown as NodeCron],
])("with %s node-cron", (_, cron) => {
  let manager: JobManager;
  let coordinator: OjmCoordinator;

  beforeEach(async () => {
    manager = await openJobManager(`sqlite:${temporaryFolder()}/ojm.db`);
    coordinator = ojmCoordinator(manager, cron);
    cron.setRunCoordinator(coordinator);
    cron.setLogger(LOGGER);
  });

  afterEach(async () => {
    for (const task of [...cron.getTasks().values()]) await task.destroy();
    cron.setRunCoordinator(undefined);
    await coordinator.close();
    await manager.close();
  });

  /** Runs a task at its next tick. Resolves once node-cron is done with it. */
  async function runOnce(body: (context: TaskContext) => unknown): Promise<TaskContext> {
    const task = cron.schedule(EACH_SECOND, body, { name: "report", distributed: true, maxExecutions: 1 });
    const context = await new Promise<TaskContext>((resolve) => {
      task.once("execution:finished", resolve);
      task.once("execution:failed", resolve);
    });
    await expect.poll(() => coordinator.runOf(context)).toBeUndefined();
    return context;
  }

  it("a task that returns leaves a completed run with its result, its tick and its expression", async () => {
    const { date } = await runOnce(() => "42 rows");
    const tick = date.toISOString();
    const [record] = await recordsOf(manager);
    expect(record).toMatchObject({ status: "completed", result: "42 rows", trigger: "node-cron" });
    expect(record?.meta).toEqual({ tick, cron: EACH_SECOND });
    expect(await ticksOf(manager)).toMatchObject([{ at: date.getTime(), outcome: "run", run: record?.id }]);
  });

  it("a task that throws leaves a failed run with its error", async () => {
    await runOnce(() => Promise.reject(new Error("no route")));
    expect(await recordsOf(manager)).toMatchObject([{ status: "failed", error: "no route" }]);
  });

  it("runOf has the run of the task while it runs: its signal fires on a cancel", async () => {
    let cancelled: Promise<unknown> | undefined;
    await runOnce(async (context) => {
      const run = coordinator.runOf(context);
      expect(run?.name).toBe("report");
      const fired = new Promise((resolve) => run?.signal.addEventListener("abort", resolve));
      cancelled = manager.cancel("report", { reason: "by hand" });
      await fired;
    });
    await cancelled;
    expect(await recordsOf(manager)).toMatchObject([{ status: "cancelled", endedBy: { reason: "by hand" } }]);
  });

  it("of two tasks with one name, one runs each tick, and the other one is not elected", async () => {
    const [runs, skipped]: [string[], unknown[]] = [[], []];
    const options = { name: "report", distributed: true };
    const tasks = [1, 2].map(() =>
      cron.schedule(EACH_SECOND, ({ date }) => void runs.push(date.toISOString()), options),
    );
    for (const task of tasks) task.on("execution:skipped", ({ reason }) => void skipped.push(reason));
    await expect.poll(() => runs.length).toBeGreaterThanOrEqual(3);
    await Promise.all(tasks.map((task) => task.stop()));
    expect(new Set(runs).size).toBe(runs.length);
    expect(new Set(skipped)).toEqual(new Set(["not-elected"]));
  });
});

describe("the coordinator", () => {
  let manager: JobManager;
  let coordinator: OjmCoordinator;

  beforeEach(async () => {
    manager = await openJobManager(`sqlite:${temporaryFolder()}/ojm.db`);
    coordinator = ojmCoordinator(manager, newest, { timeout: "1h" });
    newest.setLogger(LOGGER);
    onTestFinished(async () => {
      for (const task of [...newest.getTasks().values()]) await task.destroy();
      await coordinator.close({ grace: 0 });
      await manager.close();
    });
  });

  it("a tick that comes due during the run of the previous one is skipped, and names that run", async () => {
    expect(await coordinator.shouldRun(at("02:00:00"))).toBe(true);
    expect(await coordinator.shouldRun(at("02:01:00"))).toBe(false);
    await coordinator.onComplete(at("02:00:00"));
    expect(await coordinator.shouldRun(at("02:01:00"))).toBe(false);
    expect(await coordinator.shouldRun(at("02:02:00"))).toBe(true);
    await coordinator.onComplete(at("02:02:00"));
    const [first, second] = await ticksOf(manager);
    expect(second).toMatchObject({ outcome: "skipped", reason: "overlap", evidence: { run: first?.run } });
  });

  it("a hold by a person skips the ticks, with the reason", async () => {
    await manager.hold("report", { reason: "the disk is full", author: "ana" });
    expect(await coordinator.shouldRun(at("02:00:00"))).toBe(false);
    expect(await ticksOf(manager)).toMatchObject([{ outcome: "skipped", evidence: { hold: { author: "ana" } } }]);
  });

  it("a name with colons is a name, and a key of another form is rejected", async () => {
    expect(await coordinator.shouldRun("a:b:2030-01-01T02:00:00.000Z")).toBe(true);
    await coordinator.onComplete("a:b:2030-01-01T02:00:00.000Z");
    expect(await collect(manager.history({ name: "a:b" }))).toHaveLength(1);
    for (const key of ["report", "report:yesterday", ":2030-01-01T02:00:00.000Z", "a:2030-99-01T02:00:00.000Z"])
      await expect(coordinator.shouldRun(key)).rejects.toThrow("is not the key of a tick of node-cron");
  });

  it("a run that is over before its task has ended is reported to node-cron", async () => {
    const short = ojmCoordinator(manager, newest, { timeout: 1_000 });
    expect(await short.shouldRun(at("02:00:00"))).toBe(true);
    await expect.poll(async () => (await recordsOf(manager))[0]?.status).toBe("timeout");
    await expect(short.onComplete(at("02:00:00"))).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  it("after its close no run starts, and an active one is signalled and keeps its lock until its task ends", async () => {
    expect(await coordinator.shouldRun(at("02:00:00"))).toBe(true);
    const date = new Date("2030-01-01T02:00:00Z");
    const run = coordinator.runOf({ date, task: { name: "report" } } as TaskContext);
    const closed = coordinator.close({ grace: "1m" });
    expect(await coordinator.shouldRun(at("02:01:00"))).toBe(false);
    await expect.poll(() => run?.signal.aborted).toBe(true);
    expect(await manager.heldLocks()).toMatchObject([{ name: "report" }]);
    await coordinator.onComplete(at("02:00:00"));
    await closed;
    expect(await recordsOf(manager)).toMatchObject([{ status: "completed" }]);
    expect(await ticksOf(manager)).toHaveLength(1);
  });

  it("a run whose task does not begin fails, and frees its lock", { tags: ["full"] }, async () => {
    const options = { name: "report", distributed: true, runCoordinator: coordinator };
    newest.createTask("0 2 * * *", () => {}, options);
    expect(await coordinator.shouldRun(at("02:00:00"))).toBe(true);
    await expect.poll(() => manager.heldLocks()).toEqual([]);
    expect(await recordsOf(manager)).toMatchObject([{ status: "failed", error: /did not begin/ }]);
  });

  it("a background task runs in its own process, and its death fails the run", { tags: ["full"] }, async () => {
    const file = new URL("./testing/background.mjs", import.meta.url).href;
    const options = { name: "report", distributed: true, runCoordinator: coordinator };
    const task = newest.createTask(EACH_SECOND, file, options);
    await task.start();
    await expect.poll(async () => (await recordsOf(manager)).map(({ status }) => status)).toContain("failed");
    expect(await recordsOf(manager)).toMatchObject([{ status: "failed" }]);
    await expect.poll(() => manager.heldLocks()).toEqual([]);
  });
});

const missing = whyMissing("redis-server");

it.skipIf(missing !== undefined)(
  "a tick is not run while the store is away, and is recorded once it is back",
  async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const channel = { type: "redis", args: { url: server.url, deadline: 500 } };
    const manager = await openJobManager({ chJobs: channel, chLocks: channel });
    const coordinator = ojmCoordinator(manager, newest);
    onTestFinished(async () => {
      await coordinator.close({ grace: 0 });
      await manager.close();
    });
    expect(await coordinator.shouldRun(at("02:00:00"))).toBe(true);
    await coordinator.onComplete(at("02:00:00"));
    // Redis saves its content: the ticks before the outage stay.
    await server.command("SAVE");
    await server.kill();
    const text = /^the tick of 2030-01-01T02:01:00.000Z of "report" is not run by this process: /;
    await expect(coordinator.shouldRun(at("02:01:00"))).rejects.toThrow(text);
    await server.start();
    const again = async (): Promise<boolean> => coordinator.shouldRun(at("02:02:00")).catch(() => false);
    await expect.poll(again).toBe(true);
    await coordinator.onComplete(at("02:02:00"));
    await expect
      .poll(async () => (await ticksOf(manager)).map(({ outcome, reason }) => [outcome, reason]))
      .toEqual([
        ["run", undefined],
        ["missed", "policy"],
        ["run", undefined],
      ]);
  },
);
