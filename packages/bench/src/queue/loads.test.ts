import { expect, it } from "vitest";
import type { Data, QueueContestant } from "./contestant.js";
import { QueueLoads } from "./loads.js";

/** A queue in memory, with the sizes of the calls of `add`, and how often each item is handled. */
function memoryQueue(times = 1): QueueContestant & { readonly calls: number[] } {
  const waiting: Data[] = [];
  const calls: number[] = [];
  return {
    calls,
    async add(items) {
      calls.push(items.length);
      waiting.push(...items);
    },
    async work(_, handled) {
      const all = waiting.splice(0);
      for (const item of all) for (let i = 0; i < times; i++) setImmediate(() => handled(item));
      return async () => {};
    },
    left: async () => waiting.length,
    close: async () => {},
  };
}

it("a load adds exactly as many items as it should, by calls of the size of its batch", async () => {
  const queue = memoryQueue();
  const loads = new QueueLoads(queue);
  await loads.measure({ what: "add", width: 2 }, 40, []);
  await loads.measure({ what: "add", width: 1, batch: 100 }, 250, []);
  expect(queue.calls).toEqual([...Array(40).fill(1), 13, 100, 100, 37]);
  const cost = await loads.measure({ what: "work", width: 1 }, 290, []);
  expect(cost.wall).toBeGreaterThan(0);
  await loads.prove();
});

it("an item that is handled twice is not a measurement", async () => {
  const loads = new QueueLoads(memoryQueue(2));
  await loads.measure({ what: "add", width: 1 }, 5_000, []);
  await expect(loads.measure({ what: "work", width: 1 }, 5_000, [])).rejects.toThrow("item 0 was handled twice");
  await expect(loads.prove()).rejects.toThrow("item 0 was handled twice");
});

it("an item that is lost is not a measurement", async () => {
  const queue = memoryQueue();
  const loads = new QueueLoads({ ...queue, left: async () => 9 });
  await loads.measure({ what: "add", width: 1 }, 10, []);
  await expect(loads.prove()).rejects.toThrow("of 10 items 0 were handled, and 9 are left");
});
