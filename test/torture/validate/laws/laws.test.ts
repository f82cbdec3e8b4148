import { describe, expect, it } from "vitest";
import type { Injected } from "../../faults/fault.js";
import type { Event } from "../../scene/events.js";
import type { Trouble } from "../../scene/scene.js";
import { evidenceOf, memberWith, type RunTimes, runEvents } from "../hand-made.js";
import { judgeRecovery, judgeRest, recoveryOf } from "./after.js";
import { judgeCalls } from "./calls.js";
import { judgeFences } from "./fences.js";
import { judgeKept } from "./kept.js";

const lawsOf = (violations: readonly { readonly law: string }[]): string[] => violations.map(({ law }) => law);

describe("the law about older fences", () => {
  const late = (version: string): Event => ({ e: "write", name: "a", fence: "3", ok: true, version, t: 50 });
  const members = (version: string) => [
    memberWith([...runEvents("3", { since: 0, exit: 60 }), late(version)]),
    // Granted only: its body wrote nothing, and did not even begin.
    memberWith([{ e: "granted", name: "a", fence: "7", session: "t", sent: 70, timeout: 40, t: 71 }], { index: 1 }),
  ];

  it("a write with an older fence is a violation once a higher fence was given, even if its holder wrote nothing", () => {
    expect(lawsOf(judgeFences(evidenceOf(members("9"))))).toEqual(["older fence refused"]);
    expect(lawsOf(judgeFences(evidenceOf(members("5"))))).toEqual([]);
  });
});

describe("the law about failed calls", () => {
  const calls = (code: string, troubles: readonly Trouble[] = [], more: readonly Event[] = []): string[] => {
    const members = [memberWith([{ e: "trouble", code, text: "no", t: 100 }, ...more])];
    return lawsOf(judgeCalls(evidenceOf(members, { troubles })));
  };
  const trouble: Trouble = { from: 50, to: 90 };

  it("a call that fails without a reason is a violation", () => {
    expect(calls("TIMEOUT")).toEqual(["no error"]);
    expect(calls("TIMEOUT", [trouble])).toEqual([]);
    expect(calls("TIMEOUT", [], [{ e: "lag", from: 20, to: 99, t: 99 }])).toEqual(["no error"]);
    expect(calls("CLOSED", [], [{ e: "stopping", t: 99 }])).toEqual([]);
    for (const code of ["CORRUPT", "FAILED", "INVALID_ARGUMENT"]) expect(calls(code, [trouble])).toEqual(["no error"]);
  });
});

