import { backend as simple } from "@ojm/simple";
import { beforeEach, describe, expect, test } from "vitest";
import { openChannel } from "../../channel/open.js";
import { openJobManager } from "../../jobs/manager.js";
import type { Run, RunRecord, RunStatus } from "../../jobs/types.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, World } from "../../testing/world.js";
import { systemClock } from "../../util/clock.js";
import type { Rollups, RollupsOptions } from "./types.js";

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const START = Date.UTC(2030, 0, 1);

let world: World;
let clock: FakeClock;
let one: ManagerOf;
let two: ManagerOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.manager();
  two = await world.manager();
});

const ask = (options: Partial<RollupsOptions> = {}, { manager } = one): Promise<Rollups> =>
  clock.until(manager.rollups({ from: START, to: START + DAY, by: "hour", ...options }));

/** The number of runs by name and status. */
async function counts(options: Partial<RollupsOptions> = {}, of = one): Promise<string> {
  const { jobs, missing } = await ask(options, of);
  const shown = jobs.map(({ name, cells }) => {
    const sums: Partial<Record<RunStatus, number>> = {};
    for (const { runs } of cells)
      for (const [status, n] of Object.entries(runs)) sums[status as RunStatus] = (sums[status as RunStatus] ?? 0) + n;
    return `${name}: ${Object.entries(sums)
      .sort()
      .map(([status, n]) => `${n} ${status}`)
      .join(", ")}`;
  });
  return [...shown, ...(missing === undefined ? [] : ["missing"])].join("; ");
}

/** The same, from the records. */
async function recorded(): Promise<string> {
  const records = await clock.until(collect<RunRecord>(one.manager.history()));
  const names = [...new Set(records.map(({ name }) => name))].sort();
  return names
    .map((name) => {
      const all = records.filter((record) => record.name === name).map(({ status }) => status);
      const statuses = [...new Set(all)].sort();
      return `${name}: ${statuses.map((status) => `${all.filter((it) => it === status).length} ${status}`).join(", ")}`;
    })
    .join("; ");
}

/** Runs a job that takes `ms`. */
async function run(name: string, ms = 0, of = one): Promise<void> {
  const body = (): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  await clock.until(of.manager.run(name, body));
}

const start = (name: string, of = one): Promise<Run> => clock.until(of.manager.start(name));

/** The record of a run that completed, or of one with another status. */
function record(name: string, startTime: number, status: RunStatus = "completed", duration = SECOND): RunRecord {
  const ended = status === "running" ? {} : { endTime: startTime + duration, duration, inError: status === "failed" };
  return {
    name,
    startTime,
    startDate: new Date(startTime).toISOString(),
    id: `${name}@${new Date(startTime).toISOString()}`,
    status,
    holder: { host: "h", pid: 1, instance: "i" },
    trigger: "manual",
    timeout: HOUR,
    fence: "1",
    ...ended,
  };
}

/** The entries of the rollups, by their kinds. */
async function stored(kind: string): Promise<number> {
  const times = await openChannel("oJobManager-times", { backend: await world.way(), clock });
  try {
    return await clock.until(times.size({ prefix: [kind] }));
  } finally {
    await times.close();
  }
}

