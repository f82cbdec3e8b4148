import { createHash } from "node:crypto";
import { parseRunId } from "@ojm/core";
import type { ScheduleTick, ScheduleView } from "@ojm/schedule";
import type { CheckedRule } from "../rules/checked-rule.js";
import { alertOf, type Found, type MissedTicks, missedAlert } from "./alert-of.js";
import { type CheckInput, type Judged, loadOperator } from "./records.js";
import type { RuleState, TickState } from "./state.js";
import { ticksFrom } from "./state.js";
import { MARGIN } from "./window.js";

/** The most schedules with undecided ticks that a rule remembers. */
const MOST_BEHIND = 1_000;

/** The reason in an alert about ticks that a scheduler decided to miss. */
const MISSED = "no process was there to run it in time";

/**
 * Ticks that were missed, and runs that started late. A tick is missed if a scheduler says so, or if it is
 * overdue: no process decided on it within a grace period. Only the first of such ticks is reported, until a
 * scheduler decides again.
 */
export async function findTicks(
  rule: CheckedRule,
  state: RuleState,
  input: CheckInput,
  found: Found[],
): Promise<{ readonly ticks: { readonly ticks?: TickState }; readonly judged: Judged }> {
  if (!rule.on.has("missed") && !rule.on.has("late")) return { ticks: {}, judged: new Map() };
  const { from, behind, reported } = state.ticks ?? ticksFrom(input.now);
  const search = new Search(rule, input, found, reported);
  // The clocks of the schedulers differ: a tick may be decided a while before it is due here.
  const next = Math.max(from, input.now - MARGIN);
  const judged = new Map<string, number>();
  const left: [string, number][] = [];
  for (const view of await input.records.schedules()) {
    if (!rule.matches(view.name)) continue;
    const before = Math.max(input.judged.get(view.name) ?? 0, behind[view.name] ?? from);
    const mark = await search.judge(view, before);
    judged.set(view.name, mark);
    if ((view.next(mark) ?? Number.POSITIVE_INFINITY) <= next) left.push([view.name, mark]);
  }
  const kept = new Set(left.slice(0, MOST_BEHIND).map(([name]) => name));
  const ticks = {
    from: next,
    behind: Object.fromEntries(left.slice(0, MOST_BEHIND)),
    reported: search.reported((time, name) => time > next || kept.has(name)),
  };
  return { ticks: { ticks }, judged };
}

/** A tick that was reported: its kind and schedule as a hash, and the last tick that the alert covers. */
interface Reported {
  readonly time: number;
  readonly hash: string;
  reach: number;
}

class Search {
  readonly #rule: CheckedRule;
  readonly #input: CheckInput;
  readonly #found: Found[];
  readonly #reported: Reported[];
  /** The schedules by the hashes of their alerts. */
  readonly #names: Map<string, string> = new Map();

  constructor(rule: CheckedRule, input: CheckInput, found: Found[], reported: TickState["reported"]) {
    this.#rule = rule;
    this.#input = input;
    this.#found = found;
    this.#reported = reported.map(([time, hash, reach]) => ({ time, hash, reach }));
  }

  /** The reported ticks that may be found again. */
  reported(isKept: (time: number, schedule: string) => boolean): TickState["reported"] {
    const kept = this.#reported.filter(({ reach, hash }) => isKept(reach, this.#names.get(hash) ?? ""));
    return kept.map(({ time, hash, reach }) => [time, hash, reach]);
  }

  /** Judges the ticks of a schedule after `mark`. Resolves to the tick up to which all are judged now. */
  async judge(view: ScheduleView, mark: number): Promise<number> {
    const { on, grace } = this.#rule;
    for (const kind of ["missed", "late"] as const) this.#names.set(hashOf(kind, view.name), view.name);
    if (view.decided > mark) await this.#decided(view, mark);
    // A cursor that is far ahead comes from a wrong clock, and will be set back.
    const after = Math.max(mark, Math.min(view.decided, this.#input.now + MARGIN));
    if (!on.has("missed")) return after;
    const { overdueTicks } = await loadOperator();
    const overdue = overdueTicks(view, this.#input.now, { grace, after });
    if (overdue === undefined) return after;
    const why = await this.#input.records.whyOverdue(view, overdue);
    this.#missed({ name: view.name, ...overdue, why: why ?? MISSED });
    return after;
  }

  async #decided(view: ScheduleView, mark: number): Promise<void> {
    const { on } = this.#rule;
    let gap: (Required<MissedTicks> & { readonly decided: number }) | undefined;
    const tell = (): void => {
      if (gap === undefined) return;
      const { decided, ...ticks } = gap;
      this.#missed(ticks, decided);
    };
    for await (const tick of view.ticks(mark)) {
      const { schedule: name, at, outcome, reason, until = at, count = 1, decided, by } = tick;
      if (outcome === "run" && on.has("late")) await this.#late(tick);
      // The store that an imported schedule comes from may have run the tick; it reports its own missed
      // ticks.
      if (outcome !== "missed" || reason === "imported" || !on.has("missed")) continue;
      // A scheduler that comes back may decide on the ticks before that in several entries: they are one gap.
      if (gap !== undefined && at <= gap.decided) gap = { ...gap, until, count: gap.count + count };
      else {
        tell();
        gap = { name, at, until, count, why: MISSED, host: by.host, decided };
      }
    }
    tell();
  }

  /** Ticks up to `reach` that are found later belong to this gap. */
  #missed(ticks: MissedTicks, reach = ticks.at): void {
    const { name, at, until = at } = ticks;
    if (this.#isNew("missed", name, at, until, reach)) this.#found.push(missedAlert(ticks, this.#rule.id));
  }

  async #late({ schedule: name, at, run }: ScheduleTick): Promise<void> {
    const ref = run === undefined ? undefined : parseRunId(run);
    if (ref === undefined || ref.startTime - at <= this.#rule.later) return;
    const record = await this.#input.records.one(ref.name, ref.startTime);
    if (record === undefined || !this.#isNew("late", name, at)) return;
    this.#found.push(alertOf(record, { rule: this.#rule.id, kind: "late", tick: at, now: this.#input.now }));
  }

  /** Whether none of these ticks was reported. Marks the first of them as reported. */
  #isNew(kind: "missed" | "late", name: string, at: number, until = at, reach = at): boolean {
    const hash = hashOf(kind, name);
    const known = this.#reported.find((one) => one.hash === hash && one.time <= until && at <= one.reach);
    if (known === undefined) this.#reported.push({ time: at, hash, reach });
    else known.reach = Math.max(known.reach, reach);
    return known === undefined;
  }
}

function hashOf(kind: string, schedule: string): string {
  return createHash("sha256").update(`${kind} ${schedule}`).digest("base64url").slice(0, 12);
}
