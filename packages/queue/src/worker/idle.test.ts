import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../../../core/src/testing/fake-clock.js";
import { type QueuesOf, World } from "../testing/world.js";
import type { Worker } from "../types.js";

let world: World;
let clock: FakeClock;
/** Which process handles which data, in the order of the starts. */
let seen: [QueuesOf, unknown][];
let workers: Map<QueuesOf, Worker>;

beforeEach(() => {
  world = new World();
  clock = world.clock;
  seen = [];
  workers = new Map();
});

afterEach(() => world.close());

/** Processes with a worker each, which have had nothing to do for long. */
async function idle(count: number, handler: () => unknown = () => {}): Promise<QueuesOf[]> {
  const all: QueuesOf[] = [];
  for (let i = 0; i < count; i++) {
    const one = await world.process(`p${workers.size}`);
    const work = one.queues.work("q", ({ data }) => {
      seen.push([one, data]);
      return handler();
    });
    workers.set(one, await clock.until(work));
    all.push(one);
  }
  await clock.advance(41_000);
  return all;
}

/** How often a process gets an answer or a change of the store during `work`. */
async function received(all: readonly QueuesOf[], work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  for (const { way } of all)
    way.heard = async () => {
      count++;
    };
  await work();
  return count;
}

/** The processes that watch the items, and those that do not. An idle one has fewer watches. */
function split(all: readonly QueuesOf[]): [QueuesOf[], QueuesOf[]] {
  const most = Math.max(...all.map(({ way }) => way.gaps.size));
  return [all.filter(({ way }) => way.gaps.size === most), all.filter(({ way }) => way.gaps.size < most)];
}

const never = (): Promise<void> => new Promise(() => {});

const add = ({ queues }: QueuesOf, data: unknown): Promise<unknown> => clock.until(queues.add("q", data));

test("an item costs the same with few idle workers and with many", async () => {
  const costs: number[] = [];
  for (const count of [5, 40]) {
    world = new World();
    clock = world.clock;
    [seen, workers] = [[], new Map()];
    const all = await idle(count);
    costs.push(
      await received(all, async () => {
        await add(all[0] as QueuesOf, "x");
        await clock.advance(200);
      }),
    );
    expect(seen).toHaveLength(1);
    if (count < 40) await world.close();
  }
  const [few = 0, many = 0] = costs;
  expect(many).toBeLessThan(few + 10);
});

test("four workers follow the items of an idle queue, and with four or fewer all do", async () => {
  expect(split(await idle(4))[1]).toEqual([]);
  const all = [...workers.keys(), ...(await idle(5))];
  const [watching, others] = split(all);
  expect([watching.length, others.length]).toEqual([4, 5]);
});

test("workers without a free slot call idle ones at once, as many as the items need", async () => {
  const all = await idle(12, never);
  for (let i = 0; i < 4; i++) await add(all[0] as QueuesOf, i);
  await clock.advance(200);
  expect(seen).toHaveLength(4);
  await Promise.all(Array.from({ length: 8 }, (_, i) => all[0]?.queues.add("q", 4 + i)));
  await clock.advance(400);
  expect(new Set(seen.map(([one]) => one)).size).toBe(12);
});

test("a worker that was called is idle again once it has nothing to do", async () => {
  const all = await idle(8, () => new Promise<void>((resolve) => void clock.after(300, resolve)));
  await Promise.all(Array.from({ length: 8 }, (_, i) => all[0]?.queues.add("q", i)));
  await clock.advance(200);
  expect(seen).toHaveLength(8);
  expect(split(all)[1]).toHaveLength(0);
  await clock.advance(60_000);
  expect(split(all)[0]).toHaveLength(4);
});

describe("when workers die or close", () => {
  test("an item is taken within seconds although all workers that watch the items are dead", async () => {
    const all = await idle(12);
    const [watching, [first]] = split(all) as [QueuesOf[], [QueuesOf]];
    for (const one of watching) world.kill(one);
    for (let i = 0; i < 5; i++) {
      const before = clock.monotonic();
      await add(first, i);
      while (seen.length <= i && clock.monotonic() < before + 60_000) await clock.advance(100);
      expect([i, clock.monotonic() - before < 15_000]).toEqual([i, true]);
    }
  });

  test("the items of dead workers are taken back although all that watched are dead", async () => {
    const all = await idle(12, never);
    const [first] = all as [QueuesOf];
    for (let i = 0; i < 3; i++) await add(first, i);
    await clock.advance(500);
    const [watching] = split(all);
    expect(watching.length).toBeGreaterThan(2);
    for (const one of watching) world.kill(one);
    seen = [];
    // Their sessions live for 15 s.
    await clock.advance(30_000);
    expect(seen.map(([, data]) => data).toSorted()).toEqual([0, 1, 2]);
  });

  test("an item does not wait for long if those that are called are dead", async () => {
    const all = await idle(12, never);
    const [[first], others] = split(all) as [QueuesOf[], QueuesOf[]];
    for (const one of others.slice(0, -2)) world.kill(one);
    const before = clock.monotonic();
    for (let i = 0; i < 4; i++) await add(first as QueuesOf, i);
    while (seen.length < 4 && clock.monotonic() < before + 60_000) await clock.advance(100);
    expect(clock.monotonic() - before).toBeLessThan(10_000);
  });

  test("a worker that closes hands the watch to an idle one", async () => {
    const all = await idle(12);
    const [watching, [other]] = split(all) as [QueuesOf[], [QueuesOf]];
    await clock.until(Promise.all(watching.map((one) => workers.get(one)?.close())));
    await clock.advance(500);
    await add(other, "x");
    await clock.advance(200);
    expect(seen).toHaveLength(1);
  });
});
