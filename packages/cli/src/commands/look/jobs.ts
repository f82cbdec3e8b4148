import type { JobManager, JobSummary } from "@ojm/core";
import { isOwn, present } from "@ojm/core/internal";
import type { Trend } from "@ojm/core/internal/operator";
import type { ScheduleSummary } from "@ojm/schedule";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { colorOf } from "../../output/color.js";
import { type Column, printItems } from "../../output/items.js";
import { printError, wantsJson } from "../../output/print.js";
import { type SayTime, sayDuration, sayTime } from "../../output/times.js";
import { withScheduler } from "../../store/open.js";
import { comingOf, type NextAttempt, nextAttempt, refuseIfNone } from "./retry-series.js";
import { SKIPPED, UNATTENDED } from "./unattended.js";

/** How many runs of a job are read to find its streak. */
const MOST_STREAK = 50;

/** A job that has a record, a schedule, or both. */
export interface Job extends Partial<JobSummary> {
  readonly name: string;
  /** The next attempt, if one is pending. */
  readonly next?: NextAttempt;
  readonly schedule?: Omit<ScheduleSummary, "hash"> & { readonly words: string };
  /** Set if its schedule is run by no living process. */
  readonly unattended?: true;
  /** With `--slower`: its usual duration in the last 7 days, and in the 7 days before, in ms. */
  readonly trend?: Trend;
}

/** The status of the current or the last run. */
const result = ({ running, last }: Job): string | undefined => (running ?? last)?.status;

/** When a job starts next, in ms since 1970: at its next attempt, or by its schedule. */
function nextOf({ schedule, next }: Job): number | undefined {
  const due = schedule?.nextRun?.due;
  return next === undefined || next.orphaned || (due !== undefined && due < next.due) ? due : next.due;
}

/** Why a job does not start at its next tick. A pause or a blackout does not affect a retry. */
function stoppedBy({ schedule, next, unattended }: Job): string | undefined {
  if (unattended) return UNATTENDED;
  if (next?.orphaned) return `no process makes attempt ${next.attempt}`;
  const skipped = schedule?.next[0]?.skipped;
  return skipped === undefined || (next !== undefined && skipped !== "held") ? undefined : SKIPPED[skipped];
}

/** When a job starts next, and what keeps it from its next tick. */
function sayNext(job: Job, say: SayTime): string {
  const [stop, at] = [stoppedBy(job), nextOf(job)];
  if (stop === undefined || at === undefined || job.unattended) return stop ?? say(at);
  return `${stop}, runs ${say(at)}`;
}

/** How many runs in a row ended like the last one. `+`: all that were read did, so there may be more. */
function sayStreak({ streak = 0 }: Job): string {
  const length = Math.abs(streak);
  return length === 0 ? "" : `${length}${length >= MOST_STREAK ? "+" : ""} ${streak > 0 ? "succeeded" : "failed"}`;
}

/** The summary of one job, or of each that is not of ojm itself. */
async function* summariesOf(manager: JobManager, name: string | undefined): AsyncGenerator<JobSummary> {
  if (name === undefined) {
    for await (const job of manager.jobs()) if (!isOwn(job.name)) yield job;
    return;
  }
  const { summaryOf } = await import("@ojm/core/internal/operator");
  const summary = await summaryOf(manager.channels.jobs, name);
  if (summary !== undefined) yield summary;
}

/** How much longer, or less long, the runs take than in the week before: `+50 %`, `2.5x`. */
function sayChange({ trend }: Job): string {
  if (trend === undefined) return "";
  const factor = trend.week / Math.max(1, trend.before);
  return factor >= 2 ? `${factor.toFixed(1)}x` : `${factor < 1 ? "-" : "+"}${Math.round(Math.abs(factor - 1) * 100)} %`;
}

/** The jobs with their trends, those first that became the slowest. */
async function slowerFirst(given: Given, manager: JobManager, jobs: readonly Job[]): Promise<Job[]> {
  const { slowdownOf, trendsOf } = await import("@ojm/core/internal/operator");
  const { of, counting } = await trendsOf(
    manager,
    jobs.map(({ name }) => name),
    Date.now(),
  );
  if (counting && !wantsJson(given))
    printError("ojm: the runs of the last two weeks are not all counted yet, so changes are missing: try again");
  const slowdown = ({ trend }: Job): number => (trend === undefined ? 0 : slowdownOf(trend));
  return jobs
    .map((job) => ({ ...job, ...present({ trend: of.get(job.name) }) }))
    .sort((a, b) => slowdown(b) - slowdown(a) || (a.name < b.name ? -1 : 1));
}

/** Shows each job. */
export async function execute(given: Given): Promise<number> {
  const name = optionalOperand(given);
  const say = sayTime(given);
  const isSlower = given.flags.has("slower");
  const trendColumns: Column<Job>[] = [
    { title: "CHANGE", rank: 1, cell: sayChange },
    { title: "7 DAYS", rank: 2, cell: ({ trend }) => sayDuration(trend?.week) },
    { title: "BEFORE", rank: 3, cell: ({ trend }) => sayDuration(trend?.before) },
  ];
  const columns: Column<Job>[] = [
    { title: "JOB", cut: "name", cell: ({ name }) => name },
    {
      title: "NEXT",
      rank: 2,
      cell: (job) => sayNext(job, say),
      color: (job) => (stoppedBy(job) === undefined ? undefined : colorOf("paused")),
    },
    { title: "LAST", rank: 3, cell: ({ running, last }) => say((running ?? last)?.startTime) },
    { title: "RESULT", rank: 1, cell: result, color: (job) => colorOf(result(job)) },
    ...(isSlower ? trendColumns : []),
    { title: "USUALLY", rank: 5, cell: ({ usual }) => sayDuration(usual?.p50) },
    { title: "STREAK", rank: 4, cell: sayStreak },
    { title: "SCHEDULE", cut: "text", cell: ({ schedule }) => schedule?.words },
  ];
  return withScheduler(given, async (scheduler, manager) => {
    const jobs = new Map<string, Job>();
    for await (const job of summariesOf(manager, name)) jobs.set(job.name, job);
    const { wordsOf } = await import("@ojm/schedule");
    const { attendanceIn } = await import("@ojm/schedule/operator");
    const unattended = await attendanceIn(manager);
    for await (const { hash, ...schedule } of scheduler.schedules(name === undefined ? {} : { name })) {
      const { name, definition } = schedule;
      const alone = unattended({ name, hash }) && ({ unattended: true } as const);
      const words = await wordsOf(definition);
      jobs.set(name, { ...jobs.get(name), name, schedule: { ...schedule, words }, ...alone });
    }
    for (const next of (await comingOf(manager, name)).reverse())
      jobs.set(next.name, { ...jobs.get(next.name), name: next.name, next: nextAttempt(next) });
    const sorted = [...jobs.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    await refuseIfNone(manager, name, sorted);
    const none = name === undefined ? "no jobs yet" : `"${name}" has no run and no schedule`;
    await printItems(given, isSlower ? await slowerFirst(given, manager, sorted) : sorted, columns, none);
  });
}
