import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../../core/src/testing/fake-clock.js";
import { collect, rejection } from "../../core/src/testing/settle.js";
import type { Call } from "../../core/src/testing/stores/faulty-backend.js";
import { openQueues } from "./queues.js";
import { type QueuesOf, World } from "./testing/world.js";
import type { AddOptions, BatchOptions, Item } from "./types.js";

let world: World;
let clock: FakeClock;
let one: QueuesOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.process("one");
});

afterEach(() => world.close());

const add = (data: unknown, options?: AddOptions, of: QueuesOf = one) => clock.until(of.queues.add("q", data, options));

/** Handles all items that wait, one after the other. Resolves to their data, in order. */
async function drain(): Promise<unknown[]> {
  const seen: unknown[] = [];
  const worker = await clock.until(one.queues.work("q", ({ data }) => void seen.push(data)));
  await clock.advance(1_000);
  await clock.until(worker.close());
  return seen;
}

test("items of a higher priority are taken first, those of the same one in order of arrival", async () => {
  for (const [data, priority] of [
    ["a", 0],
    ["b", -100],
    ["c", 7],
    ["d", 0],
    ["e", 100],
    ["f", 10],
  ] as const)
    await add(data, { priority });
  expect(await drain()).toEqual(["e", "f", "c", "a", "d", "b"]);
});

test("the age of the oldest item counts, wherever it stands", async () => {
  const { id } = await add("low", { priority: -1 });
  await clock.advance(5_000);
  for (const priority of [7, -100]) await add("later", { priority });
  const oldest = (await clock.until(one.queues.item("q", id)))?.added;
  expect(await clock.until(one.queues.counts("q"))).toMatchObject({ waiting: 3, oldest });
  expect(await clock.until(one.queues.counts("q", { most: 1 }))).toMatchObject({ waiting: 1, more: true });
  expect(oldest).toBe(clock.now() - 5_000);
});

test.each<[string, (string | number)[], AddOptions]>([
  ["delayed", ["due", "q", 1, 0], { delay: 500 }],
  ["waiting", ["w", "q", -0.5], {}],
])("many damaged entries do not hide the %s items behind them", async (_, before, options) => {
  const channel = await clock.until(one.manager.channel<unknown>("oJobManager-queues"));
  const damaged = Array.from({ length: 250 }, (_, i) => [...before, i, `bad${i}`]);
  await clock.until(Promise.all(damaged.map((key) => channel.set(key, "damaged"))));
  await add("late", options);
  await clock.advance(600);
  expect(await drain()).toEqual(["late"]);
});

test("groups are served in turn: an item waits for one of each other group per item ahead of its own", async () => {
  for (let i = 0; i < 50; i++) await add(`big ${i}`, { group: "big" });
  for (let i = 0; i < 3; i++) await add(`small ${i}`, { group: "small" });
  await add("one", { group: "one" });
  const seen = await drain();
  expect(seen).toHaveLength(54);
  expect(seen.slice(0, 7).toSorted()).toEqual(["big 0", "big 1", "big 2", "one", "small 0", "small 1", "small 2"]);
  expect(seen.filter((data) => String(data).startsWith("big"))).toEqual(
    Array.from({ length: 50 }, (_, i) => `big ${i}`),
  );
});

test("a group that was served before owes nothing once it has waited for none", async () => {
  for (let i = 0; i < 50; i++) await add(`a ${i}`, { group: "a" });
  await drain();
  await clock.advance(1_000);
  for (let i = 0; i < 20; i++) await add(`b ${i}`, { group: "b" });
  await add("a again", { group: "a" });
  expect((await drain()).indexOf("a again")).toBeLessThanOrEqual(1);
});

test("an item that is tried again by a new worker does not let another group pass those that wait", async () => {
  await clock.until(one.queues.define("q", { delay: 10_000 }));
  await add("old", { group: "a" });
  for (let i = 0; i < 50; i++) await add(`a ${i}`, { group: "a" });
  const failing = await clock.until(
    one.queues.work("q", ({ data }) => {
      if (data === "old") throw new Error("not yet");
    }),
  );
  await clock.advance(2_000);
  await clock.until(failing.close());
  // The new worker has seen none of the rounds, and takes an item of the first one.
  await clock.advance(10_000);
  expect(await drain()).toEqual(["old"]);
  await add("first", { group: "a" });
  for (let i = 0; i < 10; i++) await add(`b ${i}`, { group: "b" });
  expect((await drain()).indexOf("first")).toBeLessThanOrEqual(1);
});

