import { beforeEach, describe, expect, test } from "vitest";
import { isChannelError } from "../../channel/errors.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import type { FaultyBackend } from "../../testing/stores/faulty-backend.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import { openJobManager } from "../manager.js";
import type { Run, RunRecord } from "../types.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const records = ({ manager }: ManagerOf): Promise<RunRecord[]> => collect(manager.history({ name: "a" }));

describe("with records and locks in two stores", () => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart: true });
    two = await world.manager({ apart: true });
  });

  test.each(["reply lost", "request lost"] as const)(
    "a start whose record gets no answer leaves no open run: %s",
    async (type) => {
      one.jobsWay.once('"a', { type });
      const error = await clock.until(rejection(one.manager.start("a")));
      expect(isChannelError(error) && error.outcome).toBe("unknown");
      await clock.advance(TTL);
      expect(await two.manager.heldLocks()).toEqual([]);
      expect((await records(two)).map(({ status }) => status)).toEqual(["lost"]);
      await two.manager.run("a", () => {}, { wait: 0 });
    },
  );

  test("a start whose record meets a broken driver leaves no open run", async () => {
    const { commit } = one.jobsWay;
    one.jobsWay.commit = async (it, options) => {
      one.jobsWay.commit = commit;
      await one.jobsWay.commit(it, options);
      throw new TypeError("no such property");
    };
    expect(await rejection(one.manager.start("a"))).toMatchObject({ code: "FAILED" });
    await clock.advance(TTL);
    expect(await two.manager.heldLocks()).toEqual([]);
    expect((await records(two)).map(({ status }) => status)).toEqual(["lost"]);
  });

  test("a record that reaches the store after its run was closed is refused", async () => {
    for (let ms = 0; ms <= TTL; ms += 2_500) {
      one.jobsWay.once('"a', { type: "late", ms });
      await clock.until(rejection(one.manager.start("a")));
      await clock.advance(3 * TTL);
      expect(await two.manager.heldLocks()).toEqual([]);
      expect((await records(two)).filter(({ status }) => status === "running")).toEqual([]);
    }
  });

  test("a run that is unlocked by force before its record is written does not begin", async () => {
    one.jobsWay.once('"a', { type: "slow", ms: 1_000 });
    const body = rejection(one.manager.run("a", () => expect.unreachable()));
    await clock.advance(500);
    expect(await two.manager.unlock("a", { reason: "now" })).toMatchObject({ unlocked: true });
    expect(await clock.until(body)).toMatchObject({ code: "LOST" });
    const [record] = await records(two);
    expect(record).toMatchObject({ status: "cancelled", error: "unlocked by force: now", name: "a" });
    expect(await two.manager.openRecords()).toEqual([]);
  });

  test("a run whose record cannot be closed keeps its lock until the record is closed", async () => {
    const run = await one.manager.start("a");
    const commit = one.jobsWay.commit.bind(one.jobsWay);
    one.jobsWay.commit = () => Promise.reject(new Error("disk full"));
    expect(await rejection(run.end())).toMatchObject({ message: "the backend failed: disk full" });
    expect((await two.manager.heldLocks()).length).toBe(1);
    one.jobsWay.commit = commit;
    await clock.advance(TTL);
    expect(await two.manager.heldLocks()).toEqual([]);
    expect((await records(two))[0]?.status).toBe("lost");
  });

  test("a run is completed at its end, even if its lock cannot be released", async () => {
    const run = await one.manager.start("a");
    const commit = one.way.commit.bind(one.way);
    one.way.commit = () => Promise.reject(new Error("out of memory"));
    expect(await run.end("done")).toMatchObject({ status: "completed", result: "done" });
    one.way.commit = commit;
    await clock.advance(TTL);
    expect(await two.manager.heldLocks()).toEqual([]);
    expect((await records(two))[0]?.status).toBe("completed");
  });

  test("runs whose locks are lost with the store of the locks are closed by the next manager", async () => {
    await one.manager.start("a");
    for (const manager of [one, two]) manager.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = () => ({ type: "refused" });
    const elsewhere = new World();
    const chLocks = { backend: await elsewhere.way() };
    const three = await world.manager({ chLocks });
    await clock.advance(25 * TTL);
    expect((await records(three))[0]?.status).toBe("lost");
  });
});

