import type { RunRecord } from "@ojm/core";
import { hasEnded, isStatus } from "@ojm/core/internal";
import type { CheckedRule } from "../rules/checked-rule.js";
import type { Alert } from "../types.js";
import { alertOf, type Found } from "./alert-of.js";
import { fateOf } from "./fate.js";
import type { CheckInput, Judged } from "./records.js";
import type { ReadState, RuleState } from "./state.js";
import { findTicks } from "./ticks.js";
import { advanced, type Timed, unseen, type Window } from "./window.js";

/** The most alerts that wait for one receiver. */
export const MOST_PENDING = 1_000;

/** The most jobs that a rule knows as down, and the most runs that it waits for. */
const MOST_KNOWN = 1_000;

/** What a check found for a rule: the state after it, and the alerts to send. */
export interface Findings {
  readonly rule: CheckedRule;
  readonly before: ReadState;
  readonly state: RuleState;
  readonly alerts: readonly Alert[];
  readonly changed: boolean;
  /** Up to which tick each schedule was judged, as far as that is not in the state. */
  readonly judged: Judged;
}

/** Finds the alerts of a rule since its state. Writes nothing. */
export async function findFor(rule: CheckedRule, before: ReadState, input: CheckInput): Promise<Findings> {
  const found: Found[] = [];
  const { state } = before;
  // Starts come first: the sort keeps a start before an end of the same time.
  const begun = await starts(rule, state, input, found);
  const failed = await failures(rule, state, input, found);
  const long = await longRuns(rule, state, input, found);
  const { ticks, judged } = await findTicks(rule, state, input, found);
  found.sort((a, b) => a.time - b.time);
  const after: RuleState = { ...state, ...failed, ...begun, ...long, ...ticks };
  const alerts = found.map(({ alert }) => alert);
  return { rule, before, state: after, alerts, changed: alerts.length > 0 || differs(state, after), judged };
}

/** Ignores which ticks were judged: that changes with each tick, and is written only now and then. */
function differs({ ticks: _, ...before }: RuleState, { ticks: __, ...after }: RuleState): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

type Part<K extends keyof RuleState> = Pick<RuleState, K>;

/** Runs that ended in error, and jobs that recovered. */
async function failures(
  { id: rule, on, errors, after, matches }: CheckedRule,
  state: RuleState,
  { records, now }: CheckInput,
  found: Found[],
): Promise<Part<"ends" | "down" | "dropped" | "held">> {
  const { runs, window, dropped } = await newest(
    records.manager.failedRuns({ from: state.ends.from }),
    state.ends,
    ({ endTime }) => endTime,
    ({ name, status }) => errors.has(status) && matches(name),
    now,
  );
  const down = new Map(Object.entries(state.down));
  const recover = async (name: string, before?: number): Promise<void> => {
    const last = down.get(name);
    const record = last && (await records.recovery(name, last.start, before));
    if (!last || !record) return;
    down.delete(name);
    found.push(alertOf(record, { rule, kind: "recovered", streak: last.streak, now }));
  };
  const held: (readonly [string, number])[] = [];
  const waited = await Promise.all(state.held.map(([name, startTime]) => records.one(name, startTime)));
  for (const record of [...waited, ...runs.toReversed()].filter((one) => one !== undefined)) {
    const { name, startTime, status } = record;
    const fate = await fateOf(record, records, now);
    if (fate === "waits") held.push([name, startTime]);
    if (fate !== "last") continue;
    const streak = await records.streak(record, errors);
    await recover(name, startTime);
    if (streak < after) continue;
    const kind = status as "failed" | "lost" | "timeout";
    if (on.has(kind)) found.push(alertOf(record, { rule, kind, streak, now }));
    if (on.has("recovered") && (down.has(name) || down.size < MOST_KNOWN)) {
      down.set(name, { start: Math.max(startTime, down.get(name)?.start ?? 0), streak });
    }
  }
  for (const name of [...down.keys()]) await recover(name);
  return {
    ends: window,
    down: Object.fromEntries(down),
    dropped: state.dropped + dropped,
    held: held.slice(-MOST_KNOWN),
  };
}

/** Runs that started, and runs that completed. */
async function starts(
  { id: rule, on, matches }: CheckedRule,
  state: RuleState,
  { records, now }: CheckInput,
  found: Found[],
): Promise<Partial<RuleState>> {
  const wantsEnds = on.has("completed");
  if (!wantsEnds && !on.has("started")) return {};
  const { runs, window } = await newest(
    records.manager.history({ from: state.starts.from }),
    state.starts,
    ({ startTime }) => startTime,
    ({ name }) => matches(name),
    now,
  );
  const open: (readonly [string, number])[] = [];
  const end = (record: RunRecord): void => {
    const { status, name, startTime } = record;
    if (!wantsEnds) return;
    if (!hasEnded(record)) open.push([name, startTime]);
    // An end that only a later version of ojm knows may not be a success.
    else if (record.inError !== true && isStatus(status)) found.push(alertOf(record, { rule, kind: "completed", now }));
  };
  for (const [name, startTime] of state.open) {
    const record = await records.one(name, startTime);
    if (record !== undefined) end(record);
  }
  for (const record of runs.toReversed()) {
    if (on.has("started")) found.push(alertOf(record, { rule, kind: "started", now }));
    end(record);
  }
  return { starts: window, open: open.slice(-MOST_KNOWN) };
}

/** Runs that are running for too long, each once. */
async function longRuns(
  { id: rule, on, longer, matches }: CheckedRule,
  state: RuleState,
  { records, now }: CheckInput,
  found: Found[],
): Promise<Partial<RuleState>> {
  if (!on.has("long")) return {};
  const all = (await records.running()).filter(({ name, startTime }) => matches(name) && now - startTime > longer);
  for (const record of all) {
    if (!state.long.includes(record.id)) found.push(alertOf(record, { rule, kind: "long", now }));
  }
  return { long: all.map(({ id }) => id).sort() };
}

/** The runs that a window has not judged, newest first. Beyond the size of an outbox, they are dropped. */
async function newest(
  records: AsyncIterable<RunRecord>,
  window: Window,
  timeOf: (record: RunRecord) => number | undefined,
  wanted: (record: RunRecord) => boolean,
  now: number,
): Promise<{ readonly runs: readonly RunRecord[]; readonly window: Window; readonly dropped: number }> {
  const isNew = unseen(window);
  const runs: RunRecord[] = [];
  const judged: Timed[] = [];
  let dropped = 0;
  for await (const record of records) {
    const time = timeOf(record);
    if (time === undefined || !wanted(record) || !isNew({ id: record.id, time })) continue;
    if (runs.length === MOST_PENDING) dropped++;
    else {
      const { stack: _, result: __, ...small } = record;
      runs.push(small);
      judged.push({ id: record.id, time });
    }
  }
  const next = advanced(window, judged, now);
  const oldest = judged.at(-1)?.time ?? 0;
  return { runs, window: dropped === 0 ? next : { ...next, from: Math.max(next.from, oldest) }, dropped };
}