test("at most `perGroup` items of a group are handled at once, and others pass those that wait for it", async () => {
  await clock.until(one.queues.define("q", { perGroup: 2 }));
  const two = await world.process("two");
  const now = new Map<string, number>();
  const most = new Map<string, number>();
  let done = 0;
  const handler = async ({ group = "" }: Item): Promise<void> => {
    now.set(group, (now.get(group) ?? 0) + 1);
    most.set(group, Math.max(most.get(group) ?? 0, now.get(group) ?? 0));
    await new Promise<void>((resolve) => void clock.after(50, resolve));
    now.set(group, (now.get(group) ?? 0) - 1);
    done++;
  };
  for (let i = 0; i < 20; i++) await add(i, { group: "a" });
  for (let i = 0; i < 6; i++) await add(i, { group: "b" });
  for (const { queues } of [one, two]) await clock.until(queues.work("q", handler, { concurrency: 5 }));
  await clock.advance(30_000);
  expect(done).toBe(26);
  expect([...most]).toEqual([
    ["a", 2],
    ["b", 2],
  ]);
});

test("permits limit the items of several queues together", async () => {
  let [now, most, done] = [0, 0, 0];
  const handler = async (): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise<void>((resolve) => void clock.after(50, resolve));
    now--;
    done++;
  };
  for (const name of ["p", "q"]) {
    await clock.until(one.queues.define(name, { permits: { smtp: 3 } }));
    for (let i = 0; i < 10; i++) await clock.until(one.queues.add(name, i));
    await clock.until(one.queues.work(name, handler, { concurrency: 10 }));
  }
  await clock.advance(60_000);
  expect([done, most]).toEqual([20, 3]);
});

test("a rate limits how often attempts begin, over all workers", async () => {
  await clock.until(one.queues.define("q", { rate: { name: "smtp", max: 5, per: "10s" } }));
  const two = await world.process("two");
  const at: number[] = [];
  for (const { queues } of [one, two])
    await clock.until(queues.work("q", () => void at.push(clock.monotonic()), { concurrency: 10 }));
  for (let i = 0; i < 20; i++) await add(i);
  await clock.advance(60_000);
  expect(at).toHaveLength(20);
  for (let i = 5; i < at.length; i++) expect((at[i] as number) - (at[i - 5] as number)).toBeGreaterThanOrEqual(10_000);
});

test("why names what a queue and each of its items wait for, also those that are not next", async () => {
  const { queues } = one;
  const why = async (id?: string): Promise<unknown[]> => {
    const item = id === undefined ? undefined : await clock.until(queues.item("q", id));
    const reasons = await clock.until(queues.why("q", item && { item }));
    return reasons.map(({ code, text }) => [code, text]);
  };
  expect(await why()).toEqual([["queue-empty", "no item waits for a worker, and none is active (no worker)"]]);
  const { id: active } = await add("active");
  await clock.until(
    queues.work("q", ({ signal }) => new Promise<void>((end) => signal.addEventListener("abort", () => end()))),
  );
  await clock.advance(100);
  const [{ id: first }, { id: second }, { id: later }] = [await add(1), await add(2), await add(3, { delay: "1h" })];
  const busy = "all slots are taken (1 worker for 1 item at once)";
  const time = expect.stringMatching(/^it waits for its time, until \d{4}-\S+Z$/);
  expect(await why(active)).toEqual([]);
  for (const id of [first, second]) expect(await why(id)).toEqual([["queue-busy", `it waits: ${busy}`]]);
  expect(await why(later)).toEqual([["queue-delayed", time]]);
  await clock.until(queues.pause("q", { reason: "a test", author: "ana" }));
  const text = "paused by ana: a test";
  expect(await why(later)).toEqual([
    ["queue-paused", `its queue is ${text}`],
    ["queue-delayed", time],
  ]);
  expect(await why()).toEqual([
    ["queue-paused", `it is ${text}`],
    ["queue-busy", expect.stringMatching(/^2 items wait, the oldest added at \S+Z: all slots are taken/)],
    ["queue-delayed", expect.stringMatching(/^1 item waits for its time, the first one until /)],
  ]);
});