describe("with records and locks in one store", () => {
  test.each(["reply lost", "request lost"] as const)(
    "a start that gets no answer leaves no open run and no lock: %s",
    async (type) => {
      const one = await world.manager();
      const two = await world.manager();
      await one.manager.run("warm up", () => {});
      one.way.once('"a', { type });
      const error = await clock.until(rejection(one.manager.start("a")));
      expect(isChannelError(error) && error.outcome).toBe("unknown");
      await clock.advance(TTL);
      expect(await two.manager.heldLocks()).toEqual([]);
      const statuses = (await records(two)).map(({ status }) => status);
      expect(statuses).toEqual(type === "reply lost" ? ["lost"] : []);
    },
  );

  test.each(["reply lost", "request lost"] as const)(
    "an end that gets no answer is read back, and the run is completed: %s",
    async (type) => {
      const one = await world.manager();
      const run = await one.manager.start("a");
      one.way.once('"a', { type });
      const record = await clock.until(run.end("done"));
      expect(record).toMatchObject({ status: "completed", result: "done" });
      expect(await records(one)).toEqual([record]);
      expect(await one.manager.heldLocks()).toEqual([]);
    },
  );

  test("a run whose lock was removed before its end has one end in its record", async () => {
    const one = await world.manager();
    const two = await world.manager();
    const run = await one.manager.start("a");
    await two.manager.channels.locks.unset(["lock", "a"]);
    expect(await rejection(run.end())).toMatchObject({ code: "LOST" });
    expect(await records(two)).toMatchObject([{ status: "lost", error: "its lock was removed or taken" }]);
    const next = await one.manager.start("a");
    await two.manager.channels.locks.unset(["lock", "a"]);
    expect((await next.fail("because")).status).toBe("failed");
  });

  test("runs without a lock are closed by the next manager, older ones too, but no run that is still running", async () => {
    const one = await world.manager();
    await one.manager.start("a");
    one.way.fault = () => ({ type: "refused" });
    const two = await world.manager();
    await two.manager.channels.locks.unset(["lock", "a"]);
    for (let i = 0; i < 3; i++) await two.manager.run("a", () => {});
    await two.manager.start("a");
    await world.manager();
    await clock.advance(25 * TTL);
    const statuses = (await records(two)).map(({ status }) => status);
    expect(statuses).toEqual(["running", "completed", "completed", "completed", "lost"]);
  });

  test("a holder that ends its run in the middle of a forced unlock closes the run only once", async () => {
    const one = await world.manager();
    const two = await world.manager();
    const run = await one.manager.start("a");
    // The unlocking process closes the record; then, before the lock is removed, the holder ends.
    two.way.once("audit", { type: "slow", ms: 500 });
    const unlocking = two.manager.unlock("a", { reason: "why not" });
    await clock.advance(100);
    expect(await rejection(run.end())).toMatchObject({ code: "LOST" });
    expect(await clock.until(unlocking)).toMatchObject({ unlocked: false, run: { status: "cancelled" } });
    expect((await records(two)).map(({ status }) => status)).toEqual(["cancelled"]);
  });
});

describe("a store that loses its data after a run completed", () => {
  /**
   * A manager on this way has read the lock. It reads the session while the run ends and its data disappears.
   */
  const slowReads: FaultyBackend["fault"] = ({ kind }) => (kind === "read" ? { type: "slow", ms: 500 } : undefined);

  async function endAndForget(run: Run): Promise<void> {
    await clock.advance(100);
    expect(await run.end()).toMatchObject({ status: "completed" });
    await world.forgetAll();
  }

  test("a waiter that saw the lock of a completed run does not record that run as lost", async () => {
    const [one, two] = [await world.manager(), await world.manager()];
    const run = await one.manager.start("a");
    two.way.fault = slowReads;
    const waiting = two.manager.run("a", () => {}, { wait: 600_000 });
    await endAndForget(run);
    const { record } = await clock.until(waiting);
    expect(await records(two)).toEqual([record]);
  });

  test("the sweep of a manager that saw the lock of a completed run does not record that run as lost", async () => {
    const one = await world.manager();
    const run = await one.manager.start("a");
    const way = await world.way();
    way.fault = slowReads;
    const opening = openJobManager({ chJobs: { backend: way }, chLocks: { backend: way }, clock });
    await endAndForget(run);
    const manager = await clock.until(opening);
    expect(await records({ manager, way, jobsWay: way })).toEqual([]);
  });
});

