import type { Channel, Run, RunRecord, Tick } from "@ojm/core";
import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../../../core/src/testing/fake-clock.js";
import { collect, rejection } from "../../../core/src/testing/settle.js";
import { type ManagerOf, STORES, World } from "../../../core/src/testing/world.js";
import { SkippedJob } from "./runtime/job-error.js";
import { TickClaim } from "./tick-claim.js";

const TTL = 15_000;
const MINUTE = 60_000;
const DAY = 86_400_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const TAKEN = { name: "JobError", message: expect.stringContaining("was run already") };

/** A start for a tick. */
async function startFor({ manager }: ManagerOf, tick: Tick, wait = 2_500): Promise<Run> {
  const claim = new TickClaim(manager, clock, "a", tick);
  await claim.look();
  return manager.start("a", { claim, wait });
}

/** A run for a tick that has nothing to do. */
async function runFor(one: ManagerOf, tick: Tick): Promise<RunRecord> {
  return (await startFor(one, tick)).end();
}

const records = ({ manager }: ManagerOf): Promise<RunRecord[]> => collect(manager.history({ name: "a" }));

describe.each(STORES)("records and locks $stores: runs for ticks", ({ apart }) => {
  let all: ManagerOf[];
  let at: number;

  beforeEach(async () => {
    all = [await world.manager({ apart }), await world.manager({ apart }), await world.manager({ apart })];
    at = clock.now();
  });

  const first = (): ManagerOf => all[0] as ManagerOf;
  const start = (one: ManagerOf, tick: number, schedule = "s", wait = 2_500): Promise<Run> =>
    clock.until(startFor(one, { schedule, at: tick }, wait));

  /**
   * All processes start at once. The run of the winner ends after `ms`. Resolves to the errors of the others.
   */
  const race = (ms: number): Promise<string[]> => {
    const attempts = all.map(async (one) => {
      try {
        const run = await startFor(one, { schedule: "s", at });
        await new Promise<void>((resolve) => void clock.after(ms, resolve));
        await run.end();
        return "ran";
      } catch (error) {
        return error instanceof SkippedJob ? "taken" : String(error);
      }
    });
    return clock.until(Promise.all(attempts));
  };

  test.each([0, 100, 10_000])(
    "a tick is run by one of all managers that try, however soon the run is over: after %d ms",
    async (ms) => {
      expect((await race(ms)).toSorted()).toEqual(["ran", "taken", "taken"]);
      expect(await records(first())).toEqual([expect.objectContaining({ tick: at, status: "completed" })]);
      // Starts that were rejected in the queue do not block later ones.
      await (await start(first(), at + MINUTE, "s", 0)).end();
    },
  );

  test("a tick is refused when it or a later tick was run, even after the record is gone", async () => {
    await (await start(first(), at)).end();
    await first().manager.prune({ olderThan: 0 });
    const by = `${process.pid}`;
    await expect(start(all[1] as ManagerOf, at)).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(`"a" was not started: its tick of 2030-.*Z was run already, by .*${by}$`),
      ),
    });
    await expect(start(all[1] as ManagerOf, at - MINUTE)).rejects.toThrow(/a later tick, of 2030-.*Z was run already/);
    await (await start(all[1] as ManagerOf, at + MINUTE)).end();
    expect(await first().manager.heldLocks()).toEqual([]);
  });

  test("a tick blocks neither other schedules nor runs for no tick", async () => {
    await (await start(first(), at)).end();
    await (await start(all[1] as ManagerOf, at, "another")).end();
    await clock.until(first().manager.run("a", () => {}));
    await expect(start(first(), at)).rejects.toMatchObject(TAKEN);
  });

  test("a run that did not get the lock does not take its tick", async () => {
    const other = await clock.until(first().manager.start("a"));
    await expect(start(all[1] as ManagerOf, at)).rejects.toMatchObject({ code: "LOCKED" });
    await other.end();
    await (await start(all[2] as ManagerOf, at)).end();
  });

  test("a run for a tick whose process dies is lost, and its tick is not run again", async () => {
    await start(first(), at);
    first().way.fault = () => ({ type: "refused" });
    first().jobsWay.fault = () => ({ type: "refused" });
    await clock.advance(3 * TTL);
    await expect(start(all[1] as ManagerOf, at)).rejects.toMatchObject(TAKEN);
    expect(await records(all[1] as ManagerOf)).toEqual([expect.objectContaining({ tick: at, status: "lost" })]);
  });

  test("a run for a tick has a record even if the write of the record is lost", async ({ skip }) => {
    if (!apart) skip("in one store, lock and record are one commit: nothing comes between them");
    first().jobsWay.once('"a', { type: "request lost" });
    await expect(start(first(), at)).rejects.toMatchObject({ outcome: "unknown" });
    await clock.advance(3 * TTL);
    expect(await records(all[1] as ManagerOf)).toEqual([expect.objectContaining({ tick: at, status: "lost" })]);
  });

  test("a tick of a machine with a wrong date does not stop the schedule", async () => {
    clock.wall += 20 * 365 * DAY;
    await (await start(first(), clock.now())).end();
    clock.wall -= 20 * 365 * DAY;
    await (await start(all[1] as ManagerOf, at)).end();
    await expect(start(all[2] as ManagerOf, at)).rejects.toMatchObject(TAKEN);
  });

  test("an entry that ojm did not write is an error that says what to do", async () => {
    const locks = first().manager.channels.locks as Channel<unknown>;
    for (const value of [null, 5, { at: "5" }, { at: 1e300 }, { at: 5, by: { host: "here" } }]) {
      await locks.set(["tick", "a", "s"], value);
      await expect(start(first(), at)).rejects.toMatchObject({
        code: "CORRUPT",
        message: expect.stringContaining("Delete it"),
      });
    }
  });
});

