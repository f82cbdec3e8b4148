import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import type { Run } from "./types.js";

let world: World;
let clock: FakeClock;
let one: ManagerOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.manager();
});

const statuses = async ({ manager }: ManagerOf, name?: string): Promise<string[]> =>
  (await clock.until(collect(manager.history(name === undefined ? {} : { name })))).map(({ status }) => status);

const BODIES: readonly (readonly [string, (run: Run) => unknown])[] = [
  ["completed", () => "done"],
  ["skipped", (run) => run.skip("nothing to do")],
  ["failed", () => Promise.reject(new Error("no"))],
  ["cancelled", (run) => run.cancel("enough")],
];

describe.each([
  ["all", ["completed", "skipped", "failed", "cancelled"]],
  ["failed", ["failed", "cancelled"]],
  ["none", []],
] as const)("runs with the records: %s", (record, kept) => {
  test("keep those records, under their name and in the index of all names", async () => {
    for (const [, body] of BODIES) await clock.until(one.manager.run("a", body, { record }).catch(() => {}));
    expect((await statuses(one, "a")).toSorted()).toEqual([...kept].toSorted());
    expect((await statuses(one)).toSorted()).toEqual([...kept].toSorted());
    const failed = await clock.until(collect(one.manager.history({ status: "failed" })));
    expect(failed).toHaveLength(record === "none" ? 0 : 1);
    expect(await clock.until(one.manager.heldLocks())).toEqual([]);
  });

  test("have a record while they are open, and can be cancelled by their id", async () => {
    const run = await clock.until(one.manager.start("a", { record }));
    const two = await world.manager();
    run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
    expect(await statuses(two, "a")).toEqual(["running"]);
    const cancelled = await clock.until(two.manager.cancel(run.id, { reason: "enough" }));
    expect(cancelled).toMatchObject({ requested: true, ended: true });
  });

  test("end once if the answer of their end is lost", async () => {
    const run = await clock.until(one.manager.start("a", { record }));
    one.way.once('["lock "a', { type: "reply lost" });
    expect(await clock.until(run.end("done"))).toMatchObject({ status: "completed", result: "done" });
    expect(await statuses(one, "a")).toEqual(record === "all" ? ["completed"] : []);
  });

  test("keep the record of an end that another process wrote, also in the index of all names", async () => {
    const run = await clock.until(one.manager.start("a", { record }));
    const two = await world.manager();
    await clock.until(two.manager.unlock("a", { reason: "it hangs" }));
    expect(await clock.until(rejection(run.end()))).toMatchObject({ code: "LOST" });
    expect(await statuses(two, "a")).toEqual(["cancelled"]);
    expect(await statuses(two)).toEqual(["cancelled"]);
  });
});

test("with records and locks in two stores, all records stay", async () => {
  const apart = await world.manager({ apart: true });
  await clock.until(apart.manager.run("b", () => "done", { record: "none" }));
  expect(await statuses(apart, "b")).toEqual(["completed"]);
});
