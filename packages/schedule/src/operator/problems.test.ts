import type { RunRecord } from "@ojm/core";
import type { ActiveRun } from "@ojm/core/internal";
import { beforeEach, describe, expect, it } from "vitest";
import { collect } from "../../../core/src/testing/settle.js";
import { type SchedulerView, type ScheduleView, schedulesIn } from "../control/overview.js";
import { tooLate } from "../decide/decide.js";
import { dueTime } from "../definition/calendar.js";
import type { ScheduleDefinition } from "../definition/types.js";
import { World } from "../testing/world.js";
import {
  type Facts,
  grouped,
  groupKey,
  type Problem,
  problemsOf,
  type ScheduleState,
  scheduleState,
} from "./problems.js";
import { attendanceOf, overdueTicks } from "./schedules.js";

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOW = Date.parse("2030-01-01T12:00:00Z");

const facts = (more: Partial<Facts>): Facts => ({
  ...{
    now: NOW,
    runs: [],
    holds: new Map(),
    retries: [],
    schedules: [],
    failing: [],
    lastRuns: new Map(),
    orphans: [],
  },
  ...more,
});

const record = (name: string, more: Partial<RunRecord> = {}): RunRecord => ({
  ...{ name, id: `${name}@x`, startTime: NOW - DAY, startDate: "", endTime: NOW - DAY + 1, status: "failed" },
  ...{ holder: { host: "h", pid: 7, instance: "i" }, trigger: "manual", timeout: 1, inError: true },
  ...more,
});

const running = (name: string, more: Partial<ActiveRun> = {}): ActiveRun => ({
  ...record(name, { status: "running", startTime: NOW - MINUTE }),
  ...{ fence: "1", waiting: 0 },
  ...more,
});

const kinds = (problems: readonly Problem[]): string[] => problems.map(({ kind, name }) => `${kind} ${name}`);

const schedule = (name: string, late?: number): ScheduleView => ({
  ...{ name, hash: "h", since: 0, decided: 0, waiting: [], definition: () => undefined },
  ...{ next: () => undefined, upcoming: () => undefined, nextRun: () => undefined },
  ticks: async function* () {},
  overdue: (by) => (late === undefined || late > by ? undefined : { at: late, until: late, count: 1 }),
});

const state = (name: string, late: number | undefined, living: readonly SchedulerView[] = []): ScheduleState =>
  scheduleState(schedule(name, late), attendanceOf(living), NOW);

const member = (...schedules: [string, string][]): SchedulerView => ({
  ...{ by: { host: "h", pid: 7, instance: "i" }, heard: 0 },
  schedules: new Map(schedules),
});

describe("a tick is overdue", () => {
  let world: World;
  beforeEach(() => {
    world = new World("2030-01-01T00:00:30Z");
  });

  it.each([
    { every: MINUTE },
    { every: MINUTE, jitter: 20_000 },
    { cron: "*/5 * * * *" },
  ] satisfies ScheduleDefinition[])(
    "exactly when a scheduler that finds it would call it missed: %j",
    async (given) => {
      const one = await world.scheduler("one");
      const definition = { ...given, missed: "none" } as const;
      await world.clock.until(one.scheduler.add("a", definition, one.body()));
      await world.clock.until(one.scheduler.close());
      const { manager } = await world.manager();
      const [view] = await world.clock.until(collect(schedulesIn(manager)));
      const tick = view?.next(view.decided) ?? expect.fail("no tick");
      const due = dueTime("a", definition, tick);
      for (const late of [-1, 0, 5_000, MINUTE - 1, MINUTE, MINUTE + 1, 2 * MINUTE]) {
        const now = due + late;
        const missed = tooLate({ name: "a", definition, now, began: now }, tick, due);
        const overdue = view && overdueTicks(view, now);
        expect([late, overdue?.at]).toEqual([late, missed === undefined ? undefined : tick]);
      }
    },
  );
});

