import type { JobManager, PendingRetry, RunRecord } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { type ActiveRun, all, endVerb, type Hold, isOwn, isTriedAgain, present, startMs } from "@ojm/core/internal";
import { withoutVarying } from "@ojm/core/internal/operator";
import {
  type NextTick,
  type OverdueTicks,
  type SchedulerView,
  type ScheduleView,
  schedulersIn,
} from "../control/overview.js";
import { type Pause, pauseAt } from "../store/schema.js";
import { attendanceText, overdueTicks, UNATTENDED, type Unattended } from "./schedules.js";

/**
 * The kinds of problems, the worst first. This is their order in every list.
 *
 * - `orphaned`: a command of `ojm exec` is running although its run is over.
 * - `ignores-cancel`: a run is still running a minute after it was requested to stop.
 * - `unattended`: no living scheduler has this definition of the schedule.
 * - `orphaned-retry`: an attempt is pending, and no process makes it.
 * - `lost`, `failed`, `timeout`: the last run of the job ended so in the last seven days, and no attempt
 *   follows.
 * - `overdue`: ticks were due more than a minute ago, and no process has decided them.
 * - `long`: a run takes longer than usual.
 * - `held`, `paused`: a person keeps the job, or its schedule, from running.
 */
export const PROBLEM_KINDS = [
  "orphaned",
  "ignores-cancel",
  "unattended",
  "orphaned-retry",
  "lost",
  "failed",
  "timeout",
  "overdue",
  "long",
  "held",
  "paused",
] as const;

/** A kind of problem: see {@link PROBLEM_KINDS}. */
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** A problem of a job or schedule, or a hold or pause by a person. */
export interface Problem {
  readonly kind: ProblemKind;
  /** The job. */
  readonly name: string;
  /** Since when, in ms since 1970. Absent if unknown. */
  readonly at?: number;
  /** The problem in words. Texts of people and jobs are included unescaped. */
  readonly text: string;
  /** The id of the affected run; with `orphaned-retry`, of the first run of the retry series. */
  readonly run?: string;
  /** With `failed`: how its command ended, from the record. */
  readonly exit?: NonNullable<RunRecord["exit"]>;
  /** With `unattended`: the reason. */
  readonly unattended?: Unattended;
  /**
   * The affected jobs, if there are several: their number, and their names, 200 at most, with the ids of the
   * runs that it concerns, in the same order. See {@link grouped}.
   */
  readonly jobs?: { readonly n: number; readonly names: readonly string[]; readonly runs?: readonly string[] };
}

/** A pending attempt. */
export interface Retry extends PendingRetry {
  /** Set if no process makes it: its process is gone, and no living scheduler has a schedule of the name. */
  readonly orphaned?: true;
}

/** A command of `ojm exec` that is running although its run is over. */
export interface OrphanedCommand {
  readonly name: string;
  /** The id of its run. */
  readonly run?: string;
  readonly text: string;
}

/** The state of a schedule at one time. */
export interface ScheduleState {
  readonly schedule: ScheduleView;
  /** The current pause. */
  readonly paused?: Pause;
  readonly unattended?: Unattended;
  readonly overdue?: OverdueTicks;
  /** Its next tick. */
  readonly next?: NextTick;
}

/** The state of a schedule at `now`. `unattended`: the result of {@link attendanceOf}. */
export function scheduleState(
  schedule: ScheduleView,
  unattended: (schedule: ScheduleView) => Unattended | undefined,
  now: number,
): ScheduleState {
  const state = { paused: pauseAt(schedule, now), unattended: unattended(schedule) };
  const ticks = { overdue: overdueTicks(schedule, now), next: schedule.upcoming(now) };
  return { schedule, ...present({ ...state, ...ticks }) };
}

/** The facts in which problems are found. */
export interface Facts {
  readonly now: number;
  /** The active runs of all processes. */
  readonly runs: readonly ActiveRun[];
  readonly holds: ReadonlyMap<string, Hold>;
  readonly retries: readonly Retry[];
  readonly schedules: readonly ScheduleState[];
  /** The last run of each job whose last run ended in error, from `manager.failing`. */
  readonly failing: readonly RunRecord[];
  /** The last runs of jobs whose schedules are unattended, by name, as far as they are known. */
  readonly lastRuns: ReadonlyMap<string, RunRecord>;
  readonly orphans: readonly OrphanedCommand[];
}

/** How long a failure counts, in ms: 7 days. */
export const FAILED_WITHIN: number = 7 * 86_400_000;

/** How long a retry series may be in neither the retries nor the runs, between two attempts, in ms. */
const BETWEEN = 5_000;

/** A run is long if it takes this many times its p95, and at least this much more, in ms. */
const LONG_FACTOR = 1.5;
const LONG_BY = 10_000;

/**
 * A run that is still running this long after a request to stop it, in ms, counts as ignoring it. A signal
 * reaches its run within `ttl / 3`, 5 s by default, and a process that closes gives a job function 10 s to
 * return.
 */
