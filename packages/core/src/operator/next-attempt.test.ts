import { beforeEach, describe, expect, test } from "vitest";
import type { RunRecord } from "../jobs/types.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";

const MINUTE = 60_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each([
  { title: "in one store", apart: false, watch: true },
  { title: "in two stores", apart: true, watch: true },
  { title: "in a store without watches", apart: false, watch: false },
])("records and locks $title: the wait for the next attempt", ({ apart, watch }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart, supports: { watch } });
    two = await world.manager({ apart, supports: { watch } });
  });

  const last = async (): Promise<RunRecord> => {
    for await (const record of two.manager.history({ name: "a", limit: 1 })) return record;
    throw new Error("there is no run");
  };

  test("ends when it begins, and of the last one none follows", async () => {
    const retry = { attempts: 3, delay: MINUTE };
    let count = 0;
    const work = rejection(one.manager.run("a", () => Promise.reject(new Error(`no ${++count}`)), { retry }));
    await clock.advance(1_000);
    const ended = await clock.until(last());
    let over = false;
    const waiting = two.manager.nextAttempt(ended).finally(() => {
      over = true;
    });
    await clock.advance(50_000);
    expect(over).toBe(false);
    const next = await clock.until(waiting, 20_000);
    expect(next).toMatchObject({ attempt: 2, chain: ended.id });
    const closed = await clock.until(two.manager.wait(next as RunRecord), 1_000);
    const third = await clock.until(two.manager.nextAttempt(closed as RunRecord), 3 * MINUTE);
    expect(third).toMatchObject({ attempt: 3, chain: ended.id });
    const end = (await clock.until(two.manager.wait(third as RunRecord), 1_000)) as RunRecord;
    expect(end).toMatchObject({ status: "failed", error: "no 3" });
    expect(await clock.until(two.manager.nextAttempt(end), 1_000)).toBeUndefined();
    // For an earlier attempt, the result is the last one that began.
    expect(await clock.until(two.manager.nextAttempt(ended), 1_000)).toMatchObject({ id: end.id });
    await clock.until(work);
  });

  test("is not over by one look that misses the attempt", async () => {
    const retry = { attempts: 2, delay: MINUTE };
    const work = rejection(one.manager.run("a", () => Promise.reject(new Error("no")), { retry }));
    await clock.advance(1_000);
    const ended = await clock.until(last());
    // As if the attempt left the pending entries just after this read, and wrote its record just after the
    // next one.
    const read = two.way.read.bind(two.way);
    let missed = 0;
    two.way.read = async (keys, options) => {
      const entries = await read(keys, options);
      if (missed > 0 || !keys.some((key) => key.includes('["retry '))) return entries;
      missed++;
      return entries.map(() => undefined);
    };
    const next = await clock.until(two.manager.nextAttempt(ended), 3 * MINUTE);
    expect(missed).toBe(1);
    expect(next).toMatchObject({ attempt: 2, chain: ended.id });
    await clock.until(work);
  });

  test("is over at its timeout, by its signal, and when the chain is cancelled", async () => {
    const retry = { attempts: 2, delay: 30 * MINUTE };
    const work = rejection(one.manager.run("a", () => Promise.reject(new Error("no")), { retry }));
    await clock.advance(1_000);
    const ended = await clock.until(last());
    const before = clock.now();
    expect(await clock.until(two.manager.nextAttempt(ended, { timeout: 5_000 }))).toBeUndefined();
    expect(clock.now() - before).toBe(5_000);
    const controller = new AbortController();
    const waiting = two.manager.nextAttempt(ended, { signal: controller.signal });
    await clock.advance(1_000);
    controller.abort();
    expect(await clock.until(waiting, 1_000)).toBeUndefined();
    const cancelled = two.manager.nextAttempt(ended);
    await clock.advance(1_000);
    await clock.until(two.manager.cancel("a", { reason: "enough" }), 1_000);
    expect(await clock.until(cancelled, 6_000)).toMatchObject({ attempt: 2, status: "cancelled" });
    await clock.until(work, 60 * MINUTE);
  });

  test("is over at once where a program gave its chain up, and of a run that went well", async () => {
    const controller = new AbortController();
    const options = { retry: { attempts: 2, delay: MINUTE }, signal: controller.signal };
    const work = rejection(one.manager.run("a", () => Promise.reject(new Error("no")), options));
    await clock.advance(1_000);
    controller.abort(new Error("enough"));
    await clock.until(work, 1_000);
    expect(await clock.until(two.manager.nextAttempt(await clock.until(last())), 1_000)).toBeUndefined();
    const { record } = await clock.until(one.manager.run("a", () => 3, { retry: { attempts: 2 } }));
    expect(await clock.until(two.manager.nextAttempt(record), 1_000)).toBeUndefined();
  });
});