test("a unique key excludes others until it is taken, done, or over", async () => {
  await clock.until(one.queues.define("q", { attempts: 2, delay: "1m" }));
  const handler = ({ data }: Item): void => {
    if (data === "fails") throw new Error("no");
  };
  const keys = { done: { key: "d" }, taken: { key: "t", until: "taken" }, over: { key: "o", until: "1h" } } as const;
  const first = await add("fails", { unique: keys.done });
  expect(await add("x", { unique: keys.done })).toEqual({ id: first.id, added: false });
  await add("fails", { unique: keys.taken });
  expect(await add("x", { unique: keys.taken })).toMatchObject({ added: false });
  await add("fine", { unique: keys.over });
  const worker = await clock.until(one.queues.work("q", handler, { concurrency: 5 }));
  await clock.advance(1_000);
  const again = async () => {
    const all = await Promise.all(
      Object.values(keys).map((unique) => clock.until(one.queues.add("q", "y", { unique }))),
    );
    return all.map(({ added }) => added);
  };
  expect(await again()).toEqual([false, true, false]);
  await clock.advance(120_000);
  expect(await world.items(one, { state: "dead" })).toHaveLength(2);
  expect((await again())[0]).toBe(true);
  await clock.until(worker.close());
});

test("the newest data replaces that of the item that waits, or follows that of the active one", async () => {
  const unique = { key: "index", replace: true };
  const { id } = await add(1, { unique });
  expect(await add(2, { unique })).toEqual({ id, added: false, replaced: true });
  expect(await drain()).toEqual([2]);
  const later = await add(3, { unique, delay: "1m" });
  expect(await add(4, { unique })).toEqual({ id: later.id, added: false, replaced: true });
  let end = (): void => {};
  await clock.until(one.queues.work("q", () => new Promise<void>((resolve) => (end = resolve))));
  await clock.advance(65_000);
  expect(await add(5, { unique: { ...unique, replace: false } })).toEqual({ id: later.id, added: false });
  for (const data of [6, 7])
    expect(await add(data, { unique })).toEqual({ id: later.id, added: false, replaced: true });
  expect(await world.items(one)).toMatchObject([{ state: "active", data: 4, next: { data: 7 } }]);
  end();
  await clock.advance(1_000);
  expect(await world.items(one)).toMatchObject([{ id: later.id, state: "active", data: 7 }]);
  end();
  await clock.advance(1_000);
  expect(await world.items(one)).toEqual([]);
  expect(await add(8, { unique })).toMatchObject({ added: true });
  end();
});

test("triggers wait for a moment without triggers, and then one attempt has the newest data", async () => {
  const seen: unknown[] = [];
  await clock.until(one.queues.work("q", ({ data }) => void seen.push([data, clock.monotonic()])));
  const began = clock.monotonic();
  const trigger = (data: unknown) => clock.until(one.queues.trigger("q", data, { after: "10s" }));
  const { id } = await trigger(1);
  for (const data of [2, 3, 4]) {
    await clock.advance(8_000);
    expect(await trigger(data)).toEqual({ id, added: false, replaced: true });
  }
  expect(await world.items(one)).toMatchObject([{ state: "delayed", data: 4 }]);
  await clock.advance(20_000);
  expect(seen).toEqual([[4, expect.toSatisfy((at: number) => at >= began + 34_000)]]);
  await clock.until(one.queues.trigger("q", 5));
  await clock.until(one.queues.trigger("q", "other", { key: "b" }));
  await clock.advance(1_000);
  expect(seen.map((one) => (one as unknown[])[0])).toEqual([4, 5, "other"]);
});

