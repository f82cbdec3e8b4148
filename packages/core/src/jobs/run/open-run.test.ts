import { beforeEach, describe, expect, test } from "vitest";
import { isChannelError } from "../../channel/errors.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import type { Call, Fault } from "../../testing/stores/faulty-backend.js";
import { type ManagerOf, World } from "../../testing/world.js";
import type { Run, RunRecord } from "../types.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const records = ({ manager }: ManagerOf): Promise<RunRecord[]> => collect(manager.history({ name: "a" }));
const refused = (): Fault => ({ type: "refused" });
const well = (): undefined => undefined;

/**
 * Like a full disk, in a store that only this process can open: the session, which is not written there,
 * lives on.
 */
const lockRefused = (call: Call): Fault | undefined =>
  call.kind === "commit" && call.commit.writes.some(({ key }) => key.includes('"a')) ? refused() : undefined;

test("a body that fails after its timeout, before a timer fired, rejects as its record says", async () => {
  const one = await world.manager();
  const body = (): void => {
    clock.block(10_000);
    throw new Error("too late");
  };
  const error = await clock.until(rejection(one.manager.run("a", body, { timeout: 5_000 })));
  expect((await records(one)).map(({ status }) => status)).toEqual(["timeout"]);
  expect(error).toMatchObject({ code: "TIMEOUT" });
});

describe.each([
  {
    what: "records that are away while the locks are not",
    apart: true,
    harm: ({ jobsWay }: ManagerOf) => {
      jobsWay.fault = refused;
    },
    mend: ({ jobsWay }: ManagerOf) => {
      jobsWay.fault = well;
    },
  },
  {
    what: "a store that takes nothing but the session",
    apart: false,
    harm: ({ way }: ManagerOf) => {
      way.fault = lockRefused;
    },
    mend: ({ way }: ManagerOf) => {
      way.fault = well;
    },
  },
])("with $what", ({ apart, harm, mend }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test.each<[string, (run: Run) => Promise<unknown>]>([
    ["end", (run) => run.end("done")],
    ["fail", (run) => run.fail("because")],
    ["cancel", (run) => run.cancel()],
  ])(
    "a call of %s rejects in time, and a heartbeat closes the run once the store takes writes again",
    async (_, over) => {
      const run = await one.manager.start("a");
      harm(one);
      const error = await clock.until(rejection(over(run)), TTL + 1_000);
      expect(isChannelError(error) && error.code).toBe("UNAVAILABLE");
      await clock.advance(TTL);
      expect((await two.manager.heldLocks()).length).toBe(1);
      mend(one);
      await clock.advance(TTL);
      expect(await two.manager.heldLocks()).toEqual([]);
      expect((await records(two)).map(({ status }) => status)).toEqual(["lost"]);
    },
  );

  test("the end of a run is written if the store is back in time", async () => {
    const run = await one.manager.start("a");
    harm(one);
    const ending = run.end("done");
    await clock.advance(TTL / 2);
    mend(one);
    expect(await clock.until(ending)).toMatchObject({ status: "completed" });
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("the end of a run whose body is done in time waits for the store no longer than the timeout", async () => {
    const before = clock.monotonic();
    const running = one.manager.run("a", () => harm(one), { timeout: 5_000 });
    const error = await clock.until(rejection(running));
    expect(isChannelError(error) && error.code).toBe("UNAVAILABLE");
    expect(clock.monotonic() - before).toBeLessThanOrEqual(5_000);
  });

  test("a run that times out rejects at once, and its record says timeout if the store is back in time", async () => {
    const before = clock.monotonic();
    const body = (): Promise<void> => {
      harm(one);
      return new Promise(() => {});
    };
    const error = await clock.until(rejection(one.manager.run("a", body, { timeout: 5_000 })));
    expect(error).toMatchObject({ code: "TIMEOUT" });
    expect(clock.monotonic() - before).toBeLessThanOrEqual(6_000);
    mend(one);
    await clock.advance(200);
    expect((await records(two)).map(({ status }) => status)).toEqual(["timeout"]);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("close of a manager settles, and another manager closes the run", async () => {
    await one.manager.start("a");
    harm(one);
    await clock.until(one.manager.close(), 2 * TTL);
    await clock.advance(3 * TTL);
    expect(await two.manager.heldLocks()).toEqual([]);
    expect((await records(two)).map(({ status }) => status)).toEqual(["lost"]);
  });
});

test.each([false, true])(
  "a run ends with its status although its result or error is too large to store: in two stores %s",
  async (apart) => {
    const world = new World();
    const chJobs = { backend: await world.way({ maxValueBytes: 100_000 }) };
    const { manager } = await world.manager({ chJobs, ...(!apart && { chLocks: chJobs }) });
    const large = "x".repeat(1_000_000);
    expect((await manager.run("a", () => large)).result).toBe(large);
    expect(await rejection(manager.run("b", () => Promise.reject(new Error(large))))).toMatchObject({ message: large });
    expect(await manager.heldLocks()).toEqual([]);
    const [failed, completed] = await collect(manager.history());
    expect(completed).toMatchObject({ name: "a", status: "completed" });
    expect(completed).not.toHaveProperty("result");
    expect(failed).toMatchObject({ name: "b", status: "failed", error: expect.stringMatching(/^x{10000}…$/) });
  },
);
