import type { RunRecord } from "@ojm/core";
import type { ScheduleTick } from "@ojm/schedule";
import { expect, it } from "vitest";
import { faultsOf } from "./judge.js";
import { EVERY, type Policy } from "./policies.js";

const at = (n: number): number => 1_900_000_000_000 + n * EVERY;
const tick = (n: number, more: Partial<ScheduleTick> = {}): ScheduleTick =>
  ({ at: at(n), outcome: "run", run: `run ${n}`, ...more }) as ScheduleTick;
const missed = (from: number, to: number, reason: ScheduleTick["reason"]): ScheduleTick =>
  tick(from, { outcome: "missed", until: at(to), ...(reason && { reason }) });
const record = (n: number, status: RunRecord["status"] = "completed", attempt = 1): RunRecord =>
  ({ id: attempt === 1 ? `run ${n}` : `run ${n}, ${attempt}`, tick: at(n), status, attempt }) as RunRecord;
const judged = (policy: Policy, ticks: readonly ScheduleTick[], records: readonly RunRecord[]): string[] =>
  faultsOf({ policy, ticks, records, down: { from: at(2), to: at(5) } });

it("ticks that were all run once, or by several attempts, are right", () => {
  const records = [record(1), record(2, "lost"), record(2, "completed", 2), record(3)];
  expect(judged("all", [tick(1), tick(2), tick(3)], records)).toEqual([]);
});

it("ticks that the policy leaves out while no replica ran are right, and there must be some", () => {
  expect(judged("none", [tick(1), missed(2, 4, "policy"), tick(5)], [record(1), record(5)])).toEqual([]);
  expect(judged("latest", [tick(1), tick(2)], [record(1), record(2)])).toEqual([
    "no tick was missed while no replica ran",
  ]);
  expect(judged("all", [tick(1), missed(2, 4, "too-late")], [record(1)])).toHaveLength(1);
});

it("a tick without an outcome, with two, with two runs, or with none that completed is a fault", () => {
  expect(judged("all", [tick(1), tick(3)], [record(1), record(3)])).toHaveLength(1);
  expect(judged("all", [tick(1), tick(1)], [record(1)])).toHaveLength(1);
  expect(judged("all", [tick(1)], [record(1), record(1)])).toHaveLength(1);
  expect(judged("all", [tick(1)], [record(1), record(1, "completed", 2)])).toHaveLength(1);
  expect(judged("all", [tick(1)], [record(1, "lost")])).toHaveLength(1);
  expect(judged("all", [tick(1)], [])).toHaveLength(1);
});