test("a trigger during a failing attempt, or before the next one, is tried with the newest data only", async () => {
  await clock.until(one.queues.define("q", { attempts: 2, delay: "1m" }));
  const seen: unknown[] = [];
  let end = (): void => {};
  const handler = async ({ data, attempt }: Item): Promise<void> => {
    seen.push([data, attempt]);
    await new Promise<void>((resolve) => (end = resolve));
    if (data !== "good") throw new Error("no");
  };
  await clock.until(one.queues.work("q", handler));
  await clock.until(one.queues.trigger("q", "bad"));
  await clock.advance(1_000);
  await clock.until(one.queues.trigger("q", "worse", { after: "2s" }));
  end();
  await clock.advance(1_000);
  expect(await world.items(one)).toMatchObject([{ state: "delayed", data: "worse", attempt: 1 }]);
  await clock.advance(2_000);
  end();
  await clock.advance(1_000);
  expect(await world.items(one)).toMatchObject([{ state: "delayed", data: "worse", attempt: 2 }]);
  await clock.until(one.queues.trigger("q", "good"));
  expect(await world.items(one)).toMatchObject([{ state: "delayed", data: "good", attempt: 1 }]);
  await clock.advance(70_000);
  end();
  await clock.advance(1_000);
  expect([seen, await world.items(one)]).toEqual([
    [
      ["bad", 1],
      ["worse", 1],
      ["good", 1],
    ],
    [],
  ]);
});

test("the process that has an item dies: the newest data is handled by another", async () => {
  const two = await world.process("two");
  await clock.until(two.queues.work("q", () => new Promise(() => {})));
  await clock.until(one.queues.trigger("q", 1));
  await clock.advance(1_000);
  await clock.until(one.queues.trigger("q", 2));
  world.kill(two);
  const seen: unknown[] = [];
  await clock.until(one.queues.work("q", ({ data }) => void seen.push(data)));
  await clock.advance(120_000);
  expect(seen).toEqual([2]);
});

test("a dead letter whose key another item has is not retried", async () => {
  await clock.until(one.queues.define("q", { attempts: 1 }));
  const { id } = await add("x", { unique: { key: "k" } });
  const worker = await clock.until(one.queues.work("q", () => Promise.reject(new Error("no"))));
  await clock.advance(1_000);
  await clock.until(worker.close());
  await add("y", { unique: { key: "k" } });
  expect(await clock.until(rejection(one.queues.retry("q", id)))).toMatchObject({ code: "INVALID" });
  expect(await clock.until(one.queues.redrive("q"))).toBe(0);
  await clock.until(one.queues.purge("q", { reason: "a test" }));
  await clock.until(one.queues.retry("q", id));
  expect(await add("z", { unique: { key: "k" } })).toEqual({ id, added: false });
});

test("an item is taken at its time, in any process, and the earliest first", async () => {
  const two = await world.process("two");
  const began = clock.now();
  const seen: [unknown, number][] = [];
  for (const { queues } of [one, two])
    await clock.until(queues.work("q", ({ data }) => void seen.push([data, clock.now() - began])));
  await add("late", { at: began + 30_000 }, two);
  await add("soon", { delay: "5s" });
  await add("past", { at: began - 5_000 });
  await clock.advance(60_000);
  expect(seen.map(([data]) => data)).toEqual(["past", "soon", "late"]);
  const [, soon, late] = seen.map(([, at]) => at) as [number, number, number];
  expect([soon >= 5_000 && soon < 5_500, late >= 30_000 && late < 30_500]).toEqual([true, true]);
});

test("a thousand items that are due at once are all moved", async () => {
  for (let i = 0; i < 1_000; i++) await add(i, { at: clock.now() + 10_000 - i });
  let done = 0;
  await clock.until(one.queues.work("q", () => void done++, { concurrency: 50 }));
  await clock.advance(60_000);
  expect(done).toBe(1_000);
});

test("a store that fails amid a change of many items does not end the process", async () => {
  const unseen: unknown[] = [];
  const see = (error: unknown): void => void unseen.push(error);
  process.on("unhandledRejection", see);
  for (let i = 0; i < 600; i++) await add(i);
  let scans = 0;
  const failing = ({ kind }: Call) =>
    kind === "commit" ? ({ type: "refused" } as const) : ++scans > 1 ? ({ type: "request lost" } as const) : undefined;
  one.way.fault = failing;
  const few = { reason: "a test", where: ({ data }: { readonly data: unknown }) => Number(data) % 10 === 0 };
  expect(await clock.until(rejection(one.queues.purge("q", few)), 20_000)).toMatchObject({ retryable: true });
  one.way.fault = () => undefined;
  process.off("unhandledRejection", see);
  expect(unseen).toEqual([]);
});

