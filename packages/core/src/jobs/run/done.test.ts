import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../../testing/fake-clock.js";
import { scribble } from "../../testing/scribble.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import type { OnceCallOptions, OnceOutcome, Run } from "../types.js";

const HOUR = 3_600_000;
const KEEP = { keep: "30d" } as const;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each(STORES)("records and locks $stores: a key is completed once", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;
  let calls: string[];

  beforeEach(async () => {
    [one, two] = [await world.manager({ apart }), await world.manager({ apart })];
    calls = [];
  });

  const charge = (
    { manager }: ManagerOf,
    key: string,
    body: (run: Run) => unknown = () => ({ key, call: calls.length }),
    options: Partial<OnceCallOptions> = {},
  ): Promise<OnceOutcome<unknown>> => {
    const counted = (run: Run): unknown => {
      calls.push(run.id);
      return body(run);
    };
    return clock.until(manager.once("charge", key, counted, { ...KEEP, ...options }));
  };

  test("the first call runs its body, and later calls in any process get its result and its record", async () => {
    const first = await charge(one, "order-1");
    expect(first).toMatchObject({ first: true, result: { key: "order-1", call: 1 } });
    expect(first.record).toMatchObject({ name: "charge", status: "completed", lock: "once/charge/order-1" });
    for (const other of [two, one]) expect(await charge(other, "order-1")).toEqual({ ...first, first: false });
    expect(calls).toHaveLength(1);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("runs of one name with different keys run at the same time", async () => {
    const hold = charge(one, "order-1", () => new Promise((resolve) => void clock.after(1_000, () => resolve(1))));
    expect(await charge(two, "order-2", undefined, { wait: 0 })).toMatchObject({ first: true });
    expect(await hold).toMatchObject({ first: true, result: 1 });
  });

  test("callers that wait for the run of their key get its result", async () => {
    const starts = [one, two, one, two].map((each) =>
      charge(each, "order-1", () => new Promise((resolve) => void clock.after(1_000, () => resolve("paid")))),
    );
    const all = await Promise.all(starts);
    expect(all.map(({ result }) => result)).toEqual(Array(4).fill("paid"));
    expect(all.filter(({ first }) => first)).toHaveLength(1);
    expect(calls).toHaveLength(1);
  });

  test("a caller whose wait ends before the run of its key rejects with LOCKED", async () => {
    const run = charge(one, "order-1", () => new Promise((resolve) => void clock.after(9_000, () => resolve(1))));
    const late = charge(two, "order-1", undefined, { wait: "1s" });
    expect(await rejection(late)).toMatchObject({ code: "LOCKED", held: { name: "once/charge/order-1" } });
    await run;
  });

  test.each([
    ["fails", () => Promise.reject(new Error("no route"))],
    ["is cancelled", (run: Run) => run.cancel("wrong order")],
    ["is skipped", (run: Run) => run.skip("nothing to charge")],
    ["is handed over", (run: Run) => run.handOver("a deploy")],
  ])("after a run that %s, the next call runs its body", async (_, body) => {
    await charge(one, "order-1", body).catch(() => {});
    expect(await two.manager.retries()).toEqual([]);
    expect(await charge(two, "order-1")).toMatchObject({ first: true, result: { call: 2 } });
  });

  test("after a process that died, the next call runs its body", async () => {
    void one.manager.once("charge", "order-1", () => new Promise(() => {}), KEEP).catch(() => {});
    await clock.advance(100);
    one.way.fault = () => ({ type: "request lost" });
    one.jobsWay.fault = one.way.fault;
    expect(await charge(two, "order-1", undefined, { wait: "1m" })).toMatchObject({ first: true });
    expect(await collect(two.manager.history({ name: "charge", status: "lost" }))).toHaveLength(1);
  });

  describe("with retry", () => {
    const retry = { attempts: 3, delay: "1m", backoff: "fixed" } as const;

    /** A body whose first `failures` calls fail. */
    const failing = (failures: number) => (): number => {
      if (calls.length <= failures) throw new Error(`no route ${calls.length}`);
      return calls.length;
    };

    test("a call repeats its body until it completes, and the store has no attempt that others could make", async () => {
      const call = charge(one, "order-1", failing(2), { retry });
      await clock.advance(30_000);
      expect(await two.manager.retries()).toEqual([]);
      const { first, result, record } = await call;
      expect([first, result, record?.attempt, record?.chain]).toEqual([true, 3, 3, calls[0]]);
      expect(await charge(two, "order-1")).toMatchObject({ first: false, result: 3 });
    });

    test("the last attempt's error is that of the call, and its key is not done", async () => {
      const error = await rejection(charge(one, "order-1", failing(9), { retry }));
      expect(error).toMatchObject({ message: "no route 3" });
      expect(await charge(two, "order-1")).toMatchObject({ first: true, result: { call: 4 } });
    });

    test("a call that waits for its next attempt gets the result of another call that completed the key", async () => {
      const call = charge(one, "order-1", failing(1), { retry });
      await clock.advance(1_000);
      expect(await charge(two, "order-1", () => "paid")).toMatchObject({ first: true });
      expect(await call).toMatchObject({ first: false, result: "paid" });
      expect(calls).toHaveLength(2);
    });

    test("a signal ends the wait for the next attempt, and so does the close of the manager", async () => {
      const stop = new AbortController();
      const stopped = rejection(charge(one, "order-1", failing(9), { retry, signal: stop.signal }));
      const closed = rejection(charge(two, "order-2", failing(9), { retry }));
      await clock.advance(1_000);
      stop.abort();
      expect(await stopped).toMatchObject({ code: "CANCELLED" });
      await clock.until(two.manager.close());
      expect(await closed).toMatchObject({ message: expect.stringMatching(/^no route/) });
      expect(calls).toHaveLength(2);
    });

    test("a body that ignores its timeout does not overlap the next attempt", async () => {
      let active = 0;
      const body = async (): Promise<number> => {
        expect(++active).toBe(1);
        if (calls.length === 1) await new Promise<void>((resolve) => void clock.after(120_000, resolve));
        return active--;
      };
      const options = { retry, timeout: "1s" } as const;
      expect(await charge(one, "order-1", body, options)).toMatchObject({ first: true, record: { attempt: 2 } });
    });
  });

  test("a run that ends itself completes its key with the result that it gave", async () => {
    expect(await charge(one, "order-1", (run) => run.end("paid"))).toMatchObject({ first: true });
    expect(await charge(two, "order-1")).toMatchObject({ first: false, result: "paid" });
  });

  test.each([
    ["undefined", undefined, undefined],
    ["null", null, null],
    ["false", false, false],
    ["a date, as its JSON", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["a map with a Set, as its nearest JSON", { ids: new Set([1]) }, { ids: [1] }],
  ])("the result of later calls: %s", async (_, returned, stored) => {
    expect((await charge(one, "order-1", () => returned)).result).toBe(returned);
    expect((await charge(two, "order-1")).result).toEqual(stored);
  });

  test.each([
    ["a function", () => () => {}],
    ["more than 262,144 bytes", () => "x".repeat(262_144)],
  ])("a result that is %s is not stored: the key is done, and later calls reject with ENDED", async (_, body) => {
    expect(await charge(one, "order-1", body)).toMatchObject({ first: true });
    expect(await rejection(charge(two, "order-1"))).toMatchObject({
      code: "ENDED",
      message: expect.stringMatching(
        /^"charge" has done the key "order-1", by charge@.*, and its result is not stored/,
      ),
    });
    expect(calls).toHaveLength(1);
  });

  test("a key is done for its keep, by the clock of the store", async () => {
    await charge(one, "order-1", undefined, { keep: HOUR });
    await clock.advance(HOUR - 60_000);
    expect(await charge(two, "order-1")).toMatchObject({ first: false });
    await clock.advance(60_000);
    expect(await charge(two, "order-1")).toMatchObject({ first: true });
  });

  test("a key stays done after its record was pruned", async () => {
    await charge(one, "order-1");
    await clock.advance(1_000);
    await clock.until(two.manager.prune({ olderThan: 0 }));
    expect(await charge(two, "order-1")).toMatchObject({ first: false, record: undefined, result: { call: 1 } });
  });

  test("names and keys with slashes have locks of their own", async () => {
    const hold = clock.until(
      one.manager.once("a/b", "c", () => new Promise((resolve) => void clock.after(1_000, () => resolve(1))), KEEP),
    );
    const other = { ...KEEP, wait: 0 };
    expect(await clock.until(two.manager.once("a", "b/c", () => 2, other))).toMatchObject({ first: true, result: 2 });
    await hold;
  });

  test("a key whose end lost its answer is done", async () => {
    const run = charge(one, "order-1", () => {
      one.way.once('["done', { type: "reply lost" });
      return "paid";
    });
    await run.catch(() => {});
    expect(await charge(two, "order-1", undefined, { wait: "1m" })).toMatchObject({ first: false, result: "paid" });
    expect(calls).toHaveLength(1);
  });

  test("an entry that ojm did not write stops the call, because the key may be done", async () => {
    await charge(one, "order-1");
    await scribble({ way: two.way, channel: two.manager.channels.locks }, ["done", "charge", "order-1"], '"mine"');
    expect(await rejection(charge(two, "order-1"))).toMatchObject({ code: "CORRUPT" });
    expect(calls).toHaveLength(1);
  });

  test("why says by which run the last key is done", async () => {
    await charge(one, "order-1");
    expect(await two.manager.why("charge")).toMatchObject([
      {
        code: "once",
        text: expect.stringMatching(
          /^the key "order-1" is done, at \S+Z by charge@\S+ on \S+.*: calls with it get that result for 30 d$/,
        ),
      },
      { code: "last" },
    ]);
    await charge(one, "order-2", () => Promise.reject(new Error("no route"))).catch(() => {});
    expect(await two.manager.why("charge")).toMatchObject([{ code: "last" }]);
  });
});

test.each([
  ["", KEEP, /^key of once must be a text of 1 to 200 characters/],
  ["x".repeat(201), KEEP, /^key of once/],
  ["k", {}, /^keep of once must be a duration/],
  ["k", { ...KEEP, lock: "a" }, /lock/],
  ["k", { ...KEEP, retry: { attempts: 0 } }, /^attempts of "charge" must be/],
  ["k", { ...KEEP, timeout: -1 }, /^timeout of "charge"/],
  ["k", undefined, /^the options of once must be a map with "keep"/],
])("the key and the options of once are checked: %j %j", async (key, options, message) => {
  const { manager } = await world.manager();
  const call = manager.once("charge", key, () => 1, options as OnceCallOptions);
  expect(await rejection(call)).toMatchObject({ code: "INVALID", message: expect.stringMatching(message) });
});
