import { isOwn, type LiveRun } from "@ojm/core/internal";
import type { Now, Running } from "../../contract/now.js";
import { firstWaiters, holderOf, stopRequestOf } from "../runs/items.js";
import { retriesOf } from "../runs/retries.js";
import { readSchedules } from "../schedules.js";
import { type Source, take } from "../source.js";
import { aheadOf } from "./ahead.js";
import { problemsOf } from "./problems.js";
import { comingTicks } from "./ticks.js";

/** The most items of each list. */
const PROBLEMS = 100;
const RUNNING = 200;
const WAITING = 100;
const RETRIES = 100;

const NEXT = { jobs: 200, ticks: 50 };

/** What there is to be seen now. */
export async function nowOf(source: Source): Promise<Now> {
  const { manager } = source;
  const [live, [newest], locks, retries, { schedules, schedulers }] = await Promise.all([
    source.hub.live(),
    take(manager.history({ limit: 1 }), 1),
    manager.locks(),
    retriesOf(source),
    readSchedules(manager),
  ]);
  const now = Date.now();
  const runs = live.runs().filter(({ name }) => !isOwn(name));
  const evidence = { now, runs, locks, retries, schedules, schedulers };
  const problems = await problemsOf(source, evidence);
  const { next, firsts } = comingTicks(schedules, { now, schedulers, ...NEXT });
  const waiting = [...live.waiting()].map(([name, n]) => ({ name, n })).sort((a, b) => b.n - a.n);
  const waited = waiting.slice(0, WAITING).map((one) => ({ ...one, waiters: firstWaiters(live, one.name) }));
  return {
    at: now,
    problems: problems.slice(0, PROBLEMS),
    running: runs.slice(0, RUNNING).map((run) => runningOf(run, now, source)),
    waiting: waited,
    retries: retries.slice(0, RETRIES),
    next,
    ahead: aheadOf(source, firsts, now),
    schedulers: schedulers.length,
    empty: newest === undefined && locks.length + schedules.length + schedulers.length === 0,
    truncated:
      problems.length > PROBLEMS || runs.length > RUNNING || waiting.length > WAITING || retries.length > RETRIES,
  };
}

/** A run that goes on, as the contract has it. */
export function runningOf(run: LiveRun, now: number, { mask }: Pick<Source, "mask">): Running {
  const { id, name, startTime, attempt, trigger, holder, fence, lease, usual, progress, waiting, asked, tick } = run;
  return {
    id,
    name,
    startTime,
    elapsed: Math.max(0, now - startTime),
    status: "running",
    ...(attempt !== undefined && { attempt }),
    trigger: mask(String(trigger)),
    holder: holderOf(holder),
    fence,
    ...(lease !== undefined && { lease: { until: lease.until, renewed: lease.renewed } }),
    ...(usual !== undefined && { p50: usual.p50, p95: usual.p95 }),
    ...(progress !== undefined && { progress: progressOf(progress, mask) }),
    waiting,
    ...(asked !== undefined && { asked: stopRequestOf(asked, mask) }),
    ...(tick !== undefined && { tick }),
  };
}

function progressOf(
  { done, total, text, at }: NonNullable<LiveRun["progress"]>,
  mask: Source["mask"],
): NonNullable<Running["progress"]> {
  return { done, ...(total !== undefined && { total }), ...(text !== undefined && { text: mask(text) }), at };
}