test("an item that no worker takes within its time to live is dropped, with a record that says so", async () => {
  await add("old", { ttl: "1m", unique: { key: "k" } });
  await clock.advance(61_000);
  await add("new", { ttl: "1m" });
  expect(await drain()).toEqual(["new"]);
  const records = await clock.until(collect(one.manager.history({ name: "q" })));
  expect(records.map(({ status, error }) => [status, error])).toEqual([
    ["completed", undefined],
    ["skipped", "its time to live was over before a worker took it"],
  ]);
  expect(await add("k", { unique: { key: "k" } })).toMatchObject({ added: true });
});

test("an item that is added in another commit is there if the rest of it is, and only then", async () => {
  const orders = await one.manager.channel<string>("orders");
  const commit = async (version: string | null, options?: AddOptions) => {
    const ops = await clock.until(one.queues.ops("q", "ship", options));
    const put = [
      { check: 4711, version },
      { put: 4711, value: "paid" },
    ];
    return clock.until(orders.commitWith<unknown[]>(put, ops));
  };
  expect((await commit("0000000000000000001")).ok).toBe(false);
  expect(await world.items(one)).toEqual([]);
  const first = await commit(null, { unique: { key: "4711" }, group: "ana" });
  expect(first.ok).toBe(true);
  expect(await world.items(one)).toMatchObject([{ state: "waiting", data: "ship", group: "ana" }]);
  const second = await commit(first.ok ? first.version : null, { unique: { key: "4711" } });
  expect(second).toMatchObject({ ok: false, failed: [{ channel: "oJobManager-queues" }] });
});

test("data is checked by the schema of the queue, and the item has what the schema returns", async () => {
  const schema = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) =>
        typeof value === "string" ? { value: value.trim() } : { issues: [{ message: "not a text" }] },
    },
  };
  await clock.until(one.queues.define("q", { schema }));
  expect(await clock.until(rejection(one.queues.add("q", 1)))).toMatchObject({
    code: "INVALID",
    message: 'the data of an item of the queue "q" does not match its schema: not a text',
  });
  await add(" ana ");
  expect(await drain()).toEqual(["ana"]);
});

test("data that the store cannot hold is refused when it is added", async () => {
  const small = await world.process("small", { supports: { maxValueBytes: 100_000 } });
  expect(await clock.until(rejection(small.queues.add("q", "x".repeat(95_000))))).toMatchObject({ code: "TOO_LARGE" });
  expect(await clock.until(small.queues.add("q", "x".repeat(80_000)))).toMatchObject({ added: true });
});

test("items of a group that is full are not read again and again, however many they are", async () => {
  await clock.until(one.queues.define("q", { perGroup: 1 }));
  for (let i = 0; i < 2_500; i++) await add(i, { group: "a", priority: 1 });
  await clock.until(one.queues.work("q", () => new Promise(() => {}), { concurrency: 10 }));
  await clock.advance(100);
  const before = one.way.reads;
  await clock.advance(900);
  expect(one.way.reads - before).toBeLessThan(10);
});

test("a store without watches is polled", async () => {
  const poll = await world.process("poll", { supports: { watch: false } });
  const seen: unknown[] = [];
  await clock.until(poll.queues.work("q", ({ data }) => void seen.push(data)));
  await add("x");
  await add("y", { delay: "1s" });
  await clock.advance(5_000);
  expect(seen).toEqual(["x", "y"]);
});

test("adding an item costs one commit, and a thousand idle workers read nothing for it", async () => {
  const idle = await Promise.all(Array.from({ length: 10 }, (_, i) => world.process(`idle ${i}`)));
  for (const { queues } of idle) await clock.until(queues.work("q", () => {}));
  await add("first");
  await clock.advance(1_000);
  const before = idle.map(({ way }) => [way.commits.length, way.reads]);
  const commits = one.way.commits.length;
  await add("x");
  expect(one.way.commits.length - commits).toBe(1);
  await clock.advance(40);
  const after = idle.map(({ way }) => [way.commits.length, way.reads]);
  const did = after.map((counts, i) => counts.map((count, j) => count - (before[i]?.[j] ?? 0)));
  // One of them took the item: it opened its session, and the run was started and ended.
  expect(did.flatMap(([written = 0]) => (written > 0 ? [written] : []))).toEqual([3]);
  expect(did.filter(([written = 0, read = 0]) => written === 0 && read > 0)).toEqual([]);
});