const IGNORES = 60_000;

/** The most names of one problem. */
const NAMES = 200;

/** All problems, the worst first, and of each kind the newest first. Leaves out ojm's own runs. */
export function problemsOf(facts: Facts): Problem[] {
  const { now } = facts;
  // The failed run of an orphaned command is the same problem: two rows would look like two.
  const orphaned = new Set(facts.orphans.map(({ run }) => run));
  const failed = failedIn(facts).filter(({ run }) => !orphaned.has(run));
  const ofSchedules = schedulesIn(facts, new Set([...failed, ...facts.runs].map(({ name }) => name)));
  const alone = new Set(ofSchedules.flatMap(({ kind, name }) => (kind === "unattended" ? [name] : [])));
  const problems: Problem[] = [
    ...facts.orphans.map(({ name, text, run }): Problem => ({ kind: "orphaned", name, text, ...present({ run }) })),
    ...facts.runs.flatMap((run) => ignores(run, now) ?? long(run, now) ?? []),
    ...ofSchedules,
    // An unattended schedule is reported already.
    ...facts.retries
      .filter(({ name, orphaned }) => orphaned === true && !alone.has(name))
      .map((one) => unmade(one, now)),
    ...failed,
    ...[...facts.holds].flatMap(([name, hold]) => held(name, hold, now)),
  ];
  return inOrder(problems.filter(({ name }) => !isOwn(name)));
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = ({ kind }: Problem): number => PROBLEM_KINDS.indexOf(kind);
  const since = ({ at = Number.POSITIVE_INFINITY }: Problem): number => at;
  // The difference of two infinite numbers is not a number, which counts as equal.
  return problems.toSorted((a, b) => rank(a) - rank(b) || since(b) - since(a) || (a.name < b.name ? -1 : 1));
}

/**
 * The jobs whose last run failed: it ended in error in the last seven days, and no attempt is pending or
 * running. A cancelled run is not a failure.
 */
function failedIn({ failing, retries, runs, now }: Facts): Problem[] {
  const chains = new Set([...retries, ...runs].map(({ chain }) => chain));
  return failing.flatMap((run): Problem[] => {
    const { name, status, id, chain = id, error, exit, startTime, endTime: at = startTime } = run;
    if ((status !== "failed" && status !== "lost" && status !== "timeout") || at < now - FAILED_WITHIN) return [];
    if (isTriedAgain(run) && (chains.has(chain) || now - at < BETWEEN)) return [];
    const problem: Problem = { kind: status, name, at, text: error ?? endedText(status), run: id };
    return [status === "failed" && exit !== undefined ? { ...problem, exit } : problem];
  });
}

/**
 * The problems of the schedules. A paused schedule is only reported as paused: that a person has stopped it
 * matters more than that no process runs it. `shown`: the jobs that are running, or whose failure is a
 * problem of its own.
 */
function schedulesIn({ schedules, lastRuns }: Facts, shown: ReadonlySet<string>): Problem[] {
  return schedules.flatMap(({ schedule: { name }, paused, unattended, overdue }): Problem[] => {
    if (paused !== undefined) {
      const text = `paused${by(paused.by)}${until(paused.until)}: ${paused.reason}`;
      return [{ kind: "paused", name, at: paused.at, text }];
    }
    const text = attendanceText(unattended, overdue);
    if (text === undefined) return [];
    const at = overdue && { at: overdue.at };
    if (unattended === undefined) return [{ kind: "overdue", name, ...at, text }];
    const last = shown.has(name) ? undefined : lastText(lastRuns.get(name));
    return [{ kind: "unattended", name, ...at, text: last === undefined ? text : `${text}; ${last}`, unattended }];
  });
}

/** How the last run of a job with an unattended schedule ended; `undefined` if it ended well. */
function lastText(last: RunRecord | undefined): string | undefined {
  if (last === undefined) return undefined;
  // No process has closed the record of a run whose process was killed.
  if (last.status === "running" || last.status === "lost") return "its last run was lost";
  return last.inError === true ? endedText(last.status) : undefined;
}

const endedText = (status: string): string => `its last run ${endVerb(status)}`;

function unmade({ name, chain, attempt, retry, due }: Retry, now: number): Problem {
  const text = `no process makes attempt ${attempt} of ${retry.attempts}: its process is gone`;
  return { kind: "orphaned-retry", name, ...(due < now && { at: due }), text, run: chain };
}

function ignores({ name, id, stopRequest: asked }: ActiveRun, now: number): Problem | undefined {
  if (asked === undefined || now - asked.at < IGNORES) return undefined;
  const { at, by, author = `${by.host}, pid ${by.pid}`, reason } = asked;
  // In whole minutes: a text that changes each second is not readable.
  const ago = durationText(Math.floor((now - at) / 60_000) * 60_000);
  const why = reason === undefined ? "" : `: ${reason}`;
  const text = `asked to stop ${ago} ago by ${author}, still running${why}`;
  return { kind: "ignores-cancel", name, at, text, run: id };
}

