import type { RunRecord } from "@ojm/core";
import { type Hold, isTriedAgain } from "@ojm/core/internal";
import type { SchedulerView, ScheduleView } from "@ojm/schedule";
import type { Running } from "../../ps/running.js";
import type { ComingTick } from "../../unattended.js";
import type { Retrying } from "./retries.js";

/** How late a tick may be that a living scheduler decides on, in ms. */
const LATE = 60_000;

/** Something that does not go as it should, or that somebody stopped. */
export interface Problem {
  readonly name: string;
  readonly what: "lost" | "failed" | "timeout" | "overdue" | "nobody" | "left" | "held" | "paused";
  readonly text: string;
  /** Since when, in ms since 1970. */
  readonly since?: number;
}

/** A tick that is to come. */
export interface Coming extends ComingTick {
  readonly name: string;
  readonly due: number;
}

/** What is known of a store at one time. */
export interface Picture {
  /** Which store it is. */
  readonly store: string;
  readonly isComplete: boolean;
  /** For how long the store has not answered, in ms. */
  readonly away: number | undefined;
  readonly processes: number;
  readonly waiting: number;
  readonly failed: { readonly count: number; readonly isMore: boolean };
  /** The schedules by name, and whether each is paused. */
  readonly schedules: ReadonlyMap<string, boolean>;
  readonly problems: readonly Problem[];
  readonly running: readonly Running[];
  readonly retrying: readonly Retrying[];
  readonly next: readonly Coming[];
}

/** What is known of the schedules at one time. */
export type Scheduled = Pick<Picture, "schedules" | "next"> & { readonly problems: readonly Problem[] };

/** Reads schedules: which are a problem, and what comes next. */
export function scheduled(
  schedules: readonly ScheduleView[],
  schedulers: readonly SchedulerView[],
  now: number,
): Scheduled {
  const living = new Set<string>();
  for (const scheduler of schedulers) for (const [name, hash] of scheduler.schedules) living.add(`${hash} ${name}`);
  const paused = new Map<string, boolean>();
  const problems: Problem[] = [];
  const next: Coming[] = [];
  for (const schedule of schedules) {
    const { name, hash, paused: pause } = schedule;
    const isPaused = pause !== undefined && (pause.until === undefined || pause.until > now);
    paused.set(name, isPaused);
    const isLiving = living.has(`${hash} ${name}`);
    const problem = isPaused ? pausedProblem(name, pause) : lateProblem(schedule, isLiving, now);
    if (problem !== undefined) problems.push(problem);
    const tick = schedule.upcoming(now);
    if (tick === undefined) continue;
    const { due, skipped, waiting } = tick;
    next.push({
      name,
      due,
      ...(skipped !== undefined && { skipped }),
      ...(waiting !== undefined && { waiting }),
      ...(!isLiving && { nobody: true }),
    });
  }
  return { schedules: paused, problems, next: next.sort((a, b) => a.due - b.due) };
}

/** The jobs that people hold, as problems: whoever looks for a job must see that it is kept away. */
export function held(holds: ReadonlyMap<string, Hold>, now: number): Problem[] {
  return [...holds].flatMap(([name, { author = "somebody", reason, at, until }]) =>
    until <= now ? [] : { name, what: "held", text: `by ${author} until ${iso(until)}: ${reason}`, since: at },
  );
}

const iso = (time: number): string => new Date(time).toISOString();

function pausedProblem(name: string, { by, reason, at, until }: NonNullable<ScheduleView["paused"]>): Problem {
  const end = until === undefined ? "" : ` until ${iso(until)}`;
  return { name, what: "paused", text: `by ${by}${end}: ${reason}`, since: at };
}

function lateProblem(schedule: ScheduleView, isLiving: boolean, now: number): Problem | undefined {
  const { name, decided } = schedule;
  const late = schedule.overdue(isLiving ? now - LATE : now, decided);
  const ticks = late && (late.count === 1 ? "one tick is overdue" : `${late.count} ticks are overdue`);
  if (!isLiving) {
    const text = `no process that runs this schedule is there${ticks === undefined ? "" : `; ${ticks}`}`;
    return { name, what: "nobody", text, ...(late && { since: late.at }) };
  }
  return late && { name, what: "overdue", text: `${ticks}, and its processes do not decide on them`, since: late.at };
}

/** So long a chain may be in neither list, between the end of an attempt and the next one, in ms. */
const BETWEEN = 5_000;

/** Whether a failed attempt is shown elsewhere: its chain waits for the next attempt, or that runs. */
export function isRetried(
  run: RunRecord,
  { running, retrying }: Pick<Picture, "running" | "retrying">,
  now: number,
): boolean {
  if (!isTriedAgain(run)) return false;
  const { name, endTime = 0 } = run;
  return now - endTime < BETWEEN || [...running, ...retrying].some((one) => one.name === name);
}

/**
 * Says of a schedule that nobody runs how its last run ended. `told`: the jobs that run, or whose failure is
 * a problem of its own.
 */
export function withLast(problem: Problem, last: RunRecord | undefined, told: ReadonlySet<string>): Problem {
  const { name, what, text } = problem;
  if (what !== "nobody" || told.has(name) || last === undefined) return problem;
  // Nobody has closed the record of a run whose process was killed.
  const end =
    last.status === "running" || last.status === "lost"
      ? "was lost"
      : last.inError
        ? `ended as ${last.status}`
        : undefined;
  return end === undefined ? problem : { ...problem, text: `${text}; its last run ${end}` };
}

/** The run of a name that failed, as a problem. `since`: when the job began to fail, if that is known. */
export function failedProblem(run: RunRecord, since: number = endOf(run)): Problem {
  const { name, status, error } = run;
  const what = status === "lost" || status === "timeout" ? status : "failed";
  return { name, what, text: error ?? "", since };
}

/** An attempt whose process is gone, and that no other one makes. */
export function leftProblem({ name, attempt, attempts }: Retrying, since: number | undefined): Problem {
  const text = `nobody makes attempt ${attempt} of ${attempts}: its process is gone`;
  return { name, what: "left", text, ...(since !== undefined && { since }) };
}

export const endOf = ({ startTime, endTime = startTime }: RunRecord): number => endTime;

/** One row for each job: its first problem, with what else is wrong behind it. */
export function onePerJob(problems: readonly Problem[]): Problem[] {
  const jobs = new Map<string, Problem>();
  for (const problem of problems) {
    const { name, what, text } = problem;
    const first = jobs.get(name);
    const also = what === "paused" || what === "held" ? `${what} ${text}` : text;
    jobs.set(name, first === undefined ? problem : { ...first, text: `${first.text}; ${also}` });
  }
  return [...jobs.values()];
}

const ORDER: readonly Problem["what"][] = ["lost", "failed", "timeout", "nobody", "left", "overdue", "held", "paused"];

/** Problems in the order in which somebody should look at them: of each kind, the newest first. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = ({ what }: Problem): number =>
    what === "paused" || what === "held" ? 2 : ORDER.indexOf(what) < 3 ? 0 : 1;
  return problems.toSorted(
    (a, b) => rank(a) - rank(b) || (b.since ?? 0) - (a.since ?? 0) || (a.name < b.name ? -1 : 1),
  );
}
