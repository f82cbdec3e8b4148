import type { Channel } from "@ojm/core";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { FakeClock } from "../../../core/src/testing/fake-clock.js";
import { collect } from "../../../core/src/testing/settle.js";
import { lockKeyOf } from "../store/entries.js";
import { type QueuesOf, World } from "../testing/world.js";
import type { Item, QueueCounts } from "../types.js";

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

afterEach(() => world.close());

const never = (): Promise<void> => new Promise(() => {});

const statuses = async ({ manager }: QueuesOf): Promise<unknown[]> =>
  (await clock.until(collect(manager.history({ name: "q" })))).map(({ status }) => status).reverse();

test("the item of a worker that died is handled by another one, as its next attempt", async () => {
  const [one, two] = [await world.process("one"), await world.process("two")];
  await clock.until(one.queues.work("q", never));
  await clock.until(one.queues.add("q", "x"));
  await clock.advance(100);
  const seen: unknown[] = [];
  await clock.until(two.queues.work("q", ({ data, attempt }) => void seen.push([data, attempt])));
  await clock.advance(60_000);
  expect(seen).toEqual([]);
  world.kill(one);
  await clock.advance(30_000);
  expect(seen).toEqual([["x", 2]]);
  expect(await statuses(two)).toEqual(["lost", "completed"]);
  expect(await world.items(two)).toEqual([]);
});

test("a new worker takes back what dead ones had before its start resolves: a drain must not miss it", async () => {
  const one = await world.process("one");
  await clock.until(one.queues.work("q", never));
  const { id } = await clock.until(one.queues.add("q", "x"));
  await clock.advance(100);
  world.kill(one);
  // The sweep with which its manager opens comes too early, and the next one too late.
  await clock.advance(12_000);
  const two = await world.process("two");
  await clock.advance(8_000);
  expect(await world.items(two)).toMatchObject([{ state: "active" }]);
  const locks = two.manager.channels.locks as Channel<unknown>;
  expect(await clock.until(locks.get(lockKeyOf("q", id)))).toBeDefined();
  const before = clock.monotonic();
  const worker = await clock.until(two.queues.work("q", () => {}));
  expect(clock.monotonic()).toBe(before);
  expect((await world.items(two)).map(({ state }) => state)).not.toContain("active");
  await clock.until(worker.close());
});

test("an item that kills each of its workers ends as a dead letter", async () => {
  const observer = await world.process("observer");
  await clock.until(observer.queues.define("q", { attempts: 3, delay: "1s" }));
  await clock.until(observer.queues.add("q", "poison"));
  for (const name of ["a", "b", "c"]) {
    const victim = await world.process(name);
    let hasIt = false;
    await clock.until(
      victim.queues.work("q", () => {
        hasIt = true;
        return never();
      }),
    );
    for (let i = 0; i < 60 && !hasIt; i++) await clock.advance(1_000);
    expect(hasIt).toBe(true);
    world.kill(victim);
  }
  const last = await world.process("last");
  await clock.until(last.queues.work("q", never));
  await clock.advance(60_000);
  expect(await world.items(last)).toMatchObject([
    { state: "dead", attempt: 3, error: expect.stringContaining("its worker died") },
  ]);
  expect(await statuses(last)).toEqual(["lost", "lost", "lost"]);
});

test("an item is taken back if its worker lives, but the lock was removed by force", async () => {
  const one = await world.process("one");
  await clock.until(one.queues.define("q", { delay: "1s" }));
  const attempts: number[] = [];
  await clock.until(
    one.queues.work("q", ({ attempt, signal }) => {
      attempts.push(attempt);
      return attempt > 1 ? undefined : new Promise((resolve) => signal.addEventListener("abort", resolve));
    }),
  );
  const { id } = await clock.until(one.queues.add("q", "x"));
  await clock.advance(100);
  await clock.until(one.manager.unlock(`queue/q/${id}`, { reason: "stuck" }));
  await clock.advance(10_000);
  expect(attempts).toEqual([1, 2]);
  expect(await world.items(one)).toEqual([]);
});

test("an item whose claim got no answer is given back, and the attempt does not count", async () => {
  const one = await world.process("one");
  await clock.until(one.queues.define("q", { attempts: 1 }));
  const seen: number[] = [];
  await clock.until(one.queues.work("q", ({ attempt }) => void seen.push(attempt)));
  one.way.once("queue/q/", { type: "reply lost" });
  await clock.until(one.queues.add("q", "x"));
  await clock.advance(60_000);
  expect(seen).toEqual([1]);
  expect(await world.items(one)).toEqual([]);
});