/** Whether a run that takes this long takes longer than usual. */
export const isLong = (duration: number, { p95 }: NonNullable<ActiveRun["usual"]>): boolean =>
  duration >= Math.max(p95 * LONG_FACTOR, p95 + LONG_BY);

function long({ name, id, startTime, usual }: ActiveRun, now: number): Problem | undefined {
  const at = startMs(startTime);
  if (usual === undefined || !isLong(now - at, usual)) return undefined;
  return { kind: "long", name, at, text: `runs longer than usual: its p95 is ${durationText(usual.p95)}`, run: id };
}

function held(name: string, { at, author, reason, until: end }: Hold, now: number): Problem[] {
  return end <= now ? [] : [{ kind: "held", name, at, text: `held${by(author)}${until(end)}: ${reason}` }];
}

const by = (author: string | undefined): string => (author === undefined ? "" : ` by ${author}`);
const until = (time: number | undefined): string =>
  time === undefined ? "" : ` until ${new Date(time).toISOString()}`;

/**
 * The problems, with one for all schedules that are unattended for the same reason, one for all jobs that
 * failed with equal errors, and one for all that a person paused or held for one reason: a row for each would
 * hide the other problems. A group has the text of its newest problem, and began with the oldest.
 */
export function grouped(problems: readonly Problem[]): Problem[] {
  const groups = new Map<string | Problem, Problem[]>();
  for (const problem of problems) {
    const key = groupKey(problem) ?? problem;
    groups.set(key, [...(groups.get(key) ?? []), problem]);
  }
  return inOrder([...groups.values()].flatMap((all) => (all.length > 1 ? [groupOf(all)] : all)));
}

/** Equal for the problems of one group, and for the group; `undefined` for a problem that stands alone. */
export function groupKey({ kind, text, exit, unattended }: Problem): string | undefined {
  if (unattended !== undefined) return `${kind} ${unattended}`;
  // Those of one action end some ms apart. Other numbers, such as that of a ticket, distinguish reasons.
  if (kind === "paused" || kind === "held") return `${kind} ${text.replace(/ until [\d-]+T[\d:.]+Z(?=:)/, " until")}`;
  // Two commands with the same exit code, or ended by the same signal, may have any two causes.
  const isByExit = exit !== undefined && exit.code !== 0;
  const isGroup = kind === "failed" && text !== endedText(kind) && !isByExit;
  return isGroup ? `${kind} ${withoutVarying(text)}` : undefined;
}

function groupOf(all: readonly Problem[]): Problem {
  const ats = all.flatMap(({ at }) => at ?? []);
  const sorted = all.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const names = sorted.map(({ name }) => name);
  const runs = sorted.flatMap(({ run }) => run ?? []);
  const newest = all.reduce((one, other) => ((other.at ?? 0) > (one.at ?? 0) ? other : one));
  const { kind, text, unattended } = newest;
  return {
    ...{ kind, name: names[0] ?? "", ...(ats.length > 0 && { at: Math.min(...ats) }) },
    ...(unattended === undefined ? { text } : { text: UNATTENDED[unattended].several, unattended }),
    jobs: {
      n: names.length,
      names: names.slice(0, NAMES),
      ...(runs.length === names.length && { runs: runs.slice(0, NAMES) }),
    },
  };
}

/**
 * Pending attempts, the soonest first, and which of them no process makes. Reads the schedulers only if the
 * process of an attempt is gone. One that died on another machine counts as living for 15 seconds more.
 *
 * @throws ChannelError if the store fails
 * @example
 * for (const { name, due, orphaned } of await retriesOf(manager, await manager.retries())) {
 *   console.log(name, new Date(due), orphaned === true ? "no process makes it" : "");
 * }
 */
export async function retriesOf(manager: JobManager, retries: readonly PendingRetry[]): Promise<Retry[]> {
  const left = new Set(await manager.orphanedRetries(retries));
  const schedulers = left.size === 0 ? [] : await all(schedulersIn(manager));
  return markedRetries(retries, (retry) => left.has(retry), schedulers);
}

/** The same from known facts. `isLeft`: whether the process of an attempt is gone. */
export function markedRetries(
  retries: readonly PendingRetry[],
  isLeft: (retry: PendingRetry) => boolean,
  schedulers: readonly SchedulerView[],
): Retry[] {
  const isOrphaned = (retry: PendingRetry): boolean => isLeft(retry) && !isTakenOver(retry, schedulers);
  return retries
    .map((retry): Retry => (isOrphaned(retry) ? { ...retry, orphaned: true } : retry))
    .sort((a, b) => a.due - b.due || (a.name < b.name ? -1 : 1));
}

/**
 * Whether a living scheduler takes an attempt over whose process is gone: one that has a schedule of the
 * name, with any definition.
 */
export function isTakenOver({ name }: PendingRetry, schedulers: readonly SchedulerView[]): boolean {
  return schedulers.some(({ schedules }) => schedules.has(name));
}
