import type { Run } from "@ojm/core";
import { beforeEach, describe, expect, it, test } from "vitest";
import type { FakeClock } from "../../core/src/testing/fake-clock.js";
import { rejection } from "../../core/src/testing/settle.js";
import type { ScheduleDefinition } from "./definition/types.js";
import { type SchedulerOf, World } from "./testing/world.js";

const RETRY = { attempts: 2, delay: 30_000, onLost: true } as const;

let world: World;
let clock: FakeClock;
/** The actions of the job functions, with their times in ms since the start. */
let events: string[];

beforeEach(() => {
  world = new World("2030-01-01T00:00:00Z");
  clock = world.clock;
  events = [];
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

const note = (text: string): void => void events.push(text);

/** Works for `takes` ms. When it is signalled to end, it cleans up for `cleans` ms, and throws. */
const job =
  (name: string, { takes, cleans }: { takes: number; cleans: number }) =>
  async (run: Run): Promise<void> => {
    const what = `${world.time(run.tick?.at)} attempt ${run.attempt} on ${name}`;
    note(`begin ${what}`);
    const asked = new Promise<"asked">((resolve) => run.signal.addEventListener("abort", () => resolve("asked")));
    if ((await Promise.race([asked, sleep(takes)])) === "asked") {
      await sleep(cleans);
      note(`clean ${what}`);
      throw run.signal.reason;
    }
    note(`end ${what}`);
  };

async function add(one: SchedulerOf, definition: ScheduleDefinition, takes = 60_000, cleans = 1_500): Promise<void> {
  await clock.until(one.scheduler.add("a", definition, job(one.name, { takes, cleans })));
}

/** The schedulers by rank for the schedule `a`: the first runs its ticks. */
async function pair(definition: ScheduleDefinition, takes?: number): Promise<SchedulerOf[]> {
  const both = [await world.scheduler("one"), await world.scheduler("two")];
  for (const each of both) await add(each, definition, takes);
  return both;
}

const first = (both: readonly SchedulerOf[]): SchedulerOf[] =>
  both.toSorted((a, b) => Number(b.name === runner()) - Number(a.name === runner()));

const runner = (): string | undefined => / on (\w+)$/.exec(events.find((text) => text.startsWith("begin")) ?? "")?.[1];

describe("a close of a scheduler", () => {
  it("keeps the lock until the job function has cleaned up, and starts nothing more", async () => {
    const both = await pair({ every: 60_000, overlap: "queue" });
    await clock.advance(61_000);
    const [here, there] = first(both) as [SchedulerOf, SchedulerOf];
    const closed = here.scheduler.close();
    await clock.advance(1_000);
    expect(await there.manager.heldLocks()).toHaveLength(1);
    await clock.until(closed);
    expect(await there.manager.heldLocks()).toEqual([]);
    const [run] = await world.records(there);
    expect(run).toMatchObject({ status: "cancelled", error: expect.stringContaining("its process closed") });
    await clock.advance(60_000);
    expect(events).toEqual([
      `begin 00:01:00 attempt 1 on ${here.name}`,
      `clean 00:01:00 attempt 1 on ${here.name}`,
      `begin 00:02:00 attempt 1 on ${there.name}`,
    ]);
    await world.close();
  });

  it("closes as lost what is still running after the grace", async () => {
    const [one] = [await world.scheduler("one")];
    await clock.until(one.scheduler.add("a", { every: 60_000 }, () => new Promise(() => {})));
    await clock.advance(61_000);
    const began = clock.monotonic();
    await clock.until(one.scheduler.close({ grace: 3_000 }));
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(3_000);
    expect(await world.records(one)).toMatchObject([{ status: "lost" }]);
    expect(await one.manager.heldLocks()).toEqual([]);
    expect(await rejection(one.scheduler.close({ grace: -1 }))).toMatchObject({ code: "INVALID_ARGUMENT" });
    await world.close();
  });

  it("starts no attempt: the attempt of a run that failed meanwhile is made by another process", async () => {
    const both = [await world.scheduler("one"), await world.scheduler("two")];
    const failing = (name: string) => async (run: Run) => {
      note(`begin ${world.time(run.tick?.at)} attempt ${run.attempt} on ${name}`);
      if (run.attempt > 1) return;
      await sleep(1_000);
      throw new Error("no luck");
    };
    const definition = { every: 600_000, retry: { attempts: 3, delay: 2_000 } } as const;
    for (const each of both) await clock.until(each.scheduler.add("a", definition, failing(each.name)));
    await clock.advance(600_500);
    const [here, there] = first(both) as [SchedulerOf, SchedulerOf];
    // It fails at 601 s, and the next attempt would be due at 603 s, while another function is still running
    // here.
    const other = here.manager.run("b", () => sleep(9_000));
    await clock.advance(1_000);
    const closed = here.scheduler.close();
    const manager = here.manager.close();
    await clock.advance(3_000);
    expect(events).toEqual([`begin 00:10:00 attempt 1 on ${here.name}`, `begin 00:10:00 attempt 2 on ${there.name}`]);
    await clock.until(Promise.all([closed, manager, other]));
    await world.close();
  });

  it.each(Array.from({ length: 12 }, (_, i) => 200 + 250 * i))(
    "hands over a run with retry: another process makes the same attempt within a second, closed after %i ms",
    async (after) => {
      const both = await pair({ every: 3_000, retry: RETRY, overlap: "skip" });
      await clock.advance(3_000 - (clock.now() % 3_000));
      await clock.advance(after);
      const [here, there] = first(both) as [SchedulerOf, SchedulerOf];
      await clock.until(here.scheduler.close());
      await clock.until(here.manager.close());
      const tick = events[0]?.slice(6, 14);
      expect(events.slice(0, 2)).toEqual([
        `begin ${tick} attempt 1 on ${here.name}`,
        `clean ${tick} attempt 1 on ${here.name}`,
      ]);
      await clock.advance(1_000);
      // The attempt comes before the next tick, however soon that is due.
      expect(events[2]).toBe(`begin ${tick} attempt 1 on ${there.name}`);
      const [handed, again] = (await world.records(there)).filter(({ tick: at }) => world.time(at) === tick);
      expect(handed).toMatchObject({ status: "skipped", handedOver: true, inError: false });
      expect(again).toMatchObject({ attempt: 1, chain: handed?.id });
      await clock.advance(30_000);
      await clock.until(there.scheduler.close({ grace: 0 }));
      const outcomes = await world.ticks(there);
      expect(new Set(outcomes.map((text) => text.slice(0, 8))).size).toBe(outcomes.length);
      await world.close();
    },
  );

  it("runs a tick that was claimed, and whose job function did not begin, in another process", async () => {
    const queued = { every: 60_000, overlap: "queue", missed: "all" } as const;
    const one = await world.scheduler("one");
    await add(one, queued, 70_000, 0);
    await world.until("00:02:09");
    one.way.once('["tick ', { type: "slow reply", ms: 500 });
    await world.until("00:02:10");
    await clock.advance(200);
    await clock.until(one.scheduler.close());
    expect(events).toHaveLength(2);
    const two = await world.scheduler("two");
    await add(two, queued, 0);
    await clock.advance(5_000);
    expect(events[2]).toMatch(/^begin 00:02:00 attempt 1 on two/);
    const [, handed] = await world.records(two);
    expect(handed).toMatchObject({ handedOver: true, error: expect.stringContaining("did not begin") });
    await world.close();
  });
});

test("an attempt that was handed over comes before the next tick, even if its process is still running", async () => {
  const one = await world.scheduler("one");
  let isHandedOver = false;
  const definition = { every: 10_000, overlap: "queue", retry: RETRY } as const;
  await clock.until(
    one.scheduler.add("a", definition, async (run) => {
      note(`${world.time(run.tick?.at)} attempt ${run.attempt}`);
      if (isHandedOver) return;
      isHandedOver = true;
      // The next tick is waiting for the lock by now.
      await sleep(9_990);
      await run.handOver("this machine is needed");
    }),
  );
  await clock.advance(25_000);
  expect(events.slice(0, 3)).toEqual(["00:00:10 attempt 1", "00:00:10 attempt 1", "00:00:20 attempt 1"]);
  await world.close();
});

test("a process that leaves a schedule runs no further tick of it, and another one does", async () => {
  const both = await pair({ every: 60_000 }, 1_000);
  await clock.advance(61_000);
  const [here, there] = first(both) as [SchedulerOf, SchedulerOf];
  await clock.until(here.scheduler.leave("a"));
  await clock.advance(180_000);
  const began = events.filter((text) => text.startsWith("begin")).map((text) => text.replace(/.* on /, ""));
  expect(began).toEqual([here.name, there.name, there.name, there.name]);
  await add(here, { every: 60_000 });
  await clock.until(there.scheduler.leave("a"));
  await clock.advance(60_000);
  expect(events.at(-1)).toMatch(`on ${here.name}`);
  await world.close();
});
