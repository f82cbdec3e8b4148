import type { JobManager } from "@ojm/core";
import { type ActiveRun, isOwn } from "@ojm/core/internal";
import { grouped, type Problem } from "@ojm/schedule/operator";
import type { Now, Problem as ProblemView, Running } from "../../contract/types.js";
import { firstWaiters, holderOf, retryOf, shorten, stopRequestOf } from "../runs/items.js";
import { type Source, take } from "../source.js";
import { aheadOf, comingTicks } from "./ticks.js";

/** The most items of each list. */
const PROBLEMS = 100;
const RUNNING = 200;
const WAITING = 100;
const RETRIES = 100;

/** The most characters of the text of a problem. */
const TEXT = 400;

const NEXT = { jobs: 200, ticks: 50 };

/** The data of the page *Now*. Reads only what no watch of the hub reports. */
export async function nowOf(source: Source): Promise<Now> {
  const { hub, manager, mask } = source;
  const [{ runs: live }, found] = await Promise.all([hub.store(), hub.snapshot()]);
  const { at: now, schedulers } = found;
  const runs = found.runs.filter(({ name }) => !isOwn(name));
  const retries = found.retries.filter(({ name }) => !isOwn(name));
  const schedules = found.schedules.filter(({ schedule }) => !isOwn(schedule.name));
  const problems = grouped(found.problems);
  const { next, firsts } = comingTicks(schedules, { now, ...NEXT });
  const waiting = [...found.waiting].map(([name, n]) => ({ name, waiting: n })).sort((a, b) => b.waiting - a.waiting);
  const waited = waiting.slice(0, WAITING).map((one) => ({ ...one, waiters: firstWaiters(live, one.name) }));
  const isQuiet = found.runs.length + found.schedules.length + schedulers.length + found.holds.size === 0;
  return {
    at: now,
    problems: problems.slice(0, PROBLEMS).map((problem) => problemOf(problem, mask)),
    running: runs.slice(0, RUNNING).map((run) => runningOf(run, now, source)),
    waiting: waited,
    retries: retries.slice(0, RETRIES).map((retry) => retryOf(retry, mask)),
    next,
    ahead: aheadOf(source, firsts, now),
    schedulers: schedulers.length,
    empty: isQuiet && live.locks().length === 0 && (await isEmpty(manager)),
    truncated:
      problems.length > PROBLEMS || runs.length > RUNNING || waiting.length > WAITING || retries.length > RETRIES,
  };
}

async function isEmpty(manager: JobManager): Promise<boolean> {
  const [newest] = await take(manager.history({ limit: 1 }), 1);
  return newest === undefined;
}

/** Masks before it cuts: the mask would not recognise half a password. */
function problemOf({ kind, name, at, text, run, jobs }: Problem, mask: Source["mask"]): ProblemView {
  return {
    ...{ kind, name, text: shorten(mask(text), TEXT) },
    ...(at !== undefined && { at }),
    ...(run !== undefined && { run }),
    ...(jobs !== undefined && { jobs }),
  };
}

/** A run in progress, in the form of the contract. */
export function runningOf(run: ActiveRun, now: number, { mask }: Pick<Source, "mask">): Running {
  const {
    id,
    name,
    startTime,
    attempt,
    trigger,
    holder,
    fence,
    lease,
    usual,
    progress,
    waiting,
    stopRequest: asked,
    tick,
  } = run;
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
    ...(usual !== undefined && { usual }),
    ...(progress !== undefined && { progress: progressOf(progress, mask) }),
    waiting,
    ...(asked !== undefined && { stopRequest: stopRequestOf(asked, mask) }),
    ...(tick !== undefined && { tick }),
  };
}

function progressOf(
  { done, total, text, at }: NonNullable<ActiveRun["progress"]>,
  mask: Source["mask"],
): NonNullable<Running["progress"]> {
  return { done, ...(total !== undefined && { total }), ...(text !== undefined && { text: mask(text) }), at };
}