test("a worker tries ever more seldom while the store is full, and at once again after its first success", async () => {
  const one = await world.process("one");
  const seen: unknown[] = [];
  await clock.until(one.queues.work("q", ({ data }) => void seen.push(data)));
  await clock.until(one.queues.add("q", 1));
  await clock.advance(100);
  let tries = 0;
  const isStart = (key: string): boolean => /^oJobManager-locks \["lock "queue[^"]*$/.test(key);
  one.way.fault = (call) => {
    if (call.kind !== "commit" || !call.commit.writes.some(({ key }) => isStart(key))) return undefined;
    tries++;
    return { type: "full" };
  };
  await clock.until(one.queues.add("q", 2));
  await clock.advance(10_000);
  expect([tries >= 3, tries <= 5]).toEqual([true, true]);
  await clock.advance(290_000);
  expect(tries).toBeLessThan(20);
  one.way.fault = () => undefined;
  await clock.advance(31_000);
  expect(seen).toEqual([1, 2]);
  await clock.until(one.queues.add("q", 3));
  await clock.advance(100);
  expect(seen).toEqual([1, 2, 3]);
  one.way.once("queue/q/", { type: "full" });
  await clock.until(one.queues.add("q", 4));
  await clock.advance(3_000);
  expect(seen).toEqual([1, 2, 3, 4]);
});

test("an end whose answer is lost is the only end", async () => {
  const one = await world.process("one");
  const seen: number[] = [];
  await clock.until(
    one.queues.work("q", ({ attempt }) => {
      seen.push(attempt);
      one.way.once("queue/q/", { type: "reply lost" });
    }),
  );
  await clock.until(one.queues.add("q", "x"));
  await clock.advance(60_000);
  expect(seen).toEqual([1]);
  expect(await statuses(one)).toEqual(["completed"]);
  expect(await world.items(one)).toEqual([]);
});

test("a worker that closes takes nothing more, and waits for its handlers", async () => {
  const [one, two] = [await world.process("one"), await world.process("two")];
  let end = (): void => {};
  const handler = (): Promise<string> => new Promise((resolve) => (end = () => resolve("done")));
  const worker = await clock.until(one.queues.work("q", handler));
  await clock.until(one.queues.add("q", 1));
  await clock.advance(100);
  await clock.until(one.queues.add("q", 2));
  const closing = worker.close({ grace: "1m" });
  await clock.advance(5_000);
  expect(worker.active).toBe(1);
  const seen: unknown[] = [];
  await clock.until(two.queues.work("q", ({ data }) => void seen.push(data)));
  await clock.advance(1_000);
  expect(seen).toEqual([2]);
  end();
  await clock.until(closing);
  expect(await statuses(two)).toEqual(["completed", "completed"]);
  expect(await clock.until(two.queues.counts("q"))).toMatchObject({ workers: 1 });
});

test("what is not done within the grace is given back: aborted, taken at once, and not counted", async () => {
  const [one, two] = [await world.process("one"), await world.process("two")];
  const reasons: unknown[] = [];
  const obedient = ({ signal }: Item): Promise<void> =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason.code);
        reject(signal.reason);
      }),
    );
  await clock.until(one.queues.define("q", { attempts: 1 }));
  const handler = (item: Item): unknown => (item.data === "ignores" ? never() : obedient(item));
  const worker = await clock.until(one.queues.work("q", handler, { concurrency: 2 }));
  for (const data of ["ignores", "obeys"]) await clock.until(one.queues.add("q", data));
  await clock.advance(100);
  const seen: unknown[] = [];
  await clock.until(two.queues.work("q", ({ data, attempt }) => void seen.push([data, attempt]), { concurrency: 2 }));
  const closing = worker.close({ grace: "5s" });
  await clock.advance(4_900);
  expect([reasons, seen]).toEqual([[], []]);
  await clock.until(closing);
  await clock.advance(1_000);
  expect(reasons).toEqual(["CLOSING"]);
  expect(seen.toSorted()).toEqual([
    ["ignores", 1],
    ["obeys", 1],
  ]);
  expect(await statuses(two)).toEqual(["skipped", "skipped", "completed", "completed"]);
});

test("a handler that ignores its signal is reported, and its slot is not counted until it ends", async () => {
  const [one, two] = [await world.process("one"), await world.process("two")];
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());
  let end = (): void => {};
  const handler = ({ data }: Item): unknown => data === "hangs" && new Promise<void>((resolve) => (end = resolve));
  await clock.until(one.queues.define("q", { attempts: 1, timeout: "5s" }));
  await clock.until(one.queues.work("q", handler, { concurrency: 2 }));
  for (const data of ["hangs", "ends"]) await clock.until(one.queues.add("q", data));
  await clock.advance(34_000);
  const counts = (): Promise<QueueCounts> => clock.until(two.queues.counts("q"));
  expect([warned.mock.calls, await counts()]).toMatchObject([[], { workers: 1, slots: 2, dead: 1 }]);
  await clock.advance(2_000);
  expect(warned.mock.calls).toMatchObject([
    [
      expect.stringMatching(/^a handler of the queue "q" still runs 30 s after its signal fired \(q@\S+: .* 1 of 2 /),
      {},
    ],
  ]);
  expect(await counts()).toMatchObject({ workers: 1, slots: 1, hung: 1 });
  end();
  await clock.advance(1_000);
  expect(await counts()).toMatchObject({ slots: 2 });
  expect(await counts()).not.toHaveProperty("hung");
});

