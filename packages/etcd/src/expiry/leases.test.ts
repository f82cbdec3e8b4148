import { expect, it, onTestFinished, vi } from "vitest";
import type { Nodes } from "../calls/nodes.js";
import { Leases } from "./leases.js";

const TTL = 5_000;
const DEADLINE = 1_000;

/** Nodes that answer each grant as the test says. */
function leasesOf(answers: readonly (() => Promise<{ ID: number }>)[]): { leases: Leases; grants: () => number } {
  let grants = 0;
  const call = () => answers[Math.min(grants++, answers.length - 1)]?.();
  return { leases: new Leases({ call } as unknown as Nodes, DEADLINE), grants: () => grants };
}

it("a lease grant that failed is requested again by the next write", async () => {
  const refused = () => Promise.reject(new Error("no leader"));
  const { leases, grants } = leasesOf([refused, async () => ({ ID: 7 })]);
  await expect(leases.take(TTL)).rejects.toThrow("no leader");
  expect((await leases.take(TTL)).id).toBe("7");
  expect(grants()).toBe(2);
});

it("a write must be applied early enough for its lease to outlive the entry", async () => {
  const { leases } = leasesOf([async () => ({ ID: 7 })]);
  const before = performance.now();
  const { appliedBy } = await leases.take(TTL);
  // Of 10 s that the lease lasts, the entry takes 5.
  expect(appliedBy).toBeGreaterThanOrEqual(before + 5_000);
  expect(appliedBy).toBeLessThanOrEqual(performance.now() + 5_000);
});

it("the heartbeats of one ttl share a lease that outlives them all", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const { leases, grants } = leasesOf([async () => ({ ID: 7 }), async () => ({ ID: 8 })]);
  const ids: string[] = [];
  for (let beat = 0; beat < 4; beat++) {
    const { id, appliedBy } = await leases.take(TTL);
    ids.push(id);
    expect(appliedBy).toBeGreaterThanOrEqual(performance.now() + DEADLINE);
    vi.advanceTimersByTime(TTL / 3);
  }
  expect([ids, grants()]).toEqual([["7", "7", "7", "8"], 2]);
});
