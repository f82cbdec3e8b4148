import { expect, it } from "vitest";
import { inLanes } from "./lanes.js";
import type { Done, Task } from "./task.js";

const task = (fault: string, seed: number): Task => ({ backend: "simple", fault, mode: "try", seed, ttl: 300 });

it("lanes run each cell once, and continue after a cell that the harness cannot run", async () => {
  const tasks = [task("none", 1), task("no such fault", 2), task("holder kill -9", 3), task("none", 4)];
  const all: Done[] = [];
  await inLanes(2, tasks, (done) => all.push(done));
  const bySeed = all.map(({ row }) => row).sort((a, b) => a.seed - b.seed);
  expect(bySeed).toMatchObject([
    { seed: 1, violations: 0 },
    { seed: 2, broken: expect.stringContaining("there is no cell simple, no such fault"), violations: 0 },
    { seed: 3, skipped: expect.stringContaining("n/a") },
    { seed: 4, violations: 0 },
  ]);
  expect(bySeed.filter(({ runs }) => runs > 0).map(({ seed }) => seed)).toEqual([1, 4]);
});