test("the close of the manager gives items back too", async () => {
  const [one, two] = [await world.process("one"), await world.process("two")];
  await clock.until(one.queues.define("q", { attempts: 1 }));
  const handler = ({ signal }: Item): Promise<void> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  await clock.until(one.queues.work("q", handler));
  await clock.until(one.queues.add("q", "x"));
  await clock.advance(100);
  await clock.until(one.manager.close());
  const seen: unknown[] = [];
  await clock.until(two.queues.work("q", ({ attempt }) => void seen.push(attempt)));
  await clock.advance(1_000);
  expect(seen).toEqual([1]);
});

test("of several workers each takes what its slots allow, and no item is handled twice", async () => {
  const all = await Promise.all(["a", "b", "c"].map((name) => world.process(name)));
  const seen: [string, unknown][] = [];
  for (const { queues, name } of all) {
    const handler = async ({ data }: Item): Promise<void> => {
      seen.push([name, data]);
      await new Promise<void>((resolve) => void clock.after(20, resolve));
    };
    await clock.until(queues.work("q", handler, { concurrency: 4 }));
  }
  const [{ queues }] = all as [QueuesOf];
  await clock.until(Promise.all(Array.from({ length: 300 }, (_, i) => queues.add("q", i))));
  await clock.advance(2_000);
  expect(seen.map(([, data]) => data).toSorted()).toEqual(Array.from({ length: 300 }, (_, i) => i).toSorted());
  for (const name of ["a", "b", "c"]) expect(seen.filter(([by]) => by === name).length).toBeGreaterThan(60);
  expect(await world.items(all[0] as QueuesOf)).toEqual([]);
});

test("if the worker that an item is for does not take it, the next one does within moments", async () => {
  const names = ["a", "b", "c", "d"];
  const all = await Promise.all(names.map((name) => world.process(name)));
  const seen: [string, number][] = [];
  for (const { queues, name } of all)
    await clock.until(queues.work("q", () => void seen.push([name, clock.now()]), { concurrency: 10 }));
  // They died, but others do not know that yet.
  for (const one of all.slice(1)) world.kill(one);
  const first = all[0] as QueuesOf;
  const began = clock.now();
  for (let i = 0; i < 10; i++) await clock.until(first.queues.add("q", i));
  await clock.advance(1_000);
  expect(seen).toHaveLength(10);
  for (const [name, at] of seen) expect([name, at - began < 500]).toEqual(["a", true]);
});

test.each([
  ["all", ["failed", "lost", "completed"]],
  ["failed", ["failed", "lost"]],
  ["none", ["lost"]],
] as const)(
  "of a queue with the records %s, the next worker continues the item of a dead one",
  async (record, kept) => {
    const [one, two] = [await world.process("one"), await world.process("two")];
    await clock.until(one.queues.define("q", { record, delay: "1s" }));
    await clock.until(
      one.queues.work("q", ({ attempt }) => (attempt === 1 ? Promise.reject(new Error("no")) : never())),
    );
    const { id } = await clock.until(one.queues.add("q", "x"));
    await clock.advance(10_000);
    expect(await world.items(two)).toMatchObject([{ state: "active", attempt: 2, error: "no" }]);
    world.kill(one);
    const seen: unknown[] = [];
    await clock.until(two.queues.work("q", (item) => void seen.push([item.id, item.attempt])));
    await clock.advance(60_000);
    expect(seen).toEqual([[id, 3]]);
    expect(await statuses(two)).toEqual(kept);
    expect(await world.items(two)).toEqual([]);
  },
);

test.each(["all", "failed", "none"] as const)(
  "an active item of a queue with the records %s can be discarded",
  async (record) => {
    const [one, two] = [await world.process("one"), await world.process("two")];
    await clock.until(one.queues.define("q", { record }));
    await clock.until(
      one.queues.work("q", ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve))),
    );
    const { id } = await clock.until(one.queues.add("q", "x"));
    await clock.advance(1_000);
    expect(await clock.until(two.queues.discard("q", id, { reason: "wrong" }))).toBe(true);
    expect(await world.items(two)).toEqual([]);
  },
);
