import type { PendingRetry, RunRecord } from "@ojm/core";
import type { ScheduleTick } from "@ojm/schedule";
import { describe, expect, it } from "vitest";
import type { Event, JobStock } from "../../scene/events.js";
import { EVERY, schedules } from "../../scene/jobs.js";
import { evidenceOf, memberWith } from "../hand-made.js";
import type { Evidence, Violation } from "../verdict.js";
import { judgeAttempts } from "./attempts.js";
import { judgeLogs } from "./logs.js";
import { judgeCancels, judgeHolds } from "./requests.js";
import { judgeTicks } from "./ticks.js";

const at = (n: number): number => 1_900_000_000_000 + n * EVERY;
const tick = (n: number, more: Partial<ScheduleTick> = {}): ScheduleTick =>
  ({ schedule: "skips", at: at(n), outcome: "run", run: `skips ${n}`, ...more }) as ScheduleTick;
const record = (n: number, more: Partial<RunRecord> = {}): RunRecord =>
  ({ id: `skips ${n}`, name: "skips", schedule: "skips", tick: at(n), status: "completed", ...more }) as RunRecord;

/** The body of the run of a tick. */
const body = (n: number, more: readonly Event[] = []): Event[] => {
  const id = `skips ${n}`;
  return [
    { e: "enter", id, name: "skips", fence: `${n}`, held: false, timeout: 1_000, run: id, t: 10 * n },
    { e: "exit", id, t: 10 * n + 5 },
    ...more,
  ];
};

function stockOf(events: readonly Event[], jobs: Partial<JobStock>): Evidence {
  const evidence = evidenceOf([memberWith(events)], { records: [] });
  const others = Object.fromEntries(Object.keys(schedules).map((name) => [name, [tick(0, { outcome: "missed" })]]));
  const all = {
    now: at(10_000),
    records: [],
    cursors: Object.fromEntries(Object.keys(schedules).map((name) => [name, { at: at(10_000) }])),
    pending: [],
    logs: [],
    ...jobs,
    ticks: { ...others, ...jobs.ticks },
  };
  return { ...evidence, stock: { records: [], left: [], unreadable: [], jobs: all } };
}

const lawsOf = (violations: readonly Violation[]): string[] => violations.map(({ law }) => law);

describe("the law about ticks", () => {
  const judged = (ticks: ScheduleTick[], records: RunRecord[], waiting: number[] = []): string[] =>
    lawsOf(
      judgeTicks(
        stockOf([...body(1), ...body(2), ...body(3)], {
          ticks: { skips: ticks },
          records,
          cursors: { skips: { at: at(10_000), waiting } },
        }),
      ),
    );

  it("each tick has one outcome, or waits", () => {
    const skipped = tick(2, { outcome: "skipped", reason: "overlap" });
    expect(judged([tick(1), skipped, tick(3)], [record(1), record(3)])).toEqual([]);
    expect(judged([tick(1), tick(3)], [record(1), record(3)], [at(2)])).toEqual([]);
    expect(judged([tick(1), tick(3)], [record(1), record(3)])).toEqual(["one outcome a tick"]);
    expect(judged([], [], [at(1)])).toEqual([]);
    expect(judged([], [])).toEqual(["one outcome a tick"]);
    expect(judged([tick(1), tick(1)], [record(1)])).toEqual(["one outcome a tick"]);
    expect(judged([tick(1, { outcome: "missed", until: at(3), count: 2 })], [])).toEqual(["one outcome a tick"]);
  });

  it("where a clock was set back by an hour, only the ticks of the right time need an outcome", () => {
    const hole = (from: number, isSetBack: boolean): string[] => {
      const ticks = [tick(from), tick(3600), tick(3602)];
      const evidence = stockOf([], { ticks: { skips: ticks.map((one) => ({ ...one, outcome: "missed" })) } });
      evidence.scene.isSetBack = isSetBack;
      return judgeTicks(evidence).map(({ text }) => text.slice(text.indexOf("from")));
    };
    const second = `from ${new Date(at(3601)).toISOString().slice(11)} to before`;
    expect(hole(1, true)).toEqual([expect.stringContaining(second)]);
    expect(hole(1, false)).toHaveLength(2);
    expect(hole(3599, true)).toEqual([expect.stringContaining(second)]);
  });

  it("where a clock was set back, the ticks after the cursor are decided later", () => {
    const ticks = { skips: [tick(3600), tick(3602)].map((one) => ({ ...one, outcome: "missed" as const })) };
    const holes = (cursor: number, isSetBack: boolean): number => {
      const evidence = stockOf([], { ticks, cursors: { skips: { at: at(cursor) } } });
      evidence.scene.isSetBack = isSetBack;
      return judgeTicks(evidence).length;
    };
    expect([holes(3602, true), holes(1, false), holes(1, true)]).toEqual([1, 1, 0]);
  });

  it("a tick that is not due yet needs no outcome, even if later ones have one by a clock that was ahead", () => {
    const ticks = { skips: [tick(1), tick(3601), tick(3603)].map((one) => ({ ...one, outcome: "missed" as const })) };
    const holes = (now: number): number => judgeTicks(stockOf([], { now, ticks })).length;
    expect(holes(at(3602))).toBe(2);
    expect(holes(at(10))).toBe(1);
  });

  it("a tick that was run has one first attempt, and no other tick has one", () => {
    expect(judged([tick(1)], [record(1), record(1, { id: "skips 1 again" })])).toContain("one outcome a tick");
    expect(judged([tick(1)], [])).toEqual(["one outcome a tick"]);
    expect(judged([tick(1, { outcome: "skipped", reason: "paused" })], [record(1)])).toEqual(["one outcome a tick"]);
    expect(judged([tick(7, { run: "skips 7" })], [record(7)])).toEqual(["one outcome a tick"]);
  });
});