test("a queue with many waiting items is not read whole", async () => {
  for (let i = 0; i < 3_000; i++) await add(i);
  const reader = await world.process("reader");
  const seen: unknown[] = [];
  await clock.until(reader.queues.work("q", ({ data }) => void seen.push(data), { concurrency: 2 }));
  const before = reader.way.reads;
  await clock.advance(1);
  expect(reader.way.reads - before).toBeLessThan(3_000);
  await clock.advance(10_000);
  expect(seen).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
});

describe("a batch", () => {
  const callback = { queue: "q", data: "all done" };
  const batch = (data: readonly unknown[], options: Partial<BatchOptions> = {}, of: QueuesOf = one) =>
    clock.until(of.queues.batch("q", "b", data, { callback, ...options }));

  test("adds its items in few commits, and its callback once all of them have ended, dead ones too", async () => {
    await clock.until(one.queues.define("q", { attempts: 1 }));
    const seen: unknown[] = [];
    await clock.until(one.queues.pause("q", { reason: "a test" }));
    const commits = one.way.commits.length;
    expect(await batch(Array.from({ length: 400 }, (_, i) => i))).toBe(400);
    expect(one.way.commits.length - commits).toBeLessThan(5);
    expect(await batch(Array.from({ length: 400 }, (_, i) => i))).toBe(0);
    const [item] = await world.items(one, { limit: 1 });
    await clock.until(one.queues.discard("q", item?.id ?? "", { reason: "a test" }));
    const two = await world.process("two");
    const handler = ({ data, meta }: Item): void => {
      seen.push(meta === undefined ? data : [data, meta]);
      if (Number(data) % 10 === 0) throw new Error("no");
    };
    for (const { queues } of [one, two]) await clock.until(queues.work("q", handler, { concurrency: 5 }));
    await clock.until(one.queues.resume("q"));
    await clock.advance(60_000);
    expect(seen).toHaveLength(400);
    expect(seen.at(-1)).toEqual(["all done", { batch: "b" }]);
    expect(await world.items(one)).toHaveLength(39);
    expect(await batch(Array.from({ length: 400 }, (_, i) => i))).toBe(0);
  });

  test("of no items has its callback at once, and its items have no key and no group", async () => {
    expect(await batch([])).toBe(0);
    expect(await world.items(one)).toMatchObject([{ data: "all done", meta: { batch: "b" } }]);
    expect(await batch([])).toBe(0);
    for (const wrong of [{ unique: { key: "k" } }, { group: "a" }])
      expect(await clock.until(rejection(one.queues.batch("q", "c", [1], { callback, ...wrong })))).toMatchObject({
        code: "INVALID",
      });
  });

  test("that has all its items rejects others, whether it has ended or not, and adds none of them", async () => {
    const other = async (data: readonly unknown[]): Promise<unknown> =>
      clock.until(rejection(one.queues.batch("q", "b", data, { callback })));
    const wrong = { code: "INVALID", message: expect.stringContaining("has 2 items, and this call gives ") };
    expect(await batch([1, 2])).toBe(2);
    for (const data of [[1, 2, 3], [1]]) expect(await other(data)).toMatchObject(wrong);
    expect(await world.items(one)).toHaveLength(2);
    await clock.until(one.queues.purge("q", { reason: "a test" }));
    expect(await world.items(one)).toMatchObject([{ data: "all done" }]);
    for (const data of [[1, 2, 3], [1]]) expect(await other(data)).toMatchObject(wrong);
  });

  const writes = (call: Call, kind: string): boolean =>
    call.kind === "commit" && call.commit.writes.some(({ key }) => key.startsWith(`oJobManager-queues ["${kind} `));

  test("that was not added whole is continued by another process, and ends only then", async () => {
    let parts = 0;
    one.way.fault = (call) => (writes(call, "batch") && ++parts > 2 ? { type: "request lost" } : undefined);
    const data = Array.from({ length: 1_000 }, (_, i) => i);
    await clock.until(rejection(one.queues.batch("q", "b", data, { callback })));
    const two = await world.process("two");
    const seen: unknown[] = [];
    await clock.until(two.queues.work("q", (item) => void seen.push(item.data), { concurrency: 20 }));
    await clock.advance(60_000);
    const before = seen.length;
    expect([before > 0, before < 1_000, seen.includes("all done")]).toEqual([true, true, false]);
    expect(await batch(data, {}, two)).toBe(1_000 - before);
    await clock.advance(60_000);
    expect([seen.length, new Set(seen).size, seen.at(-1)]).toEqual([1_001, 1_001, "all done"]);
  });

  test("ends although the worker of its last item died before it could add the callback", async () => {
    const two = await world.process("two");
    await batch([1]);
    two.way.fault = (call) => {
      if (writes(call, "in")) world.kill(two);
      return undefined;
    };
    await clock.until(two.queues.work("q", () => {}));
    await clock.advance(1_000);
    expect(await world.items(one)).toEqual([]);
    const seen: unknown[] = [];
    await clock.until(one.queues.work("q", ({ data }) => void seen.push(data)));
    await clock.advance(120_000);
    expect(seen).toEqual(["all done"]);
  });
});

