import type { HeldLock } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { holdOf, isOwn, type LiveRun } from "@ojm/core/internal";
import type { Problem, RetryView } from "../../contract/now.js";
import { shorten, stopRequestOf } from "../runs/items.js";
import type { Schedules } from "../schedules.js";
import type { Source } from "../source.js";
import { problemsOfSchedules } from "./schedule-problems.js";

const WEEK = 7 * 86_400_000;

/** Of how many jobs it is told at most that they failed. */
const JOBS = 60;

/** A run is long when it takes so many times what 19 of 20 runs take, and no less than a while more. */
const LONG = 1.5;
const A_WHILE = 10_000;

/**
 * How long after a request to stop a run that is still running is a problem, in ms. A signal reaches its run
 * within `ttl / 3`, 5 s by default, and a process that closes gives a job function 10 s to return.
 */
const IGNORES = 60_000;

const RANK: readonly Problem["kind"][] = [
  "orphan",
  "ignores",
  "nobody",
  "lost",
  "failed",
  "timeout",
  "overdue",
  "long",
  "held",
  "paused",
];

/** What the problems are told from. */
export interface Evidence extends Schedules {
  readonly now: number;
  readonly runs: readonly LiveRun[];
  readonly locks: readonly HeldLock[];
  readonly retries: readonly RetryView[];
}

/** What somebody should look at, the worst first. */
export async function problemsOf(source: Source, evidence: Evidence): Promise<Problem[]> {
  const { now } = evidence;
  const alone = await orphans(source);
  // How its run ended is a part of that: two rows would look like two problems.
  const told = new Set(alone.map(({ run }) => run));
  const problems = [
    ...alone,
    ...(await failed(source, now)).filter(({ run }) => !told.has(run)),
    ...evidence.runs.flatMap((run) => ignores(run, now, source) ?? long(run, now)),
    ...evidence.locks.flatMap((lock) => held(lock, source)),
    ...problemsOfSchedules(evidence, now, source),
    ...unmade(evidence),
  ];
  return problems
    .filter(({ name }) => !isOwn(name))
    .sort((a, b) => RANK.indexOf(a.kind) - RANK.indexOf(b.kind) || (b.at ?? now) - (a.at ?? now));
}

/** The commands that go on although their run is over. */
async function orphans({ reasons, mask }: Source): Promise<Problem[]> {
  const all = (await reasons()).filter(({ code }) => code === "orphan");
  return all.map(({ name, text, run }) => ({
    kind: "orphan",
    name,
    text: mask(text),
    ...(run !== undefined && { run }),
  }));
}

/** The jobs whose last run ended in error. */
async function failed({ manager, mask }: Source, now: number): Promise<Problem[]> {
  const runs = await manager.failing({ from: now - WEEK, limit: JOBS });
  return runs.flatMap(({ name, status, id, error, endTime, startTime }): Problem[] => {
    if (isOwn(name) || (status !== "failed" && status !== "lost" && status !== "timeout")) return [];
    const text = error === undefined ? status : `${status}: ${shorten(mask(error), 300)}`;
    return [{ kind: status, name, at: endTime ?? startTime, text, run: id }];
  });
}

/** Attempts that nobody makes. Of a schedule that nobody runs, the schedule itself is told. */
function unmade({ now, schedules, retries }: Evidence): Problem[] {
  const scheduled = new Set(schedules.map(({ name }) => name));
  const left = retries.filter(({ name, nobody }) => nobody === true && !scheduled.has(name));
  return left.map(({ name, chain, attempt, attempts, due }) => {
    const text = `nobody makes attempt ${attempt} of ${attempts}: its process is gone`;
    return { kind: "nobody", name, ...(due < now && { at: due }), text, run: chain };
  });
}

/** A run that is still running although it was asked to stop. */
function ignores({ name, id, asked }: LiveRun, now: number, { mask }: Source): Problem | undefined {
  if (asked === undefined || now - asked.at < IGNORES) return undefined;
  const { at, by, reason } = stopRequestOf(asked, mask);
  const text = `asked to stop ${minutes(now - at)} ago by ${by}, still running: ${reason}`;
  return { kind: "ignores", name, at, text, run: id };
}

function long({ name, id, startTime, usual }: LiveRun, now: number): Problem[] {
  if (usual === undefined) return [];
  const elapsed = now - startTime;
  if (elapsed < usual.p95 * LONG || elapsed < usual.p95 + A_WHILE) return [];
  const text = `runs longer than usual: its p95 is ${durationText(usual.p95)}`;
  return [{ kind: "long", name, at: startTime, text, run: id }];
}

function held(lock: HeldLock, { mask }: Source): Problem[] {
  const hold = holdOf(lock);
  if (hold === undefined) return [];
  const by = hold.author === undefined ? "" : ` by ${hold.author}`;
  return [{ kind: "held", name: lock.name, at: lock.since, text: mask(`held${by}: ${hold.reason}`) }];
}

/** In whole minutes: a text that changed each second could not be read. */
const minutes = (ms: number): string => durationText(Math.floor(ms / 60_000) * 60_000);
