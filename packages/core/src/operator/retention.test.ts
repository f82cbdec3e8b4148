import { beforeEach, describe, expect, test } from "vitest";
import { openChannel } from "../channel/open.js";
import { type JobManager, openJobManager } from "../jobs/manager.js";
import { runId } from "../jobs/run-id.js";
import type { JobManagerOptions, RetentionOptions, RunRecord } from "../jobs/types.js";
import { collect, rejection } from "../testing/settle.js";
import { FakeProcess } from "../testing/simulation/process.js";
import { type ManagerOf, World } from "../testing/world.js";

/** Long, because the tests let days pass. */
const TTL = 600_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

let world: World;
let now: number;

beforeEach(() => {
  world = new World();
  world.clock.wall += 18 * HOUR;
  now = world.clock.now();
});

function record(name: string, startTime: number, more: Partial<RunRecord> = {}): RunRecord {
  return {
    name,
    startTime,
    startDate: new Date(startTime).toISOString(),
    id: runId({ name, startTime }),
    holder: { host: "h", pid: 1, instance: "1-x" },
    status: "completed",
    trigger: "manual",
    timeout: 1,
    endTime: startTime + 1,
    fence: "1",
    ...more,
  };
}

/** The records of a name that ran `perDay` times on each of the last `days` days, the oldest first. */
const history = (name: string, days: number, perDay = 1): RunRecord[] =>
  Array.from({ length: days * perDay }, (_, i) => record(name, now - days * DAY + ((i + 0.5) * DAY) / perDay));

/** Opens a manager, with the clock of a process if one is given, and lets it check. */
async function opened(options: JobManagerOptions = {}): Promise<ManagerOf> {
  const way = await world.way();
  const store = { chJobs: { backend: way }, chLocks: { backend: way } };
  const manager = await world.clock.until(openJobManager({ clock: world.clock, ttl: TTL, ...store, ...options }));
  return { manager, way, jobsWay: way };
}

/** Long enough for the first check of a manager, if no other one checks. */
const look = (): Promise<void> => world.clock.advance(60_000);

/** The number of remaining runs of each name. */
async function left({ manager }: { readonly manager: JobManager }): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { name } of await world.clock.until(collect(manager.history()))) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** A store that has these records before its first check, and the manager that checks it. */
async function looked(
  records: readonly RunRecord[],
  retention: RetentionOptions | false = {},
  more: JobManagerOptions = {},
): Promise<ManagerOf> {
  await world.write({ jobsWay: await world.way() }, records);
  const one = await opened({ retention, ...more });
  await look();
  return one;
}

