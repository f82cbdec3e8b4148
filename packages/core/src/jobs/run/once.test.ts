import { beforeEach, describe, expect, test } from "vitest";
import { lockKey } from "../../locks/entries/schema.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { scribble } from "../../testing/scribble.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import type { OnceOptions, RunOptions } from "../types.js";

const HOUR = 3_600_000;
const PER_HOUR: OnceOptions = { per: HOUR };

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each(STORES)("records and locks $stores: a run starts once", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    [one, two] = [await world.manager({ apart }), await world.manager({ apart })];
  });

  const run = ({ manager }: ManagerOf, once: OnceOptions, more: RunOptions = {}): Promise<unknown> =>
    clock.until(manager.run("a", () => "ran", { once, ...more }));
  const started = async (): Promise<number> => (await collect(two.manager.history({ name: "a" }))).length;

  test("of two short runs, one after the other in two processes, the second one does not start", async () => {
    await run(one, PER_HOUR);
    await clock.advance(2_000);
    expect(await rejection(run(two, PER_HOUR))).toMatchObject({
      code: "STARTED",
      message: expect.stringMatching(
        /^"a" was not started: a@.* started at .* once per 1 h is skipped for 53 min 58 s$/,
      ),
    });
    expect(await started()).toBe(1);
  });

  test("of many processes that start at once, one runs", async () => {
    const all = [one, two, await world.manager({ apart }), await world.manager({ apart })];
    const ends = await clock.until(
      Promise.allSettled(all.map(({ manager }) => manager.run("a", () => "ran", { once: PER_HOUR, wait: 10_000 }))),
    );
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const end of ends) if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "STARTED" });
    expect(await started()).toBe(1);
  });

  test("of many that start at once in one process, one runs", async () => {
    const starts = Array.from({ length: 4 }, () => one.manager.run("a", () => "ran", { once: PER_HOUR, wait: 10_000 }));
    const ends = await clock.until(Promise.allSettled(starts));
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await started()).toBe(1);
  });

  test("each hour has its run although the machines start a few seconds earlier or later than before", async () => {
    for (const jitter of [0, 3_000, 1_000, 2_900, 10, 0]) {
      await clock.advance(jitter);
      await run(jitter % 2 === 0 ? one : two, PER_HOUR);
      for (const { manager } of [one, two])
        expect(await rejection(clock.until(manager.run("a", () => "again", { once: PER_HOUR })))).toMatchObject({
          code: "STARTED",
        });
      await clock.advance(HOUR - jitter);
    }
    expect(await started()).toBe(6);
  });

  test("a run that waits for the lock of the run that took its window does not start after it", async () => {
    const first = await one.manager.start("a", { once: { key: "november", keep: HOUR } });
    const waiting = two.manager.run("a", () => "again", { once: PER_HOUR, wait: HOUR });
    await clock.advance(1_000);
    await first.end();
    expect(await clock.until(waiting)).toMatchObject({ result: "again" });
    await expect(rejection(run(two, { key: "november", keep: HOUR }, { wait: HOUR }))).resolves.toMatchObject({
      code: "STARTED",
      message: expect.stringMatching(/for "november" is skipped$/),
    });
  });

  test("while the run of its window runs, another one is skipped and does not wait for the lock", async () => {
    await one.manager.start("a", { once: PER_HOUR });
    const asked = clock.monotonic();
    expect(await rejection(run(two, PER_HOUR, { wait: HOUR }))).toMatchObject({ code: "STARTED" });
    expect(clock.monotonic() - asked).toBeLessThan(1_000);
  });

  test("a run without the option neither counts nor is kept away, and another window is another one", async () => {
    await run(one, PER_HOUR);
    await run(two, { per: HOUR / 2 });
    await clock.until(two.manager.run("a", () => "by hand"));
    await clock.until(two.manager.run("b", () => "another", { once: PER_HOUR }));
    expect(await started()).toBe(3);
  });

  test("a start counts if its run fails, and the attempts of that run are made", async () => {
    let attempts = 0;
    const body = (): string => {
      if (++attempts === 1) throw new Error("no route");
      return "ran";
    };
    const retry = { attempts: 2, delay: 1_000 };
    expect(await clock.until(one.manager.run("a", body, { once: PER_HOUR, retry }))).toMatchObject({ result: "ran" });
    expect(await rejection(run(two, PER_HOUR))).toMatchObject({ code: "STARTED" });
    expect(attempts).toBe(2);
  });

  test("a start whose lock was held does not count", async () => {
    const other = await one.manager.start("a");
    expect(await rejection(run(two, PER_HOUR, { wait: 0 }))).toMatchObject({ code: "LOCKED" });
    await other.end();
    await run(two, PER_HOUR);
  });

  test("a start whose answer was lost does not count once its process has taken the lock back", async () => {
    one.way.once('["lock "a', { type: "reply lost" });
    expect(await rejection(run(one, PER_HOUR))).toMatchObject({ code: "TIMEOUT" });
    await clock.advance(15_000);
    expect(await two.manager.heldLocks()).toEqual([]);
    expect(await run(two, PER_HOUR)).toMatchObject({ result: "ran" });
  });

  test("a start whose record the store refused does not count", async () => {
    if (!apart) return;
    one.jobsWay.fault = () => ({ type: "full" });
    expect(await rejection(run(one, PER_HOUR))).toMatchObject({ code: "FULL" });
    expect(await run(two, PER_HOUR)).toMatchObject({ result: "ran" });
  });

  test.each(["no JSON", "null", '"mine"', '{"at":"now"}'])(
    "an entry that ojm did not write is replaced: %s",
    async (text) => {
      await run(one, PER_HOUR);
      await scribble({ way: two.way, channel: two.manager.channels.locks }, ["once", "a", `per ${HOUR}`], text);
      await run(two, PER_HOUR);
      expect(await rejection(run(one, PER_HOUR))).toMatchObject({ code: "STARTED" });
    },
  );

  test("why says which start keeps a run away, until it does not", async () => {
    await run(one, PER_HOUR);
    expect(await two.manager.why("a")).toMatchObject([
      { code: "once", text: expect.stringMatching(/^a@.* started at .* once per 1 h is skipped for 54 min$/) },
      { code: "last" },
    ]);
    await clock.advance(HOUR);
    expect(await two.manager.why("a")).toMatchObject([{ code: "last" }]);
  });

  test("its entry goes with the window, and a lock that is free leaves nothing else", async () => {
    await run(one, PER_HOUR);
    await clock.advance(HOUR);
    expect(await two.manager.channels.locks.size({ prefix: ["once"] })).toBe(0);
    expect(await two.manager.channels.locks.entry(lockKey("a"))).toBeUndefined();
  });
});

test.each([
  [{ per: 0 }, /^per of once must be a duration from 1 ms, .* not 0$/],
  [{ per: "1 hour" }, /^per of once/],
  [{ key: "a" }, /^keep of once/],
  [{ key: "", keep: 1_000 }, /^key of once must be a text of 1 to 200 characters/],
  [{ key: "a", per: 1_000 }, /key/],
  ["1h", /^once must be a map, not the text "1h"$/],
])("once is checked: %j", async (once, message) => {
  const { manager } = await world.manager();
  const options = { once } as unknown as RunOptions;
  expect(await rejection(manager.run("a", () => "ran", options))).toMatchObject({
    code: "INVALID",
    message: expect.stringMatching(message),
  });
});
