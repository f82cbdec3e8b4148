import type { JobManager, Progress } from "@ojm/core";
import { type ActiveRun, elapsedSince, isOwn } from "@ojm/core/internal";
import { grouped, type LiveStore, type Problem, type ProblemKind } from "@ojm/schedule/operator";
import type { ActName, Now, Problem as ProblemView, Running } from "../../contract/types.js";
import { summaryOf } from "../queues.js";
import { firstWaiters, holderOf, retryOf, shorten, stopRequestOf } from "../runs/items.js";
import { mapSome, pick, type Source, statesIn, take } from "../source.js";
import { aheadOf, comingTicks } from "./ticks.js";

/** The most items of each list. */
const PROBLEMS = 100;
const RUNNING = 200;
const WAITING = 100;
const RETRIES = 100;

/** The most characters of the text of a problem. */
const TEXT = 400;

/** The data of the page *Now*. Reads only what no watch of the hub reports. */
export async function nowOf(source: Source): Promise<Now> {
  const { hub, manager, mask } = source;
  const [store, found] = await Promise.all([hub.store(), hub.snapshot()]);
  const live = store.runs;
  const { at: now, schedulers } = found;
  const runs = found.runs.filter(({ name }) => !isOwn(name));
  const retries = found.retries.filter(({ name }) => !isOwn(name));
  const schedules = found.schedules.filter(({ schedule }) => !isOwn(schedule.name));
  const problems = grouped(found.problems);
  const shown = problems.slice(0, PROBLEMS);
  const [canRun, dead] = [canRunIn(store), await deadLetters(source, store, shown)];
  const { next, firsts } = comingTicks(schedules, now);
  const waiting = [...found.waiting].map(([name, n]) => ({ name, waiting: n })).sort((a, b) => b.waiting - a.waiting);
  const waited = waiting.slice(0, WAITING).map((one) => ({ ...one, waiters: firstWaiters(live, one.name) }));
  const isQuiet = found.runs.length + found.schedules.length + schedulers.length + found.holds.size === 0;
  return {
    at: now,
    maintenance: found.maintenance.map((one) => ({ ...one, reason: mask(one.reason) })),
    problems: shown.map((problem) => problemOf(problem, mask, canRun, dead.get(problem.name))),
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
  return (await take(manager.history({ limit: 1 }), 1)).length === 0;
}

/** The action that helps with each problem. */
const ACTS: Readonly<Partial<Record<ProblemKind, ActName>>> = {
  failed: "run-now",
  lost: "run-now",
  timeout: "run-now",
  "ignores-cancel": "unlock",
  held: "end-hold",
  paused: "resume",
};

/** Returns a predicate: whether a process makes a run of a job on request. */
function canRunIn(store: LiveStore): (name: string) => boolean {
  const [stateOf, holds] = [statesIn(store), store.runs.holds()];
  return (name) => {
    const state = stateOf(name);
    return state !== undefined && state.unattended === undefined && !holds.has(name);
  };
}

/** How many dead letters are counted. */
const DEAD = 1_000;

/** How many dead letters the queues have whose last attempt failed. A queue has no schedule. */
async function deadLetters(
  source: Source,
  store: LiveStore,
  problems: readonly Problem[],
): Promise<ReadonlyMap<string, number>> {
  const names = problems.flatMap(({ kind, name, jobs }) =>
    ACTS[kind] === "run-now" && jobs === undefined && store.schedule(name) === undefined ? name : [],
  );
  if (names.length === 0) return new Map();
  const counted = await source.hub.reads.get(`dead ${names.join()}`, names, () =>
    mapSome(names, async (name) => {
      const queue = await summaryOf(source, name);
      return queue && ([name, (await source.queues.counts(name, { most: DEAD })).dead] as const);
    }),
  );
  return new Map(counted.filter((one) => one !== undefined));
}

/** A problem, in the form of the contract. `dead`: the dead letters, if it is one of a queue. */
function problemOf(
  problem: Problem,
  mask: Source["mask"],
  canRun: (name: string) => boolean,
  dead: number | undefined,
): ProblemView {
  const { kind, name, jobs } = problem;
  const act = dead ? "queue-retry" : ACTS[kind];
  const except = act === "run-now" ? (jobs?.names ?? [name]).filter((each) => !canRun(each)) : [];
  const isVain = except.length > 0 && except.length === (jobs?.names.length ?? 1);
  return {
    ...pick(problem, "kind", "name", "at", "run"),
    // Mask before cutting: the mask would not recognise half a password.
    text: shorten(mask(problem.text), TEXT),
    ...(jobs && { jobs: { ...jobs, ...(except.length > 0 && !isVain && { except }) } }),
    ...(act !== undefined && !isVain && { act }),
    ...(dead !== undefined && { queue: { dead } }),
  };
}

/** A run in progress, in the form of the contract. */
export function runningOf(run: ActiveRun, now: number, { mask }: Pick<Source, "mask">): Running {
  const { startTime, trigger, holder, lease, progress, stopRequest } = run;
  return {
    ...pick(run, "id", "name", "startTime", "attempt", "fence", "usual", "waiting", "tick"),
    elapsed: elapsedSince(startTime, now),
    status: "running",
    trigger: mask(String(trigger)),
    holder: holderOf(holder),
    ...(lease !== undefined && { lease: pick(lease, "until", "renewed") }),
    ...(progress !== undefined && { progress: progressOf(progress, mask) }),
    ...(stopRequest !== undefined && { stopRequest: stopRequestOf(stopRequest, mask) }),
  };
}

/** How far a run is. */
export function progressOf(progress: Progress, mask: Source["mask"]): Progress {
  const { text } = progress;
  return { ...pick(progress, "done", "total", "at"), ...(text !== undefined && { text: mask(text) }) };
}