describe("records are pruned by default", () => {
  test("runs that ended more than 90 days ago are deleted, but for the newest 100 of their name", async () => {
    const one = await looked([...history("busy", 200, 2), ...history("calm", 120), ...history("young", 60, 3)]);
    expect(await left(one)).toEqual({ busy: 180, calm: 100, young: 180 });
    // Nothing is due before a day has passed.
    await world.clock.advance(DAY / 2);
    expect(await left(one)).toEqual({ busy: 180, calm: 100, young: 180 });
  });

  test("in a store without a setting of what to keep, the first runs are deleted after a day", async () => {
    await world.write({ jobsWay: await world.way() }, history("busy", 200, 2));
    const one = await opened();
    await world.clock.advance(DAY / 2);
    expect(await left(one)).toEqual({ busy: 400 });
    await opened();
    await world.clock.advance(DAY);
    expect(await left(one)).toEqual({ busy: 180 });
  });

  test("the pass of the next day deletes what has become old since", async () => {
    const one = await looked(history("busy", 100, 3));
    expect(await left(one)).toEqual({ busy: 270 });
    await world.clock.advance(DAY / 2);
    for (let i = 0; i < 3; i++) await world.clock.until(one.manager.run("busy", () => {}));
    await world.clock.advance(DAY / 2 + 20 * TTL);
    expect(await left(one)).toEqual({ busy: 270 });
  });

  test("false keeps everything, also from a process that does not say what to keep", async () => {
    const one = await looked(history("busy", 200, 2), false);
    await opened();
    await world.clock.advance(2 * DAY);
    expect(await left(one)).toEqual({ busy: 400 });
  });

  test("a setting that only a later version knows deletes nothing, until a program sets another one", async () => {
    await world.write({ jobsWay: await world.way() }, history("busy", 200, 2));
    const turns = await openChannel<unknown>("oJobManager-turns", { backend: await world.way(), clock: world.clock });
    await turns.set("retention", { olderThan: { completed: DAY }, keep: 5 });
    const one = await opened();
    await world.clock.advance(3 * DAY);
    expect(await left(one)).toEqual({ busy: 400 });
    await opened({ retention: {} });
    await world.clock.advance(DAY + 20 * TTL);
    expect(await left(one)).toEqual({ busy: 180 });
    await turns.close();
  });

  test("of several programs, the one that was opened last decides; {} restores the default", async () => {
    const one = await looked(history("busy", 200, 2), false);
    await opened({ retention: { olderThan: 150 * DAY, keep: 5 } });
    await world.clock.advance(DAY + 20 * TTL);
    // No run began on that day: it does not count.
    expect(await left(one)).toEqual({ busy: 300 });
    await opened({ retention: {} });
    await world.clock.advance(DAY + 20 * TTL);
    expect(await left(one)).toEqual({ busy: 180 });
  });

  test("the newest run of a name stays even with keep: 0", async () => {
    const one = await looked([...history("busy", 60), record("once", now - 50 * DAY)], {
      olderThan: 10 * DAY,
      keep: 0,
    });
    expect(await left(one)).toEqual({ busy: 10, once: 1 });
  });

  test("a run that is still open stays, however many have begun since", async () => {
    const one = await looked([], { olderThan: 8 * HOUR, keep: 1 });
    const run = await world.clock.until(one.manager.start("busy", { timeout: 60 * HOUR }));
    const newer = Array.from({ length: 40 }, (_, i) => record("busy", run.startTime + (i + 1) * HOUR));
    await world.write(one, newer);
    await world.clock.advance(41 * HOUR);
    const [newest, ...others] = await collect(one.manager.history());
    expect(newest?.startTime).toBe(newer.at(-1)?.startTime);
    expect(others.length).toBeLessThan(12);
    expect(others.at(-1)).toMatchObject({ id: run.id, status: "running" });
    expect(await run.end()).toMatchObject({ status: "completed" });
  });

  test("the attempts of a chain stay while the next one waits or is running", async () => {
    const retry = { attempts: 5, delay: 6 * DAY, maxDelay: 6 * DAY };
    const one = await looked([], { olderThan: 8 * HOUR, keep: 1 });
    const fails = one.manager.run("job", () => Promise.reject(new Error("no")), { retry });
    fails.catch(() => {});
    // Other runs of the name, later on.
    for (let i = 0; i < 40; i++) {
      await world.clock.advance(HOUR);
      await world.clock.until(one.manager.run("job", () => {}));
    }
    await world.clock.advance(HOUR);
    const failed = await world.clock.until(collect(one.manager.history({ status: "failed" })));
    expect(failed.map(({ attempt }) => attempt)).toEqual([1]);
    expect((await left(one))["job"]).toBeLessThan(12);
    await world.clock.until(one.manager.cancel("job", { reason: "enough" }));
    for (let i = 0; i < 12; i++) {
      await world.clock.advance(HOUR);
      await world.clock.until(one.manager.run("job", () => {}));
    }
    await world.clock.advance(HOUR);
    expect(await collect(one.manager.history({ status: "failed" }))).toEqual([]);
  });

  test("the log of a run goes with its record, and the runs of an hour are counted for ever", async () => {
    const one = await looked([], { olderThan: 8 * HOUR, keep: 1 });
    const { record: first } = await world.clock.until(one.manager.run("job", (run) => run.log.info("a line")));
    await world.clock.advance(HOUR);
    const rollups = (by: "hour" | "minute"): Promise<number[]> =>
      world.clock
        .until(one.manager.rollups({ from: now, to: now + HOUR, by }))
        .then(({ jobs }) => jobs.flatMap(({ cells }) => cells.map(({ runs }) => runs.completed ?? 0)));
    expect(await rollups("hour")).toEqual([1]);
    expect((await collect(one.manager.log(first.id))).length).toBe(1);
    for (let i = 0; i < 14; i++) {
      await world.clock.advance(HOUR);
      await world.clock.until(one.manager.run("job", () => {}));
    }
    await world.clock.advance(2 * HOUR);
    const ids = (await collect(one.manager.history())).map(({ id }) => id);
    expect(ids).not.toContain(first.id);
    expect(await collect(one.manager.log(first.id))).toEqual([]);
    expect(await rollups("hour")).toEqual([1]);
    expect(await rollups("minute")).toEqual([]);
  });
});

