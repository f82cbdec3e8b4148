import type { HeldLock, JobManager, LiveRun, RunRecord } from "@ojm/core";
import { holdOf } from "@ojm/core/backend";
import type { Problem } from "../../contract/now.js";
import { shorten } from "../runs/items.js";
import type { Schedules } from "../schedules.js";
import { isOwn, mapSome, type Source, take } from "../source.js";
import { problemsOfSchedules } from "./schedule-problems.js";

const WEEK = 7 * 86_400_000;

/** How many of the last failures are looked at, and of how many jobs. */
const FAILURES = 300;
const JOBS = 60;

/** A run is long when it takes so many times what 19 of 20 runs take, and no less than a while more. */
const LONG = 1.5;
const A_WHILE = 10_000;

const RANK: readonly Problem["kind"][] = ["lost", "failed", "timeout", "nobody", "overdue", "long", "held", "paused"];

/** What the problems are told from. */
export interface Evidence extends Schedules {
  readonly now: number;
  readonly runs: readonly LiveRun[];
  readonly locks: readonly HeldLock[];
}

/** What somebody should look at, the worst first. */
export async function problemsOf(source: Source, evidence: Evidence): Promise<Problem[]> {
  const { now } = evidence;
  const problems = [
    ...(await failed(source, now)),
    ...evidence.runs.flatMap((run) => long(run, now)),
    ...evidence.locks.flatMap((lock) => held(lock, source)),
    ...problemsOfSchedules(evidence, now, source),
  ];
  return problems
    .filter(({ name }) => !isOwn(name))
    .sort((a, b) => RANK.indexOf(a.kind) - RANK.indexOf(b.kind) || (b.at ?? now) - (a.at ?? now));
}

/** The jobs whose last run ended in error. A run that was cancelled is what somebody wanted. */
async function failed({ manager, mask }: Source, now: number): Promise<Problem[]> {
  const latest = new Map<string, RunRecord>();
  for (const run of await take(manager.failures({ from: now - WEEK, limit: FAILURES }), FAILURES)) {
    if (!isOwn(run.name) && latest.size < JOBS && !latest.has(run.name)) latest.set(run.name, run);
  }
  const found = await mapSome([...latest.values()], async (run): Promise<Problem[]> => {
    const { name, status, id, error, endTime, startTime } = run;
    if (status !== "failed" && status !== "lost" && status !== "timeout") return [];
    if (!(await isLast(manager, run))) return [];
    const text = error === undefined ? status : `${status}: ${shorten(mask(error), 300)}`;
    return [{ kind: status, name, at: endTime ?? startTime, text, run: id }];
  });
  return found.flat();
}

/** Whether no run of the job ended after this one. A run that goes on has not ended well so far. */
async function isLast(manager: JobManager, { name, id, startTime: from }: RunRecord): Promise<boolean> {
  // From its start on: etcd reads a range of records as a whole to find the newest ones.
  for await (const record of manager.history({ name, from, limit: 5 })) {
    if (record.id === id) return true;
    if (record.status !== "running") return false;
  }
  return false;
}

function long({ name, id, startTime, usual }: LiveRun, now: number): Problem[] {
  if (usual === undefined) return [];
  const elapsed = now - startTime;
  if (elapsed < usual.p95 * LONG || elapsed < usual.p95 + A_WHILE) return [];
  return [
    { kind: "long", name, at: startTime, text: `runs for longer than ${seconds(usual.p95)}, as 19 of 20 do`, run: id },
  ];
}

function held(lock: HeldLock, { mask }: Source): Problem[] {
  const hold = holdOf(lock);
  if (hold === undefined) return [];
  const by = hold.author === undefined ? "" : ` by ${hold.author}`;
  return [{ kind: "held", name: lock.name, at: lock.since, text: `held${by}: ${mask(hold.reason)}` }];
}

function seconds(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 6_000) / 10} min`;
}
