import { expect, it } from "vitest";
import { memoryFloor } from "../floors/memory.js";
import { workOf } from "./loads.js";

it("a load of many names does the same number for each, one at a time, and returns how many it did", async () => {
  const inside = new Map<string, number>();
  let most = 0;
  const widths: number[] = [];
  const work = workOf({
    async prepare(width) {
      widths.push(width);
    },
    async run(job) {
      expect(inside.get(job) ?? 0).toBe(0);
      inside.set(job, 1);
      most = Math.max(
        most,
        [...inside.values()].reduce((sum, n) => sum + n, 0),
      );
      await Promise.resolve();
      inside.set(job, 0);
    },
    records: async () => 0,
    close: async () => {},
  });
  expect(await work({ what: "run", width: 32 }, 100)).toBe(128);
  expect([most, inside.size, widths]).toEqual([32, 32, [32]]);
});

it("a compare-and-set that loses is not a measurement", async () => {
  const floor = memoryFloor();
  const load = { what: "compareAndSet", width: 2 } as const;
  expect(await workOf(floor)(load, 10)).toBe(10);
  // Another contestant on the same store does not know the versions.
  await expect(workOf(floor)(load, 10)).rejects.toThrow("was changed by another process");
});