describe("the rollups of jobs", () => {
  test("a run counts in the hour and in the minute in which it began, with its status and its duration", async () => {
    await run("a", 5_000);
    await run("a", 2_000);
    await clock.until(rejection(one.manager.run("a", () => Promise.reject(new Error("no")))));
    await clock.advance(2 * HOUR);
    await run("b", 1_000);
    const a = { at: START, runs: { completed: 2, failed: 1 }, busy: 7_000, longest: 5_000 };
    const expected = [
      { name: "a", cells: [a] },
      { name: "b", cells: [{ at: START + 2 * HOUR, runs: { completed: 1 }, busy: 1_000, longest: 1_000 }] },
    ];
    const near = (jobs: Rollups["jobs"]): unknown =>
      jobs.map(({ name, cells }) => ({
        name,
        cells: cells.map(({ busy, longest, ...cell }) => ({
          ...cell,
          busy: Math.round(busy / 1_000) * 1_000,
          longest: Math.round(longest / 1_000) * 1_000,
        })),
      }));
    expect(near((await ask()).jobs)).toEqual(expected);
    await clock.advance(2 * MINUTE);
    expect(near((await ask()).jobs)).toEqual(expected);
    expect(near((await ask({ by: "minute", names: ["a", "none"] })).jobs)).toEqual([{ name: "a", cells: [a] }]);
    expect(await ask({ from: START + HOUR, to: START + 2 * HOUR })).toEqual({ jobs: [] });
    expect(await counts({ from: START + 2.5 * HOUR, to: START + 2.6 * HOUR })).toBe("b: 1 completed");
  });

  test("a question reads records only once, then cells: it costs the same after a thousand runs", async () => {
    const cost = async (): Promise<number> => {
      const { reads } = one.way;
      expect(await counts({ names: ["a"] })).toMatch(/^a: \d+ completed$/);
      return one.way.reads - reads;
    };
    await world.write(one, [record("a", START + 1)]);
    await clock.advance(DAY);
    await cost();
    const few = await cost();
    await world.write(
      one,
      Array.from({ length: 1_000 }, (_, i) => record("a", START + 60_000 + i * 86_000)),
    );
    await clock.advance(2 * MINUTE);
    await cost();
    await clock.advance(2 * MINUTE);
    await cost();
    expect(await cost()).toBeLessThanOrEqual(few);
    expect(await counts()).toBe("a: 1001 completed");
  });

  test("a run writes nothing for its rollups, before a fold and after it", async () => {
    await run("a");
    const { length } = one.way.commits;
    await run("a");
    const before = one.way.commits.slice(length);
    await clock.advance(HOUR);
    await counts();
    await run("b");
    const then = one.way.commits.length;
    await run("b");
    const after = one.way.commits.slice(then);
    const size = (all: typeof before): number[] => all.map(({ checks, writes }) => checks.length + writes.length);
    expect(size(after)).toEqual(size(before));
  });

  test("a run that goes on counts as running, and once with its end, also as lost a day later", async () => {
    const body = await start("a");
    const dying = await world.manager();
    await start("b", dying);
    await clock.advance(5 * MINUTE);
    expect(await counts()).toBe("a: 1 running; b: 1 running");
    expect(await stored("open")).toBe(2);
    dying.way.fault = () => ({ type: "refused" });
    await clock.until(body.end());
    expect(await counts()).toBe("a: 1 completed; b: 1 running");
    await clock.advance(DAY);
    expect(await counts()).toBe("a: 1 completed; b: 1 lost");
    await clock.advance(2 * MINUTE);
    expect(await counts()).toBe("a: 1 completed; b: 1 lost");
    expect(await stored("open")).toBe(0);
    expect((await ask({ names: ["a"] })).jobs[0]?.cells[0]?.busy).toBeGreaterThan(4 * MINUTE);
  });

  test("what began since the last fold is in the answer of each process at once", async () => {
    await run("a");
    await clock.advance(HOUR);
    await counts();
    for (let i = 2; i < 5; i++) {
      await run("a", 0, two);
      expect(await counts()).toBe(`a: ${i} completed`);
      expect(await counts({}, two)).toBe(`a: ${i} completed`);
    }
  });

  test.each([
    ["of a moment ago", 30 * SECOND],
    ["of some minutes ago", 5 * MINUTE],
    ["of some hours ago", 5 * HOUR],
    ["of before all others", 30 * HOUR],
  ])("a record that appears behind the fold, with a start time %s, counts once", async (_, ago) => {
    await clock.advance(DAY);
    await run("a");
    await run("b");
    await clock.advance(3 * MINUTE);
    const range = { from: START - 7 * DAY, to: START + 7 * DAY };
    expect(await counts(range)).toBe("a: 1 completed; b: 1 completed");
    const at = clock.now() - MINUTE - ago;
    await world.write(one, [record("a", at), record("c", at, "failed")]);
    for (let i = 0; i < 3; i++) {
      await clock.advance(2 * MINUTE);
      await counts(range);
    }
    expect(await counts(range)).toBe("a: 2 completed; b: 1 completed; c: 1 failed");
  });

  test("a process whose clock is an hour ahead hides no run of the others", async () => {
    const ahead = { now: () => clock.now() + HOUR, monotonic: () => clock.monotonic() };
    const other = {
      ...ahead,
      random: (length: number) => clock.random(length),
      after: (ms: number, callback: () => void) => clock.after(ms, callback),
    };
    const way = await world.way();
    const manager = await clock.until(
      openJobManager({ chJobs: { backend: way }, chLocks: { backend: way }, clock: other }),
    );
    await run("a");
    await clock.until(manager.run("b", () => {}));
    await clock.advance(3 * MINUTE);
    for (let i = 0; i < 5; i++) {
      await clock.until(manager.rollups({ from: START, to: START + DAY, by: "hour" }));
      await run("a");
      await clock.advance(MINUTE + i * 10 * SECOND);
      await counts();
    }
    await clock.advance(2 * MINUTE);
    await counts();
    expect(await counts()).toBe("a: 6 completed; b: 1 completed");
    expect(await recorded()).toBe("a: 6 completed; b: 1 completed");
    await clock.until(manager.close());
  });

  test("a fold that died anywhere is gone on with, and counts nothing twice", async () => {
    const open = await clock.until(one.manager.start("z", { timeout: DAY }));
    for (let i = 0; i < 40; i++) await run(`job ${i % 4}`);
    await clock.advance(HOUR);
    const all = "job 0: 10 completed; job 1: 10 completed; job 2: 10 completed; job 3: 10 completed";
    for (let dies = 0; dies < 8; dies++) {
      const dying = await world.manager({ supports: { maxOps: 8 } });
      let commits = 0;
      dying.way.fault = ({ kind }) => (kind === "commit" && commits++ >= dies ? { type: "refused" } : undefined);
      await clock.until(dying.manager.rollups({ from: START, to: START + DAY, by: "hour" }));
      await clock.advance(30 * SECOND);
      expect(await counts({}, dying)).toBe(`${all}; z: 1 running`);
      dying.way.fault = () => undefined;
      await clock.until(dying.manager.close());
    }
    await clock.until(open.end());
    await clock.advance(2 * MINUTE);
    await counts();
    expect(await counts()).toBe(`${all}; z: 1 completed`);
  });

  test("processes that ask at once fold once, and are told the same", async () => {
    for (let i = 0; i < 20; i++) await run(`job ${i % 2}`);
    await clock.advance(HOUR);
    const managers = [one, two, await world.manager(), await world.manager()];
    const asked = managers.map(({ manager }) => manager.rollups({ from: START, to: START + DAY, by: "minute" }));
    const answers = await clock.until(Promise.all(asked));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const hours = managers.flatMap(({ way }) => way.commits.filter(({ writes }) => writes.some(isHour)));
    expect(hours).toHaveLength(1);
  });

  test("where the entries of the rollups were overwritten, the answer counts the rest", async () => {
    await run("a");
    await clock.advance(HOUR);
    await counts();
    const times = await openChannel("oJobManager-times", { backend: await world.way(), clock });
    await clock.until(times.set("fold", "no state"));
    await clock.until(times.set(["hour", START, "b"], [[1, "x"], [99, 1, 1, 1], 7, [2, 5, 5, 1]]));
    expect(await counts({ by: "minute" })).toBe("a: 1 completed; b: 1 completed");
    await run("a");
    await clock.advance(2 * MINUTE);
    await counts();
    expect(await counts({ by: "minute" })).toBe("a: 2 completed; b: 1 completed");
    await times.close();
  });

  test("in a store without the index, the newest records tell the answer, and what is missing", async () => {
    const backend = await world.way({ commitAcrossChannels: false });
    // With a backend for the locks, too: the import of the default one takes real time.
    const options = { chJobs: { backend }, chLocks: { backend: await world.way() }, clock };
    const apart = { ...one, manager: await clock.until(openJobManager(options)) };
    await run("a", 0, apart);
    await run("b", 0, apart);
    expect(await counts({}, apart)).toBe("a: 1 completed; b: 1 completed");
    expect(await counts({ names: ["b"] }, apart)).toBe("b: 1 completed");
    await world.write(
      { jobsWay: backend },
      Array.from({ length: 5_000 }, (_, i) => record("c", START + i)),
    );
    expect((await ask({}, apart)).missing).toMatchObject({ from: START });
    expect(await counts({ names: ["b"] }, apart)).toBe("b: 1 completed");
    await clock.until(apart.manager.close());
  });

  test("while the first fold goes on, the newest runs are told, and what is missing", async () => {
    const range = { from: START - DAY, to: START };
    await world.write(
      one,
      Array.from({ length: 6_000 }, (_, i) => record("a", range.from + i * SECOND)),
    );
    one.way.fault = ({ kind }) => (kind === "read" ? { type: "slow", ms: 400 } : undefined);
    const first = await ask(range);
    expect(first.missing?.from).toBe(range.from);
    expect(first.jobs[0]?.cells.at(-1)?.at).toBe(range.from + HOUR);
    one.way.fault = () => undefined;
    await clock.advance(MINUTE);
    await counts(range);
    expect(await counts(range)).toBe("a: 6000 completed");
  });

  test("a fold leaves time for others after each page, also where the store answers at once", async () => {
    const backend = await simple.open({}, { clock: { ...systemClock } });
    const to = Date.now();
    const all = Array.from({ length: 6_000 }, (_, i) => record("a", to - HOUR - i));
    await using manager = await openJobManager({ chJobs: { backend }, chLocks: { backend } });
    await using times = await openChannel<unknown>("oJobManager-times", { backend });
    await expect.poll(() => times.get("filled")).toBeDefined();
    let turn = 0;
    let goesOn = true;
    const next = (): void => {
      turn++;
      if (goesOn) setImmediate(next);
    };
    setImmediate(next);
    /** The turns of the event loop in which something was read. */
    const reading = new Set<number>();
    const { read } = backend;
    backend.read = (keys) => {
      reading.add(turn);
      return read.call(backend, keys);
    };
    // On a busy machine a fold may begin before all is written.
    await world.write({ jobsWay: backend }, all);
    // It also takes longer there than the first question waits for it.
    const counted = async (): Promise<number> => {
      const { jobs } = await manager.rollups({ from: to - DAY, to, by: "hour" });
      return jobs.flatMap(({ cells }) => cells).reduce((sum, { runs }) => sum + (runs.completed ?? 0), 0);
    };
    await expect.poll(counted).toBe(all.length);
    goesOn = false;
    expect(reading.size).toBeGreaterThan(10);
  });

  test("an invalid question is refused with the reason", async () => {
    const refusal = async (options: object): Promise<unknown> =>
      ((await rejection(one.manager.rollups({ from: 0, to: 1, by: "hour", ...options } as RollupsOptions))) as Error)
        .message;
    expect(await refusal({ by: "day" })).toBe('by is "hour" or "minute", not the text "day"');
    expect(await refusal({ from: "now" })).toBe('from is a time in ms since 1970, not the text "now"');
    expect(await refusal({ to: -DAY })).toMatch(/^to is before from/);
    expect(await refusal({ names: "a" })).toBe("names is a list of names of jobs");
    expect(await refusal({ to: 8 * DAY, by: "minute" })).toBe("rollups by minute cover at most 7 days at once");
    expect(await refusal({ to: 500 * DAY })).toBe("rollups by hour cover at most 400 days at once");
  });
});

