import { beforeEach, describe, expect, test } from "vitest";
import type { PruneOptions, RunRecord } from "../jobs/types.js";
import { told } from "../testing/logs.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";

const MINUTE = 60_000;

let world: World;
let one: ManagerOf;

describe.each([
  { how: "by the index", across: true },
  { how: "name by name", across: false },
])("a prune of records that are read $how", ({ across }) => {
  beforeEach(async () => {
    world = new World();
    one = await world.manager({ chJobs: { backend: await world.way({ commitAcrossChannels: across }) } });
    for (let i = 0; i < 5; i++) {
      for (const name of ["a", "b"]) await world.clock.until(one.manager.run(name, () => i));
      await world.clock.advance(MINUTE);
    }
  });

  async function left(options: PruneOptions): Promise<readonly [removed: number, left: readonly string[]]> {
    const { removed } = await world.clock.until(one.manager.prune(options));
    const records = await world.clock.until(collect(one.manager.history()));
    const shown = records.map(({ name, result }) => `${name}${String(result ?? 0)}`);
    return [removed, shown.toSorted().toReversed()];
  }

  test("takes those that ended long ago", async () => {
    expect(await left({ olderThan: 2.5 * MINUTE })).toEqual([6, ["b4", "b3", "a4", "a3"]]);
  });

  test("leaves the newest of each name, however old they are", async () => {
    expect(await left({ olderThan: 0, keep: 1 })).toEqual([8, ["b4", "a4"]]);
    expect(await left({ olderThan: 0, keep: 1 })).toEqual([0, ["b4", "a4"]]);
  });

  test("leaves the log of a run that stays, between two that go", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      await world.clock.until(
        one.manager.run("logged", (run) => {
          run.log.info(`line ${i}`);
          ids.push(run.id);
        }),
      );
      await world.clock.advance(MINUTE);
    }
    // A run that was unlocked by force may end long after the next one.
    const [, middle] = (await collect(one.manager.history({ name: "logged" }))) as [unknown, RunRecord];
    const endTime = world.clock.now();
    const key = { name: middle.name, startTime: middle.startTime };
    await one.manager.channels.jobs.set(key, { ...middle, endTime });
    expect((await world.clock.until(one.manager.prune({ olderThan: 0, name: "logged" }))).removed).toBe(2);
    const logs = ids.map((id) => world.clock.until(collect(one.manager.log(id))));
    expect((await Promise.all(logs)).map(told)).toEqual([[], ["line 1"], []]);
  });

  test("may be about one name alone", async () => {
    expect(await left({ olderThan: 0, name: "a", keep: 2 })).toEqual([3, ["b4", "b3", "b2", "b1", "b0", "a4", "a3"]]);
    expect(await left({ olderThan: 0, name: "none" })).toEqual([0, ["b4", "b3", "b2", "b1", "b0", "a4", "a3"]]);
  });

  test("in a full store deletes, and says that the audit does not record it", async () => {
    one.way.fault = (call) =>
      call.kind === "commit" && call.commit.writes.some(({ value }) => value !== null) ? { type: "full" } : undefined;
    const outcome = await world.clock.until(one.manager.prune({ olderThan: 2.5 * MINUTE, author: "ana" }));
    expect(outcome).toEqual({ removed: 6, unrecorded: expect.objectContaining({ code: "FULL" }) });
    expect(await world.clock.until(collect(one.manager.history()))).toHaveLength(4);
    one.way.fault = () => undefined;
    expect(await world.clock.until(collect(one.manager.audit()))).toEqual([]);
    expect(await world.clock.until(one.manager.prune({ olderThan: 0, author: "ana" }))).toEqual({ removed: 4 });
    expect(await world.clock.until(collect(one.manager.audit()))).toMatchObject([
      { action: "prune", author: "ana", details: { removed: 4 } },
    ]);
    const sessions = one.manager.channels.locks.keys({ prefix: ["session"] });
    expect(await world.clock.until(collect(sessions))).toEqual([]);
  });

  test("leaves a run in progress, and rejects what it does not understand", async () => {
    const run = await world.clock.until(one.manager.start("a"));
    await world.clock.advance(MINUTE);
    expect((await left({ olderThan: 0, name: "a" }))[0]).toBe(5);
    expect((await run.end()).status).toBe("completed");
    const refusal = async (options: object): Promise<unknown> => rejection(one.manager.prune(options as PruneOptions));
    expect(await refusal({})).toMatchObject({ code: "INVALID", message: expect.stringMatching(/^olderThan must be/) });
    expect(await refusal({ olderThan: 0, kep: 1 })).toMatchObject({ message: expect.stringMatching(/"keep"/) });
    expect(await refusal({ olderThan: 0, keep: -1 })).toMatchObject({
      message: expect.stringMatching(/^keep must be/),
    });
    expect(await refusal({ olderThan: 0, name: 3 })).toMatchObject({
      message: expect.stringMatching(/^name of a prune/),
    });
  });
});