describe("the law about attempts", () => {
  const retry = { attempts: 3, delay: 100, backoff: "fixed", maxDelay: 100, onLost: true } as const;
  const judged = (records: RunRecord[], pending: Partial<PendingRetry>[] = []): string[] =>
    lawsOf(judgeAttempts(stockOf([], { records, pending: pending as PendingRetry[] })));
  const lost = record(1, { attempt: 1, retry, status: "lost" });
  const second = record(2, { attempt: 2, retry, chain: "skips 1" });

  it("after an attempt that was lost comes the next one, or waits in the store, and no number comes twice", () => {
    expect(judged([lost, second])).toEqual([]);
    expect(judged([lost], [{ chain: "skips 1", attempt: 2 }])).toEqual([]);
    expect(judged([lost])).toEqual(["no attempt lost"]);
    expect(judged([lost, second, { ...second, id: "skips 3" }])).toEqual(["no attempt lost"]);
  });
});

describe("the law about attempts that were made up for", () => {
  const judgedWith = (events: readonly Event[], ...records: RunRecord[]): string[] =>
    lawsOf(judgeAttempts(stockOf(events, { records, pending: [] })));
  const judged = (...records: RunRecord[]): string[] => judgedWith([], ...records);
  const unused = record(1, { tick: at(1), status: "lost", error: "the store did not answer: its body did not begin" });
  const retry = { attempts: 2, delay: 0, backoff: "fixed", maxDelay: 0, onLost: false } as const;
  const second = record(2, { tick: at(1), attempt: 2, retry, chain: "skips 1" });

  it("a start without an answer is made up for, even where its schedule has no retry", () => {
    expect(judged(unused, second)).toEqual([]);
    expect(judged(unused)).toEqual(["no attempt lost"]);
  });

  const dead = record(1, { tick: at(1), status: "lost", error: "its process died" });

  it("a record that another process closed meanwhile shows it by the policy of the next attempt", () => {
    expect(judged(dead, second)).toEqual([]);
    expect(judged(dead)).toEqual([]);
    expect(judged(dead, { ...second, retry: { ...retry, attempts: 1 } })).toEqual(["no attempt lost"]);
    expect(judged({ ...dead, status: "completed" }, second)).toEqual(["no attempt lost"]);
  });

  it("a run whose function began is not made up for", () => {
    expect(judgedWith(body(1), dead, second)).toEqual(["no attempt lost"]);
    expect(judgedWith(body(1), unused, second)).toEqual(["no attempt lost"]);
    expect(judgedWith(body(2), dead, second)).toEqual([]);
  });
});

describe("the laws about cancels and holds", () => {
  const cancel: Event = { e: "cancelling", name: "skips", reason: "cancel 1", pid: 7, t: 1 };
  const by = { host: "h", pid: 7, instance: "i" };
  const cancelled = (reason: string, pid = 7): RunRecord =>
    record(1, { status: "cancelled", endedBy: { action: "cancel", by: { ...by, pid }, reason } });
  const judged = (records: RunRecord[], more: readonly Event[] = []): string[] =>
    lawsOf(judgeCancels(stockOf([cancel, ...body(1), ...more], { records })));

  it("a run that was cancelled says by whom and why", () => {
    expect(judged([cancelled("cancel 1")])).toEqual([]);
    expect(judged([cancelled("cancel 2")])).toEqual(["a cancel names its author"]);
    expect(judged([cancelled("cancel 1", 8)])).toEqual(["a cancel names its author"]);
    expect(judged([record(1, { status: "cancelled" })])).toEqual(["a cancel names its author"]);
    const told: Event = { e: "cancelled", reason: "cancel 1", run: "skips 1", status: "cancelled", t: 2 };
    expect(judged([record(1)], [told])).toEqual(["a cancel names its author"]);
  });

  it("no run begins while its job is held", () => {
    const held = (t: number): Event => ({ e: "held", name: "skips", life: 100, t });
    expect(lawsOf(judgeHolds(stockOf([...body(5), held(40)], {})))).toEqual(["no run during a hold"]);
    expect(lawsOf(judgeHolds(stockOf([...body(5), held(60)], {})))).toEqual([]);
  });
});

describe("the law about logs", () => {
  const judged = (
    log: { lines: number; isCut?: boolean; faults?: string[] },
    more: readonly Event[] = [],
  ): string[] => {
    const logged: Event = { e: "logged", run: "skips 1", lines: 9, t: 14 };
    const logs = [{ run: "skips 1", isCut: false, faults: [], ...log }];
    return lawsOf(judgeLogs(stockOf([...body(1, [logged]), ...more], { logs })));
  };

  it("a log has all its lines, or counts those that are missing, unless its run was ended", () => {
    expect(judged({ lines: 9 })).toEqual([]);
    expect(judged({ lines: 7 })).toEqual(["the log is honest"]);
    expect(judged({ lines: 7, isCut: true })).toEqual(["the log is honest"]);
    expect(judged({ lines: 12 })).toEqual(["the log is honest"]);
    expect(judged({ lines: 9, faults: ["line 3 where 2 is expected"] })).toEqual(["the log is honest"]);
    expect(judged({ lines: 7, isCut: true }, [{ e: "signal", id: "skips 1", code: "LOST", t: 13 }])).toEqual([]);
  });
});