describe("a wrong wall clock deletes no history", () => {
  test.each([
    { ahead: DAY, days: "a day" },
    { ahead: 365 * DAY, days: "a year" },
  ])("a process whose clock is $days ahead, which also runs jobs", async ({ ahead }) => {
    const process = new FakeProcess(world.clock);
    process.ahead = ahead;
    const one = await looked(history("busy", 200, 10), undefined, { clock: process });
    for (let i = 0; i < 150; i++) await world.clock.until(one.manager.run("busy", () => {}));
    await world.clock.advance(DAY / 2);
    const counts = await left(one);
    // The day that the wrong clock has added costs at most the runs of one of the last 90 days.
    expect(counts["busy"]).toBeGreaterThanOrEqual(150 + 890);
    expect(counts["busy"]).toBeLessThanOrEqual(150 + 910);
  });

  test("a process whose clock is behind deletes nothing, and the next one with a right clock continues", async () => {
    const process = new FakeProcess(world.clock);
    process.ahead = -50 * 365 * DAY;
    const slow = await looked(history("busy", 200, 2), undefined, { clock: process });
    expect(await left(slow)).toEqual({ busy: 400 });
    await world.clock.until(slow.manager.close());
    const one = await opened();
    await world.clock.advance(20 * TTL);
    expect(await left(one)).toEqual({ busy: 180 });
  });

  test("a store that was not in use for a year keeps its last 90 days of runs", async () => {
    await world.write({ jobsWay: await world.way() }, history("busy", 200, 2));
    await world.clock.advance(365 * DAY);
    const one = await opened({ retention: {} });
    await look();
    expect(await left(one)).toEqual({ busy: 180 });
  });
});

describe("a pass", () => {
  test("reads nothing more until the next one is due", async () => {
    const reads = async (retention: RetentionOptions | false): Promise<number> => {
      world = new World();
      now = world.clock.now();
      const { way } = await looked(history("busy", 200, 2), retention);
      const before = way.reads;
      await world.clock.advance(DAY / 2);
      return way.reads - before;
    };
    const [idle, pruned] = [await reads(false), await reads({})];
    expect(pruned).toBeLessThan(idle * 1.1);
  });

  test("is made by one process, in commits of a few hundred ops", async () => {
    const one = await looked([...history("busy", 200, 20), ...history("other", 80, 20)]);
    const two = await opened();
    await look();
    expect(await left(one)).toEqual({ busy: 1_800, other: 1_600 });
    const deletes = ({ way }: ManagerOf): number[] =>
      way.commits.map(({ writes }) => writes.filter(({ value }) => value === null).length).filter((n) => n > 10);
    expect(deletes(two)).toEqual([]);
    expect(Math.max(...deletes(one))).toBeLessThanOrEqual(800);
  });

  test("ends after a second, and the next look continues", async () => {
    await world.write({ jobsWay: await world.way() }, history("busy", 200, 20));
    const one = await opened({ retention: false });
    await look();
    await world.clock.until(one.manager.close());
    const slow = await opened({ retention: {} });
    slow.way.fault = ({ kind }) => (kind === "commit" ? { type: "slow", ms: 300 } : undefined);
    let before = 4_000;
    const seen: number[] = [];
    while (before > 1_800) {
      await world.clock.advance(TTL);
      const { busy = 0 } = await left(slow);
      if (busy < before) seen.push(before - busy);
      before = busy;
    }
    expect(before).toBeGreaterThan(1_790);
    // Four commits take longer than a second.
    expect(Math.max(...seen)).toBeLessThanOrEqual(1_000);
  });

  test("refuses a setting that it does not understand", async () => {
    const refused = (retention: unknown): Promise<unknown> =>
      rejection(openJobManager({ retention: retention as RetentionOptions }));
    expect(await refused({ olderThen: 1 })).toMatchObject({ code: "INVALID_CONFIG", message: /"olderThen"/ });
    expect(await refused(true)).toMatchObject({ code: "INVALID_CONFIG" });
    expect(await refused({ olderThan: "90 days" })).toMatchObject({ code: "INVALID_CONFIG" });
    expect(await refused({ keep: -1 })).toMatchObject({ code: "INVALID_CONFIG" });
  });
});
