import { expect, it } from "vitest";
import { type SchedulerOf, World } from "../testing/world.js";

const MINUTE = 60_000;

it("a tick whose run the store took without an answer is run, once, by a process that is there", async () => {
  const world = new World("2030-01-01T00:00:30Z");
  const one = await world.scheduler("one");
  await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
  await world.until("00:01:30");
  one.way.once('["tick ', { type: "reply lost" });
  await world.until("00:02:30");
  expect(one.ran).toHaveLength(2);
  expect(one.ran[1]).toMatch(/^00:02:/);
  const [, lost, made] = await world.records(one);
  expect(lost).toMatchObject({ status: "lost", error: expect.stringContaining("did not begin") });
  expect(made).toMatchObject({ status: "completed", attempt: 2, chain: lost?.id, tick: lost?.tick });
  expect(await world.ticks(one)).toEqual(["00:01:00 run by one", "00:02:00 run by one"]);
  await world.close();
});

const QUEUED = { every: MINUTE, overlap: "queue", missed: "all" } as const;

/** A scheduler that waits with the tick of 00:02:00; the answer to its start is slow. */
async function waiting(world: World): Promise<SchedulerOf> {
  const one = await world.scheduler("one");
  await world.clock.until(one.scheduler.add("a", QUEUED, one.body(70_000)));
  await world.until("00:02:09");
  one.way.once('["tick ', { type: "slow reply", ms: 500 });
  await world.until("00:02:10");
  await world.clock.advance(200);
  return one;
}

it("a tick whose start is under way when its process closes is run by another", async () => {
  const world = new World("2030-01-01T00:00:30Z");
  const one = await waiting(world);
  void one.scheduler.close();
  await world.clock.until(one.manager.close());
  const two = await world.scheduler("two");
  await world.clock.until(two.scheduler.add("a", QUEUED, two.body()));
  await world.until("00:02:50");
  expect(two.ran).toHaveLength(1);
  const [, handed, made] = await world.records(two);
  expect(handed).toMatchObject({ handedOver: true, error: expect.stringContaining("did not begin") });
  expect(made).toMatchObject({ status: "completed", attempt: 1, tick: handed?.tick });
  await world.close();
});