describe.each(STORES)("records and locks $stores: the search of a manager for orphans", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test("a manager closes the run of a process that died, although its lock is gone with lost data", async () => {
    await one.manager.start("a");
    await two.manager.start("b");
    for (const way of [one.way, one.jobsWay]) way.fault = () => ({ type: "refused" });
    await two.manager.channels.locks.unset(["lock", "a"]);
    await clock.advance(25 * TTL);
    expect((await records(two)).map(({ status }) => status)).toEqual(["lost"]);
    expect((await two.manager.openRecords()).map(({ name }) => name)).toEqual(["b"]);
  });

  test("a manager leaves alone the runs that begin during its search, however long their start takes", async () => {
    for (let at = 6.5; at <= 8.5; at += 0.25) {
      const name = `at ${at}`;
      const three = await world.manager({ apart });
      await clock.advance(at * TTL);
      three.jobsWay.once(`"${name}`, { type: "slow", ms: 0.3 * TTL });
      const run = await clock.until(three.manager.start(name));
      await clock.advance(25 * TTL);
      expect(run.signal.aborted).toBe(false);
      expect(await run.end()).toMatchObject({ status: "completed" });
      await three.manager.close();
    }
  });

  test("a manager reads few records in search of orphans, and seldom, however many records there are", async () => {
    const startTime = clock.now();
    const holder = { host: "here", pid: 1, instance: "x" };
    const record = {
      name: "a",
      startDate: "",
      status: "completed",
      inError: false,
      holder,
      trigger: "manual",
      timeout: 1,
    };
    for (let i = 0; i < 500; i++) {
      const key = { name: "a", startTime: startTime + i };
      await two.manager.channels.jobs.set(key, { ...record, startTime: key.startTime } as RunRecord);
    }
    const { reads } = one.jobsWay;
    const before = apart ? reads : one.way.reads;
    await clock.advance(100 * TTL);
    // In one store with the sweeps, of four reads each at most. In both stores with one check of the index:
    // two scans, five reads, and the note of that check in each round.
    const most = (apart ? 1 : 5) * 100 + 25;
    expect((apart ? one.jobsWay.reads : one.way.reads) - before).toBeLessThanOrEqual(most);
    await one.manager.close();
    await two.manager.close();
    expect(clock.pending).toBe(0);
  });
});

test.each(["000000", "zzzzzz"])(
  "a run that is open without a lock is closed in time, whatever chance adds to the rest between two looks: %s",
  async (digits) => {
    const random = clock.random.bind(clock);
    clock.random = (length) => (length === digits.length ? digits : random(length));
    const [one, two] = [await world.manager(), await world.manager()];
    await one.manager.start("a");
    one.way.fault = () => ({ type: "refused" });
    await two.manager.channels.locks.unset(["lock", "a"]);
    await clock.advance(25 * TTL);
    expect((await records(two)).map(({ status }) => status)).toEqual(["lost"]);
  },
);

test("a manager with locks of its own closes no run that may still continue under locks that it cannot see", async () => {
  const owner = await world.manager({ apart: true });
  const run = await owner.manager.start("a", { timeout: 4 * 3_600_000 });
  const chJobs = { backend: await world.way({ shared: "network" }) };
  const onlooker = await world.manager({ chJobs, chLocks: { backend: await new World().way() } });
  await clock.advance(3 * 3_600_000);
  expect((await records(onlooker)).map(({ status }) => status)).toEqual(["running"]);
  run.assertHeld();
  for (const way of [owner.way, owner.jobsWay]) way.fault = () => ({ type: "refused" });
  await clock.advance(2 * 86_400_000);
  expect((await records(onlooker)).map(({ status }) => status)).toEqual(["lost"]);
});

test("close of a manager waits for the end of a run whose timeout passed during its start", async () => {
  const one = await world.manager({ apart: true });
  one.jobsWay.once('"a', { type: "slow reply", ms: 500 });
  const run = await clock.until(one.manager.start("a", { timeout: 100 }));
  expect(run.signal.reason).toMatchObject({ code: "TIMEOUT" });
  one.jobsWay.once('"a', { type: "refused" });
  await clock.until(one.manager.close());
  const two = await world.manager({ apart: true });
  expect((await records(two)).map(({ status }) => status)).toEqual(["timeout"]);
});
