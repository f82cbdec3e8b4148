import { beforeEach, expect, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import { slowdownOf, type Trends, trendsOf } from "./trend.js";

const SECOND = 1_000;
const DAY = 86_400_000;

let clock: FakeClock;
let one: ManagerOf;

beforeEach(async () => {
  const world = new World();
  clock = world.clock;
  one = await world.manager();
});

/** Runs a job that takes `ms`. */
async function run(name: string, ms: number): Promise<void> {
  const body = (): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  await clock.until(one.manager.run(name, body));
}

const trends = (...names: string[]): Promise<Trends> => clock.until(trendsOf(one.manager, names, clock.now()));

test("the trend of a job compares the median of its runs in a week with that of the week before", async () => {
  for (let day = 0; day < 14; day++) {
    await run("slower", day < 7 ? 10 * SECOND : 30 * SECOND);
    // One slow run in each week.
    await run("steady", day % 7 === 3 ? 600 * SECOND : 10 * SECOND);
    if (day >= 7) await run("new", SECOND);
    // A run that fails ends early, and does not count.
    if (day % 2 === 0) await run("failing", 20 * SECOND);
    else await clock.until(rejection(one.manager.run("failing", () => Promise.reject(new Error("no")))));
    await clock.advance(DAY);
  }
  const { of, counting } = await trends("slower", "steady", "new", "failing", "none");
  expect(counting).toBe(false);
  const inSeconds = (ms: number): number => Math.round(ms / SECOND);
  expect([...of].map(([name, { week, before }]) => [name, inSeconds(week), inSeconds(before)])).toEqual([
    ["failing", 20, 20],
    ["slower", 30, 10],
    ["steady", 10, 10],
  ]);
  const slowest = [...of].toSorted(([, a], [, b]) => slowdownOf(b) - slowdownOf(a));
  expect(slowest[0]?.[0]).toBe("slower");
});