function isHour({ key, value }: { readonly key: string; readonly value: string | null }): boolean {
  return key.startsWith('oJobManager-times ["hour') && value !== null;
}

describe("a prune", () => {
  const range = { from: START - 4 * DAY, to: START };
  beforeEach(async () => {
    const all = Array.from({ length: 96 }, (_, i) => record(i % 2 ? "a" : "b", range.from + (i + 0.5) * HOUR));
    await world.write(one, all);
    await counts(range);
  });
  const prune = (options: { olderThan: number; name?: string; keep?: number }): Promise<unknown> =>
    clock.until(one.manager.prune(options));

  test("takes the hours and days that it empties, and leaves the rest", async () => {
    expect(await stored("hour")).toBe(96);
    await prune({ olderThan: 2 * DAY });
    expect(await counts({ ...range, by: "minute" })).toBe(await recorded());
    expect(await counts(range)).toBe(await recorded());
    expect(await stored("hour")).toBeLessThanOrEqual(49);
    expect(await stored("day")).toBe(4);
  });

  test("with a name, or a number of runs to keep, it takes no hour of which a record is left", async () => {
    await prune({ olderThan: 0, name: "a", keep: 5 });
    expect(await counts({ ...range, by: "minute" })).toBe("a: 5 completed; b: 48 completed");
    await prune({ olderThan: DAY, keep: 10 });
    expect(await counts({ ...range, by: "minute" })).toBe("a: 5 completed; b: 12 completed");
    expect(await recorded()).toBe("a: 5 completed; b: 12 completed");
  });

  test("leaves the hours of a run that goes on", async () => {
    await start("a");
    await run("b");
    await clock.advance(30 * MINUTE);
    await counts();
    await prune({ olderThan: 0 });
    expect(await counts({ ...range, to: START + HOUR })).toBe("a: 1 running; b: 1 completed");
    await clock.advance(HOUR);
    await prune({ olderThan: 0 });
    expect(await counts({ ...range, to: START + HOUR, by: "minute" })).toBe("");
  });
});
