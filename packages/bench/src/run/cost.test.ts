import { expect, it } from "vitest";
import { countServerTime, measureAllocation, measureCost } from "./cost.js";

/** Computes until this process has used this much processor time, in µs. */
function compute(time: number): void {
  const before = process.cpuUsage();
  for (let used = 0; used < time; ) {
    const { user, system } = process.cpuUsage(before);
    used = user + system;
  }
}

it.skipIf(process.platform !== "linux")("the time of a server is what its threads took on the processors", () => {
  const before = process.cpuUsage();
  const time = countServerTime([process.pid]);
  compute(50_000);
  const counted = time();
  const { user, system } = process.cpuUsage(before);
  // The system records the time of a thread at its next tick.
  expect(counted).toBeGreaterThan(20_000);
  expect(counted).toBeLessThan((user + system) * 1.5);
});

it("a server that is gone took no time", () => {
  expect(countServerTime([2 ** 30])()).toBe(0);
});

it("a cost is that of one run", async () => {
  const cost = await measureCost(async () => {
    compute(20_000);
    return 10;
  }, []);
  expect(cost.client).toBeGreaterThanOrEqual(2_000);
  expect(cost.wall).toBeGreaterThan(0);
  expect(cost.server).toBe(0);
  // The main thread alone does not exceed all threads, except for the last tick of the system.
  if (cost.main !== undefined) expect(cost.main).toBeLessThan(cost.client * 2);
});

it("the bytes that a run allocates are counted over garbage collections", async () => {
  const kept: unknown[] = [];
  const bytes = await measureAllocation(async () => {
    for (let i = 0; i < 100_000; i++) kept[i % 10] = new Array(100).fill(i + 0.5);
    return 100_000;
  });
  // 100 numbers of 8 bytes, and the array around them: 80 MB, many times the heap for new objects.
  expect(bytes).toBeGreaterThan(780);
  expect(bytes).toBeLessThan(1_600);
});