describe("the problems of a store", () => {
  it("are not a failure that an attempt follows, or that is older than a week, or that a person wanted", () => {
    const retry = { attempts: 3, delay: MINUTE, backoff: "fixed", maxDelay: MINUTE, onLost: false } as const;
    const tried = record("tried", { attempt: 1, retry });
    const next = { ...tried, chain: tried.id, attempt: 2, due: NOW + MINUTE, retry };
    const failing = [
      tried,
      record("given up", { attempt: 3, retry }),
      record("between", { attempt: 1, retry, endTime: NOW - 1_000 }),
      record("runs again", { attempt: 1, retry }),
      record("old", { startTime: NOW - 9 * DAY, endTime: NOW - 8 * DAY }),
      record("cancelled", { status: "cancelled" }),
      record("ojm alerts"),
    ];
    const runs = [running("runs again", { id: "runs again@y", chain: "runs again@x", attempt: 2 })];
    expect(kinds(problemsOf(facts({ failing, retries: [next], runs })))).toEqual(["failed given up"]);
    // An attempt that no process makes is a problem of its own.
    const orphaned = [{ ...next, orphaned: true as const }];
    expect(kinds(problemsOf(facts({ failing: [tried], retries: orphaned })))).toEqual(["orphaned-retry tried"]);
  });

  it("of a schedule that no process runs are one sentence, with its overdue ticks and the end of its last run", () => {
    const at = NOW - 2 * MINUTE;
    const lastRuns = new Map([["a", record("a", { status: "running" })]]);
    const found = problemsOf(facts({ schedules: [state("a", at)], lastRuns }));
    const ticks = "one tick is overdue, since 2030-01-01T11:58:00.000Z";
    expect(found).toMatchObject([
      { kind: "unattended", at, text: `no process runs this schedule; ${ticks}; its last run was lost` },
    ]);
    // A job that is running was not lost, and one that failed is a problem of its own.
    const runs = [running("a")];
    expect(problemsOf(facts({ schedules: [state("a", at)], lastRuns, runs }))[0]?.text).toMatch(/Z$/);
    const living = [member(["a", "h"])];
    const text = `${ticks}: the processes that are there have not decided on them`;
    expect(problemsOf(facts({ schedules: [state("a", at, living)] }))).toMatchObject([{ kind: "overdue", text }]);
    expect(problemsOf(facts({ schedules: [state("a", NOW - MINUTE, living)] }))).toEqual([]);
  });

  it("of many schedules that no process runs are one in a group, for each reason", () => {
    const living = [member(["c", "another"], ["d", "another"])];
    const schedules = ["b", "a", "c", "d"].map((name) => state(name, name === "a" ? NOW - DAY : undefined, living));
    const failing = [record("e")];
    const found = grouped(problemsOf(facts({ schedules, failing })));
    expect(found).toMatchObject([
      { kind: "unattended", unattended: "older", name: "c", jobs: { n: 2, names: ["c", "d"] } },
      { kind: "unattended", unattended: "gone", name: "a", at: NOW - DAY, jobs: { n: 2, names: ["a", "b"] } },
      { kind: "failed", name: "e" },
    ]);
    expect(found[1]?.text).toBe("no process runs these schedules");
    const [alone] = grouped(problemsOf(facts({ schedules: [state("a", undefined)] })));
    expect(alone).toEqual({ kind: "unattended", name: "a", text: "no process runs this schedule", unattended: "gone" });
  });

  it.each([
    ["connect ECONNREFUSED 10.0.3.17:5432", "connect ECONNREFUSED 10.0.3.18:5433"],
    ["order 77 took 1.5 s", "order 1234 took 12 s"],
    ["no lock since 2026-11-30T10:00:00.000Z", "no lock since 2026-12-01T09:59:59Z"],
    ["request 7f3e2a9c-4b1d-4e2f-9c3a-1b2c3d4e5f60 failed", "request 0a1b2c3d-0000-4e2f-9c3a-000000000000 failed"],
    ["commit 9fceb02 is gone", "commit ab12cd34 is gone"],
    ["segfault at 0x7ffd01", "segfault at 0xab12"],
    ["the disk is full", "the disk is full"],
  ])("whose errors differ in numbers, ids and times are one group: %s", (one, other) => {
    const failing = [
      record("b", { error: one, endTime: NOW - 2 }),
      record("a", { error: other, endTime: NOW - 1 }),
      record("c", { error: "no route" }),
      record("d", { error: one, status: "lost" }),
    ];
    const found = grouped(problemsOf(facts({ failing })));
    expect(kinds(found)).toEqual(["lost d", "failed a", "failed c"]);
    expect(found[1]).toEqual({
      kind: "failed",
      name: "a",
      at: NOW - 2,
      text: other,
      jobs: { n: 2, names: ["a", "b"], runs: [failing[1]?.id, failing[0]?.id] },
    });
    expect(groupKey(found[1] as Problem)).toBe(groupKey({ kind: "failed", name: "b", text: one }));
  });

  it.each([
    ["no route to db", "no route to feed"],
    ["stopped at code 1", "stopped at code 2"],
    ["decade", "facade"],
    [undefined, undefined],
  ])("whose errors differ in words, or that have none, are not: %s, %s", (one, other) => {
    const failing = [
      record("a", one === undefined ? {} : { error: one }),
      record("b", other === undefined ? {} : { error: other }),
    ];
    expect(kinds(grouped(problemsOf(facts({ failing }))))).toEqual(["failed a", "failed b"]);
  });

  it.each(["paused", "held"] as const)("that are %s by one person for one reason are one group", (kind) => {
    const problem = (name: string, by: string, reason: string, ms = 0): Problem => ({
      ...{ kind, name, at: NOW + ms },
      text: `${kind} by ${by} until ${new Date(NOW + DAY + ms).toISOString()}: ${reason}`,
    });
    const found = grouped([
      problem("b", "ana", "ticket 7"),
      problem("a", "ana", "ticket 7", 3),
      problem("c", "bo", "ticket 7"),
      problem("d", "ana", "ticket 8"),
      { kind, name: "e", at: NOW, text: `${kind} by ana: ticket 7` },
    ]);
    expect(found.map(({ name, jobs }) => [name, jobs?.n])).toEqual([
      ["a", 2],
      ["c", undefined],
      ["d", undefined],
      ["e", undefined],
    ]);
    expect(found[0]).toMatchObject({ at: NOW, text: problem("a", "ana", "ticket 7", 3).text });
  });

  it.each([{ code: 1 }, { signal: "SIGKILL" }])("of commands that ended alike are not one group: %j", (exit) => {
    const failing = ["a", "b"].map((name) => record(name, { error: "the command did not end well", exit }));
    const found = problemsOf(facts({ failing }));
    expect(found).toMatchObject([{ exit }, { exit }]);
    expect(kinds(grouped(found))).toEqual(["failed a", "failed b"]);
  });

  it("of jobs that failed with equal errors after their commands ended well are one group", () => {
    const failing = ["a", "b"].map((name) => record(name, { error: "the disk is full", exit: { code: 0 } }));
    expect(kinds(grouped(problemsOf(facts({ failing }))))).toEqual(["failed a"]);
  });

  it("come in the order of their kinds, and of each kind the newest first", () => {
    const usual = { p50: 1_000, p95: 2_000 };
    const asked = (at: number) => ({ at, name: "", action: "cancel", by: { host: "h", pid: 1, instance: "i" } });
    const found = problemsOf(
      facts({
        runs: [running("long", { usual }), running("ignores", { usual, stopRequest: asked(NOW - MINUTE) })],
        holds: new Map([["held", { reason: "r", at: NOW - 1, until: NOW + 1 }]]),
        failing: [record("a"), record("b", { endTime: NOW }), record("c", { status: "lost" })],
        orphans: [{ name: "o", text: "it runs" }],
      }),
    );
    expect(kinds(found)).toEqual([
      "orphaned o",
      "ignores-cancel ignores",
      "lost c",
      "failed b",
      "failed a",
      "long long",
      "held held",
    ]);
    expect(found.find(({ kind }) => kind === "held")?.text).toBe("held until 2030-01-01T12:00:00.001Z: r");
  });

  it("are not a run that was asked to stop a moment ago, or that takes a little longer than usual", () => {
    const runs = [
      running("asked", { stopRequest: { at: NOW - 59_999, name: "", action: "cancel", by: record("x").holder } }),
      running("longer", { usual: { p50: 1_000, p95: 50_001 } }),
      running("much longer", { usual: { p50: 1_000, p95: 40_001 } }),
    ];
    expect(problemsOf(facts({ runs }))).toEqual([]);
    const late = [running("late", { usual: { p50: 1, p95: 40_000 } })];
    expect(kinds(problemsOf(facts({ runs: late })))).toEqual(["long late"]);
  });
});
