/** Replicas with tasks of node-cron that share a store. */
import { type JobManager, type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { expect, it } from "vitest";
import { collect } from "../packages/core/src/testing/settle.js";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

/** A replica, and the runs that it has begun: the name of the task and the tick. */
interface Replica extends Child {
  readonly began: string[];
}

type Tasks = Readonly<Record<string, { readonly cron: string; readonly takes: number }>>;

const EACH_SECOND: Tasks = { report: { cron: "* * * * * *", takes: 50 } };

async function begin(options: JobManagerOptions, tasks: Tasks = EACH_SECOND): Promise<Replica> {
  const child = startChild("schedule/node-cron.child.ts", [JSON.stringify(options), JSON.stringify(tasks)]);
  const began: string[] = [];
  child.process.on("message", (text) => void (text === "ready" || began.push(String(text))));
  expect(await child.message()).toBe("ready");
  return { ...child, began };
}

async function stop(replicas: readonly Replica[]): Promise<void> {
  for (const { process } of replicas) process.kill("SIGTERM");
  for (const { ended, output } of replicas) expect([await ended, output.stderr]).toEqual([0, ""]);
}

/** The outcomes of the ticks and the records, oldest first. */
async function look(manager: JobManager): Promise<{ readonly ticks: ScheduleTick[]; readonly records: RunRecord[] }> {
  await using scheduler = openScheduler(manager);
  const ticks = (await collect(scheduler.ticks("report"))).reverse();
  return { ticks, records: (await collect(manager.history({ name: "report" }))).reverse() };
}

const tickOf = ({ meta }: RunRecord): unknown => meta?.["tick"];
const iso = (at: number): string => new Date(at).toISOString();

/** Waits until this many more ticks have run than now. */
async function untilMore(manager: JobManager, count: number): Promise<void> {
  const ran = async (): Promise<number> =>
    (await look(manager)).records.filter(({ status }) => status === "completed").length;
  const before = await ran();
  await expect.poll(ran).toBeGreaterThanOrEqual(before + count);
}

/** Each tick that was run has one record, and was begun by one replica. No two runs overlap. */
function expectEachOnce({ ticks, records }: Awaited<ReturnType<typeof look>>, replicas: readonly Replica[]): void {
  const run = ticks.filter(({ outcome }) => outcome === "run");
  expect(records.map((record) => [record.id, tickOf(record)])).toEqual(run.map(({ run: id, at }) => [id, iso(at)]));
  const begun = replicas.flatMap(({ began }) => began).sort();
  expect(begun).toEqual(run.map(({ at }) => `report ${iso(at)}`));
  const bodies = records.filter(({ status }) => status === "completed").map(({ result }) => result);
  for (const [i, body] of bodies.entries()) {
    const { began } = body as { readonly began: number };
    if (i > 0) expect(began).toBeGreaterThanOrEqual((bodies[i - 1] as { readonly ended: number }).ended);
  }
}

onSharedStores({ only: ["sqlite, one file", "redis"] }, (create) => {
  it("of three replicas, one runs each tick", async () => {
    const options = await create();
    const replicas = await Promise.all([begin(options), begin(options), begin(options)]);
    await using manager = await openJobManager(options);
    await untilMore(manager, 3);
    await stop(replicas);
    const found = await look(manager);
    expect(found.ticks.length).toBeGreaterThanOrEqual(3);
    expect(new Set(found.records.map(({ status }) => status))).toEqual(new Set(["completed"]));
    expectEachOnce(found, replicas);
  });

  it("after a replica is killed in the middle of a run, another one runs the next ticks", {
    tags: ["full"],
  }, async () => {
    // Waiting for the end of the session would take longer than this test may take.
    const options = { ...(await create()), ttl: 3_600_000 };
    const tasks = { report: { cron: "* * * * * *", takes: 3_000 } };
    const replicas = await Promise.all([begin(options, tasks), begin(options, tasks), begin(options, tasks)]);
    await using manager = await openJobManager(options);
    const busy = async (): Promise<Replica | undefined> => {
      const [held] = await manager.heldLocks();
      return replicas.find((one) => one.process.pid === held?.holder.pid && one.began.length > 0);
    };
    await expect.poll(busy).toBeDefined();
    const victim = (await busy()) ?? (replicas[0] as Replica);
    victim.process.kill("SIGKILL");
    await victim.ended;
    const others = replicas.filter((one) => one !== victim);
    await untilMore(manager, 2);
    await stop(others);
    const { ticks, records } = await look(manager);
    const lost = records.filter(({ status }) => status === "lost");
    expect(lost.map(({ holder }) => holder.pid)).toEqual([victim.process.pid]);
    expectEachOnce({ ticks, records }, replicas);
    // The ticks during a run have an outcome, and its reason names the run.
    const skipped = ticks.filter(({ outcome }) => outcome === "skipped");
    expect(skipped.length).toBeGreaterThan(0);
    const ids = new Set(records.map(({ id }) => id));
    for (const { reason, evidence } of skipped)
      expect([reason, ids.has(String(evidence?.["run"]))]).toEqual(["overlap", true]);
  });

  it("a rolling deploy runs each tick once, and interrupts no run", { tags: ["full"] }, async () => {
    const options = await create();
    const tasks = { report: { cron: "* * * * * *", takes: 300 } };
    const old = await Promise.all([begin(options, tasks), begin(options, tasks), begin(options, tasks)]);
    await using manager = await openJobManager(options);
    const fresh: Replica[] = [];
    for (const one of old) {
      await untilMore(manager, 1);
      fresh.push(await begin(options, tasks));
      await stop([one]);
    }
    await untilMore(manager, 2);
    await stop(fresh);
    const found = await look(manager);
    expect(new Set(found.records.map(({ status }) => status))).toEqual(new Set(["completed"]));
    expectEachOnce(found, [...old, ...fresh]);
    expect(fresh.some(({ began }) => began.length > 0)).toBe(true);
  });

  it("with two expressions in the fleet, each tick of either runs once", { tags: ["full"] }, async () => {
    const options = await create();
    const of = (cron: string): Tasks => ({ report: { cron, takes: 50 } });
    const [two, three] = ["*/2 * * * * *", "*/3 * * * * *"];
    const replicas = await Promise.all([begin(options, of(two)), begin(options, of(two)), begin(options, of(three))]);
    await using manager = await openJobManager(options);
    const expressions = async (): Promise<number> =>
      new Set((await look(manager)).records.map(({ meta }) => meta?.["cron"])).size;
    await expect.poll(expressions).toBe(2);
    // A common tick, such as that of second 0, is due in all replicas.
    const common = async (): Promise<boolean> =>
      (await look(manager)).ticks.some(({ at, outcome }) => at % 6_000 === 0 && outcome === "run");
    await expect.poll(common).toBe(true);
    await stop(replicas);
    const found = await look(manager);
    expectEachOnce(found, replicas);
    expect(found.records.every(({ meta }) => [two, three].includes(String(meta?.["cron"])))).toBe(true);
  });
});