test("a misspelt option is refused: it could remove or handle other items than meant", async () => {
  const { queues } = one;
  const calls: readonly (() => Promise<unknown>)[] = [
    () => queues.work("q", () => {}, { concurency: 10 } as never),
    () => queues.purge("q", { reason: "a test", stat: "dead" } as never),
    () => queues.purge("q", { reason: "a test", state: "active" } as never),
    () => queues.redrive("q", { limits: 1 } as never),
    () => queues.trigger("q", 1, { delay: "2s" } as never),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "INVALID" });
});

test("an argument of a wrong kind is refused with its name, the value and what it must be", async () => {
  const { queues } = one;
  const callback = { queue: "q", data: 1 };
  const calls: readonly (readonly [call: () => unknown, message: string | RegExp])[] = [
    [async () => openQueues("sqlite:./ojm.db" as never), /takes a job manager, not the text "sqlite:/],
    [() => queues.batch("q", "b", [1], undefined as never), "a batch needs callback: { queue, data }, not undefined"],
    [
      () => queues.batch("q", "b", [1], { callback: "q" } as never),
      'needs callback: { queue, data }, not the text "q"',
    ],
    [() => queues.batch("q", "b", [1], { callback, group: "g" } as never), 'a batch has no option "group"'],
    [() => collect(queues.items("q", { state: "done" } as never)), /must be one of active, .*no longer in the queue/],
    [() => queues.purge("q", { reason: "a test", state: "done" } as never), /the state of a purge .*no longer in the/],
    [() => queues.purge("q", undefined as never), "purge needs { reason }, a text"],
    [() => queues.pause("q", undefined as never), "pause needs { reason }, a text"],
    [() => queues.pause("q", { reason: "a test", until: "2h" } as never), 'in ms since 1970, not the text "2h"'],
    [() => queues.trigger("q", 1, { after: "soon" }), /queue "q": after must be /],
    [() => queues.redrive("q", { rate: "5/s" } as never), 'options of rate must be a map, not the text "5/s"'],
    [() => queues.redrive("q", { rate: { max: 0, per: "1m" } }), "rate.max must be a number above 0, not 0"],
    [() => queues.add("q", 1, { delay: "2s", ttl: "1s" }), /never be handled: its ttl is over before its delay or at/],
    [() => queues.add("q", 1, { at: clock.now() + 2_000, ttl: "2s" }), "its ttl is over before its delay or at"],
    [() => queues.batch("q", "b", [1], { callback, delay: 2, ttl: 1 }), "its ttl is over before its delay or at"],
    [() => queues.why("q", { item: "a-1" } as never), 'must be one of queues.items or queues.item, not the text "a-1"'],
    [() => queues.why("q", { item: undefined } as never), "must be one of queues.items or queues.item, not undefined"],
    [() => queues.counts("q", { most: 1.5 }), "most must be a whole number from 1 to 1000000000, not 1.5"],
  ];
  for (const [call, message] of calls) await expect(call()).rejects.toThrow(message);
});