test("a start whose record is refused gives back the first tick of its schedule", async () => {
  const [one, two] = [await world.manager({ apart: true }), await world.manager({ apart: true })];
  const tick = { schedule: "s", at: clock.now() };
  one.jobsWay.fault = ({ kind }) => (kind === "commit" ? { type: "refused" } : undefined);
  expect(await clock.until(rejection(startFor(one, tick)))).toMatchObject({ code: "UNAVAILABLE" });
  expect(await two.manager.heldLocks()).toEqual([]);
  expect(await clock.until(runFor(two, tick))).toMatchObject({ status: "completed", tick: tick.at });
});

test("a start whose record is refused gives back its lock, even if its tick was removed meanwhile", async () => {
  const [one, two] = [await world.manager({ apart: true }), await world.manager({ apart: true })];
  let claimed = "";
  one.way.sent = ({ writes }) => {
    claimed ||= writes.find(({ key }) => key.includes("tick"))?.key ?? "";
  };
  one.jobsWay.fault = ({ kind }) => {
    if (kind !== "commit") return undefined;
    void two.way.commit({ checks: [], writes: [{ key: claimed, value: null }] });
    return { type: "refused" };
  };
  const tick = { schedule: "s", at: clock.now() };
  expect(await clock.until(rejection(startFor(one, tick)))).toMatchObject({ code: "UNAVAILABLE" });
  expect(claimed).not.toBe("");
  expect(await two.manager.heldLocks()).toEqual([]);
});

test("a start whose record is refused gives back its tick to any manager that can run it", async () => {
  const [one, two] = [await world.manager({ apart: true }), await world.manager({ apart: true })];
  const tick = { schedule: "s", at: clock.now() };
  await clock.until(runFor(two, { ...tick, at: tick.at - MINUTE }));
  one.jobsWay.fault = ({ kind }) => (kind === "commit" ? { type: "refused" } : undefined);
  for (let i = 0; i < 2; i++) {
    expect(await clock.until(rejection(startFor(one, tick)))).toMatchObject({ code: "UNAVAILABLE" });
  }
  const earlier = { ...tick, at: tick.at - MINUTE };
  expect(await clock.until(rejection(startFor(two, earlier)))).toMatchObject(TAKEN);
  expect(await clock.until(runFor(two, tick))).toMatchObject({ status: "completed", tick: tick.at });
  expect(await clock.until(rejection(startFor(two, tick)))).toMatchObject(TAKEN);
});
