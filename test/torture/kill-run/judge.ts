import type { RunRecord } from "@ojm/core";
import type { ScheduleTick } from "@ojm/schedule";
import { EVERY, type Policy } from "./policies.js";

/**
 * The ticks and runs of a schedule in the store, oldest first, and when no replica was running. Times in ms
 * since 1970.
 */
export interface Evidence {
  readonly policy: Policy;
  readonly ticks: readonly ScheduleTick[];
  readonly records: readonly RunRecord[];
  readonly down: { readonly from: number; readonly to: number };
}

const iso = (at: number): string => new Date(at).toISOString().slice(11);

/** The rule of a policy for ticks on which no replica could decide in time: those of one kill, or of all. */
const MISSED: Readonly<Record<Policy, string | undefined>> = { all: undefined, latest: "not-latest", none: "policy" };

/** The faults of the ticks of a schedule and of their runs. */
export function faultsOf({ policy, ticks, records, down }: Evidence): string[] {
  const faults: string[] = [];
  let next = ticks[0]?.at ?? 0;
  let isMissed = MISSED[policy] === undefined;
  for (const { at, until = at, outcome, reason } of ticks) {
    if (at !== next) faults.push(`after ${iso(next - EVERY)}, the next outcome is of ${iso(at)}`);
    next = until + EVERY;
    if (outcome === "run") continue;
    if (reason !== MISSED[policy]) faults.push(`the ticks ${iso(at)} to ${iso(until)} are ${outcome} ${reason}`);
    else isMissed ||= at < down.to && until > down.from;
  }
  if (!isMissed) faults.push("no tick was missed while no replica ran");
  for (const { at, run, outcome } of ticks) if (outcome === "run") faults.push(...faultsOfTick(at, run, records));
  return faults;
}

function faultsOfTick(at: number, run: string | undefined, records: readonly RunRecord[]): string[] {
  const own = records.filter(({ tick }) => tick === at);
  const attempts = own.map(({ attempt = 1 }) => attempt);
  if (own[0]?.id !== run) return [`the tick ${iso(at)} was run as ${run}, and its first record is ${own[0]?.id}`];
  if (attempts.some((attempt, i) => attempt !== i + 1)) return [`the tick ${iso(at)} has the attempts ${attempts}`];
  const completed = own.filter(({ status }) => status === "completed").length;
  if (completed === 1 && own.at(-1)?.status === "completed") return [];
  return [`the tick ${iso(at)} completed ${completed} times: ${own.map(({ status }) => status)}`];
}
