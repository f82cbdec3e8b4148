import type { Args, TodoEntry, TypeArgs } from "../../load/job-file.js";
import { fillArgs } from "../args.js";
import type { Plan, PlannedJob } from "../planned.js";
import { runLimits } from "../settings.js";
import { type KnownIn, knownStart, ownArgs } from "./known-start.js";

/** The words of a schedule, beside when it is due. Only a scheduler keeps to them. */
export const SCHEDULE_WORDS = ["overlap", "missed", "jitter", "blackout"] as const;

/** Whether a job says more of its schedule than when it is due. */
export function hasScheduleWords(typeArgs: TypeArgs): boolean {
  return SCHEDULE_WORDS.some((word) => typeArgs[word] !== undefined);
}

/** One of the runs that a job makes at a tick. */
export interface NamedRun {
  readonly own: Args;
  readonly given: Args;
  readonly name: string;
  readonly timeout: number | undefined;
}

/**
 * The runs that a job makes at each tick of its schedule, if each of them can have a schedule of its own in
 * the store: their names are known and differ. Otherwise the reason why they cannot, in words.
 */
export function namedRuns(job: PlannedJob, given: readonly Args[], known: KnownIn): readonly NamedRun[] | string {
  const { typeArgs } = job;
  if (typeArgs.cron === undefined && !hasScheduleWords(typeArgs)) return "its interval is that of each process";
  const pairs = given.flatMap((args) => ownArgs(job).map((own) => ({ own, given: args })));
  const { most, failFast } = runLimits(job);
  if (pairs.length > 1 && (failFast || most < pairs.length)) return "its runs of a tick depend on each other";
  const runs: NamedRun[] = [];
  for (const pair of pairs) {
    const start = knownStart(job, pair, known);
    if (start === undefined) return "it does not begin with oJobManager Job Start under a name that is known";
    if (runs.some(({ name }) => name === start.name)) return `several of its runs have the name "${start.name}"`;
    runs.push({ ...pair, ...start });
  }
  return runs;
}

/** How many schedules of a todo have each name. Of several that share one, none can be in the store. */
export function scheduleNames({ todo, jobs, environment }: Plan, commandLine: Args): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const entry of todo) {
    const job = jobs.get(entry.job);
    if (job?.type !== "periodic") continue;
    const given = givenBy(entry).map((args) => fillArgs(args, commandLine, () => {}, environment.all));
    const runs = namedRuns(job, given, { jobs, commandLine });
    if (typeof runs === "string") continue;
    for (const { name } of runs) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function givenBy({ args }: TodoEntry): readonly Args[] {
  return args.length > 0 ? args : [{}];
}
