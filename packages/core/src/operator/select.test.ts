import { beforeEach, describe, expect, test } from "vitest";
import type { HistoryOptions, RunRecord } from "../jobs/types.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";

const MINUTE = 60_000;

let world: World;

beforeEach(() => {
  world = new World();
});

const told = ({ name, status }: RunRecord): string => `${name} ${status}`;

/** Runs of each status, one ms apart; the newest is last. */
async function runAll({ manager }: ManagerOf): Promise<void> {
  const { clock } = world;
  const fail = (name: string): Promise<unknown> =>
    clock.until(rejection(manager.run(name, () => Promise.reject(new Error("no")))));
  await fail("a");
  await clock.advance(1);
  await clock.until(manager.run("a", () => {}, { meta: { customer: "x", size: { rows: 3 } } }));
  await clock.advance(1);
  await clock.until((await clock.until(manager.start("b"))).skip("nothing to do"));
  await clock.advance(1);
  await clock.until((await clock.until(manager.start("b", { meta: { customer: "y" } }))).cancel("no"));
  await clock.advance(1);
  await fail("b");
  await clock.until(manager.start("a"));
}

describe.each([
  { how: "by the index", across: true },
  { how: "name by name", across: false },
])("a history that is read $how", ({ across }) => {
  let one: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ chJobs: { backend: await world.way({ commitAcrossChannels: across }) } });
  });

  const history = async (options: HistoryOptions): Promise<RunRecord[]> =>
    world.clock.until(collect(one.manager.history(options)));

  test("shows the runs of the requested statuses", async () => {
    await runAll(one);
    const shown = async (options: HistoryOptions): Promise<string[]> => (await history(options)).map(told);
    expect(await shown({ status: "failed" })).toEqual(["b failed", "a failed"]);
    expect(await shown({ status: ["cancelled", "failed"] })).toEqual(["b failed", "b cancelled", "a failed"]);
    expect(await shown({ status: ["cancelled", "failed"], limit: 2 })).toEqual(["b failed", "b cancelled"]);
    expect(await shown({ status: ["cancelled", "failed"], name: "a" })).toEqual(["a failed"]);
    expect(await shown({ status: ["skipped", "failed"] })).toEqual(["b failed", "b skipped", "a failed"]);
    expect(await shown({ status: "running" })).toEqual(["a running"]);
    expect(await shown({ status: "timeout" })).toEqual([]);
    expect(await shown({ status: [] })).toEqual([]);
    const [newest] = await history({ status: "failed" });
    const to = newest?.startTime ?? 0;
    expect(await shown({ status: "failed", to })).toEqual(["a failed"]);
    expect(await shown({ status: "failed", from: to })).toEqual(["b failed"]);
    expect(await shown({ status: "failed", name: ["a", "c"] })).toEqual(["a failed"]);
  });

  test("shows the runs whose meta is as asked", async () => {
    await runAll(one);
    const shown = async (meta: HistoryOptions["meta"] & object): Promise<string[]> =>
      (await history({ meta })).map(told);
    expect(await shown({ customer: "x" })).toEqual(["a completed"]);
    expect(await shown({ size: { rows: 3 }, customer: "x" })).toEqual(["a completed"]);
    expect(await shown({ size: { rows: 4 } })).toEqual([]);
    expect(await shown({ toString: "x" })).toEqual([]);
    expect((await history({ meta: { customer: "y" }, status: "cancelled" })).map(told)).toEqual(["b cancelled"]);
  });

  test("page after page shows each run once, also those that began at the same time", async () => {
    for (const name of ["a", "ab", "b", "A", "c"]) {
      for (let i = 0; i < 2; i++) await world.clock.until(one.manager.run(name, () => {}));
    }
    await world.clock.advance(MINUTE);
    for (const name of ["b", "c"]) {
      await world.clock.until(rejection(one.manager.run(name, () => Promise.reject(new Error("no")))));
    }
    const pageByPage = async (options: HistoryOptions, by: "id" | "record"): Promise<string[]> => {
      const ids: string[] = [];
      let before: RunRecord | undefined;
      for (;;) {
        const more = before === undefined ? {} : { before: by === "id" ? before.id : before };
        const page = await history({ ...options, ...more, limit: 1 });
        if (page[0] === undefined) return ids;
        [before] = page;
        ids.push(page[0].id);
      }
    };
    for (const options of [
      {},
      { name: "b" },
      { name: ["c", "a", "A", "a"] },
      { status: "failed" },
      { to: world.clock.now() - 1 },
    ] as const) {
      const whole = (await history(options)).map(({ id }) => id);
      expect(whole.length).toBeGreaterThan(1);
      expect(await pageByPage(options, "id")).toEqual(whole);
      expect(await pageByPage(options, "record")).toEqual(whole);
    }
  });
});

test("many runs that went well cost nothing to one who looks for those that failed", async () => {
  const one = await world.manager();
  await world.clock.until(rejection(one.manager.run("a", () => Promise.reject(new Error("no")))));
  for (let i = 0; i < 300; i++) await world.clock.until(one.manager.run(`fine ${i}`, () => {}));
  const reads = one.jobsWay.reads;
  expect((await collect(one.manager.history({ status: "failed", limit: 10 }))).map(told)).toEqual(["a failed"]);
  expect(one.jobsWay.reads - reads).toBeLessThan(5);
});

test("a history refuses what it cannot look for", async () => {
  const one = await world.manager();
  const refusal = async (options: object): Promise<string> =>
    ((await rejection(collect(one.manager.history(options)))) as Error).message;
  expect(await refusal({ status: "fialed" })).toMatch(/status is one of .*failed.*not the text "fialed"/);
  expect(await refusal({ before: "a" })).toMatch(/before is the id of a run/);
  expect(await refusal({ before: {} })).toMatch(/before is the id of a run/);
});

test("a prune of failed runs with logs fits into the commits of the store", async () => {
  const one = await world.manager({ supports: { maxOps: 13 } });
  for (let i = 0; i < 7; i++) {
    const body = (run: { readonly log: { info(text: string): void } }): never => {
      run.log.info("x");
      throw new Error("no");
    };
    await world.clock.until(rejection(one.manager.run("a", body)));
    await world.clock.advance(MINUTE);
  }
  expect(await world.clock.until(one.manager.prune({ olderThan: 0 }))).toEqual({ removed: 7 });
  expect(await collect(one.manager.history({ status: "failed" }))).toEqual([]);
  expect(await collect(one.manager.failedRuns())).toEqual([]);
});
