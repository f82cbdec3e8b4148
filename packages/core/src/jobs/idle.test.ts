import { expect, test } from "vitest";
import { type ManagerOf, World } from "../testing/world.js";

const TTL = 5_000;

/** Longer than every period of an idle manager. */
const TTLS = 40;

/**
 * The number of calls to the store by `count` idle managers that have each run a job of their own, per
 * manager and time to live.
 */
async function callsOf(count: number, apart: boolean): Promise<number> {
  const world = new World();
  const all: ManagerOf[] = [];
  for (let i = 0; i < count; i++) {
    const one = await world.manager({ ttl: TTL, apart });
    await one.manager.run(`job ${i}`, () => {});
    all.push(one);
  }
  const ways = new Set(all.flatMap(({ way, jobsWay }) => [way, jobsWay]));
  const calls = (): number => [...ways].reduce((sum, { reads, commits }) => sum + reads + commits.length, 0);
  // Until each has noticed that no process does the shared work.
  await world.clock.advance(10 * TTL);
  const before = calls();
  await world.clock.advance(TTLS * TTL);
  const asked = calls() - before;
  for (const { manager } of all) await world.clock.until(manager.close());
  expect(world.clock.pending).toBe(0);
  return asked / count / TTLS;
}

test.each([
  { stores: "one store", apart: false },
  { stores: "two stores", apart: true },
])("the calls of idle managers grow with the number of managers, not with its square: $stores", async ({ apart }) => {
  const [few, many] = [await callsOf(10, apart), await callsOf(40, apart)];
  expect(many).toBeLessThanOrEqual(5);
  expect(many).toBeLessThanOrEqual(few * 1.1);
});