describe("recovery", () => {
  const struck = memberWith(runEvents("1", { since: 0 }));
  const injected: Injected = { since: 100, names: ["a"], bound: 500, struck };
  const next = (times: RunTimes, more: readonly Event[] = []) =>
    evidenceOf([struck, memberWith([...runEvents("2", times), ...more], { index: 1 })], { injected });

  it("a recovery later than its bound is a violation; time in which its process stood still does not count", () => {
    const asked: Event = { e: "asked", id: "x", name: "a", wait: 0, wall: 0, t: 90 };
    expect(lawsOf(judgeRecovery(next({ since: 600, enter: 601 }, [asked])))).toEqual(["recovers in time"]);
    expect(lawsOf(judgeRecovery(next({ since: 590, enter: 599 }, [asked])))).toEqual([]);
    const lag: Event = { e: "lag", from: 300, to: 420, t: 420 };
    expect(recoveryOf(next({ since: 600, enter: 701 }, [asked, lag]))).toBeCloseTo(481);
  });

  it("a recovery counts from when another process wanted the lock", () => {
    expect(recoveryOf(next({ since: 600, enter: 610 }))).toBeCloseTo(11);
  });

  it("a recovery counts from the end of a run whose lease lived on, not of a run that was signalled its loss", () => {
    const asked: Event = { e: "asked", id: "x", name: "a", wait: 0, wall: 0, t: 90 };
    const times = { since: 0, exit: 580 };
    const recoveredIn = (times: RunTimes, isStruck = false) => {
      const holder = memberWith(runEvents("1", times));
      const other = memberWith([asked, ...runEvents("2", { since: 585, enter: 590 })], { index: 1 });
      const injected: Injected = { since: 100, names: ["a"], bound: 500, ...(isStruck ? { struck: holder } : {}) };
      return recoveryOf(evidenceOf([holder, other], { injected }));
    };
    expect(recoveredIn(times)).toBeCloseTo(10);
    expect(recoveredIn({ ...times, signal: [90, "LOST"] })).toBeCloseTo(490);
    expect(recoveredIn(times, true)).toBeCloseTo(490);
  });

  it("a recovery counts only the times in which another process wanted the lock: one that ends wants it no more", () => {
    const asked: Event = { e: "asked", id: "x", name: "a", wait: 0, wall: 0, t: 150 };
    const leaving = memberWith([asked, { e: "stopping", t: 200 }], { index: 1 });
    const other = memberWith(runEvents("2", { since: 700, enter: 710 }), { index: 2 });
    // From 150 to 200, and from when the other one asked.
    expect(recoveryOf(evidenceOf([struck, leaving, other], { injected }))).toBeCloseTo(50 + 11);
  });

  it("a recovery counts from the end of a run whose process was asked to end: it keeps its lock", () => {
    const asked: Event = { e: "asked", id: "x", name: "a", wait: 0, wall: 0, t: 90 };
    const closing = memberWith(runEvents("1", { since: 0, exit: 580, signal: [120, "CLOSING"] }));
    const other = memberWith([asked, ...runEvents("2", { since: 585, enter: 590 })], { index: 1 });
    const evidence = evidenceOf([closing, other], { injected: { since: 100, names: ["a"], bound: 500 } });
    expect(recoveryOf(evidence)).toBeCloseTo(10);
  });

  it("a recovery does not count from when the holder of the lock itself asked for the lock", () => {
    const asked: Event = { e: "asked", id: "run 1", name: "a", wait: 0, wall: 0, t: -5 };
    const holder = memberWith([asked, ...runEvents("1", { since: 0, settled: [140, "LOST"] })]);
    const other = memberWith(runEvents("2", { since: 600, enter: 610 }), { index: 1 });
    // The fault did not strike this worker, so it may be the next one, too.
    const evidence = evidenceOf([holder, other], { injected: { since: 100, names: ["a"], bound: 500 } });
    expect(recoveryOf(evidence)).toBeCloseTo(11);
  });
});

describe("a run that its thread must keep", () => {
  const computed: Event = { e: "computed", id: "run 1", from: 10, to: 7_000, t: 7_000 };
  const judge = (first: RunTimes, second: RunTimes | undefined, status: string): string[] => {
    const member = memberWith([...runEvents("1", first), computed]);
    const other = memberWith(second === undefined ? [] : runEvents("2", second), { index: 1 });
    const injected: Injected = { since: 7_000, names: ["a"], kept: { member, id: "run 1" } };
    const records = [{ name: "a", fence: "1", status }];
    return lawsOf(judgeKept(evidenceOf([member, other], { injected, records })));
  };

  it("a run that its thread must keep runs alone, is signalled no loss, and completes", () => {
    const sound: RunTimes = { since: 0, exit: 7_001, settled: [7_002, "completed"] };
    expect(judge(sound, { since: 7_005, exit: 7_010 }, "completed")).toEqual([]);
    expect(judge(sound, { since: 5_000, exit: 5_010 }, "completed")).toEqual(["kept by the thread"]);
    expect(judge({ ...sound, signal: [7_000.5, "LOST"] }, undefined, "completed")).toEqual(["kept by the thread"]);
    expect(judge(sound, undefined, "lost")).toEqual(["kept by the thread"]);
  });
});

it("a process that does not end after it closed everything is a violation", () => {
  const rest = (endedAt: number): string[] =>
    lawsOf(judgeRest(evidenceOf([memberWith([{ e: "closed", t: 100 }], { endedAt })])));
  expect(rest(500)).toEqual([]);
  expect(rest(2_200)).toEqual(["exits by itself"]);
  const ignoring: Event = { e: "exit", id: "x", t: 1_500 };
  const late = evidenceOf([memberWith([{ e: "closed", t: 100 }, ignoring], { endedAt: 2_200 })]);
  expect(judgeRest(late)).toEqual([]);
});
