import type { ScheduleDefinition } from "@ojm/schedule";
import type { Args, JobDefinition, JobFile, Taking, TodoEntry, TypeArgs } from "../load/job-file.js";
import type { Problems } from "../text/problem.js";
import { fillArgs, type RunArgs, runArgs } from "./args.js";
import { JOB_START } from "./manager/manager-args.js";
import { eachStart, firstDoing, type Start, timeoutOf, wrongRunArgs } from "./manager/starts.js";
import { type Jobs, type Plan, type PlannedJob, runLimits } from "./planned.js";

/** The longest name of a schedule, in characters. */
const LONGEST_NAME = 200;

/** The start of a run that a job makes before any script. */
export interface KnownStart {
  readonly name: string;
  /** The longest time of the run, in ms, if the arguments say it. */
  readonly timeout: number | undefined;
  readonly taking: Taking;
}

interface KnownIn {
  readonly jobs: Jobs;
  readonly commandLine: Args;
}

/** The start of the run with which a job begins. `undefined` if a script decides the name. */
export function knownStart(job: PlannedJob, { own, given }: RunArgs, known: KnownIn): KnownStart | undefined {
  if (firstDoing(JOB_START, job.name, known.jobs) !== "it") return undefined;
  const starts: Start[] = [];
  const visit = (start: Start): void => void starts.push(start);
  eachStart({ ...job, args: [own] }, given, () => job.at, { ...known, visit });
  const [first] = starts;
  if (first === undefined || wrongRunArgs(first.args) !== undefined) return undefined;
  const name = String(first.args["name"]);
  const timeout = timeoutOf(first.args);
  if (name.length > LONGEST_NAME) return undefined;
  return { name, timeout: typeof timeout === "number" ? timeout : undefined, taking: first.taking };
}

/** The settings of a schedule beside its due times. Only a scheduler follows them. */
const SCHEDULE_WORDS = ["overlap", "missed", "jitter", "blackout"] as const;

export function hasScheduleWords(typeArgs: TypeArgs): boolean {
  return SCHEDULE_WORDS.some((word) => typeArgs[word] !== undefined);
}

export interface NamedRun extends RunArgs, KnownStart {}

function pairsOf(job: PlannedJob, given: readonly Args[]): RunArgs[] {
  return given.flatMap((args) => runArgs(job).map((own) => ({ own, given: args })));
}

/** The runs at each tick, if each can have a stored schedule, by a name of its own; else why not. */
export function namedRuns(job: PlannedJob, given: readonly Args[], known: KnownIn): readonly NamedRun[] | string {
  const { typeArgs } = job;
  if (typeArgs.cron === undefined && !hasScheduleWords(typeArgs)) return "each process has its own interval";
  const pairs = pairsOf(job, given);
  const { limit, failFast } = runLimits(job);
  if (pairs.length > 1 && (failFast || limit < pairs.length)) return "its runs of a tick depend on each other";
  const runs: NamedRun[] = [];
  for (const pair of pairs) {
    const start = knownStart(job, pair, known);
    if (start === undefined) return "it does not begin with oJobManager Job Start under a name that is known";
    if (runs.some(({ name }) => name === start.name)) return `several of its runs have the name "${start.name}"`;
    runs.push({ ...pair, ...start });
  }
  return runs;
}

/** What an item of the todo gives to its job, as far as that is known before the start. */
function givenBy(entry: TodoEntry, { environment }: Plan, commandLine: Args): Args[] {
  return runArgs(entry).map((args) => fillArgs(args, commandLine, () => {}, environment.all));
}

/** How many schedules of a todo have each name. Schedules that share a name cannot be in the store. */
export function scheduleNames(plan: Plan, commandLine: Args): ReadonlyMap<string, number> {
  const { todo, jobs } = plan;
  const counts = new Map<string, number>();
  for (const entry of todo) {
    const job = jobs.get(entry.job);
    if (job?.type !== "periodic") continue;
    const runs = namedRuns(job, givenBy(entry, plan, commandLine), { jobs, commandLine });
    if (typeof runs === "string") continue;
    for (const { name } of runs) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** The shortest interval that processes share, in ms. */
const SHORTEST = 1_000;

/** Finds wrong settings of schedules, and those without effect. Loads their package only if needed. */
export async function checkScheduleWords(file: JobFile, plan: Plan, args: Args, problems: Problems): Promise<void> {
  for (const job of file.jobs.values()) {
    if (hasScheduleWords(job.typeArgs) || job.typeArgs.retry !== undefined) await checkJob(job, problems);
  }
  if (!problems.isWhole) return;
  const names = scheduleNames(plan, args);
  const known = { jobs: plan.jobs, commandLine: args };
  for (const entry of file.todo) {
    const job = plan.jobs.get(entry.job);
    const definition = file.jobs.get(entry.job);
    if (job === undefined || definition === undefined) continue;
    const isManaged = firstDoing(JOB_START, job.name, plan.jobs) === "it";
    if (isManaged) warnOfArgs(definition, entry, problems);
    const given = givenBy(entry, plan, args);
    if (job.type === "periodic" && hasScheduleWords(job.typeArgs)) {
      const runs = namedRuns(job, given, known);
      if (isManaged || typeof runs !== "string") checkShared(definition, runs, names, problems);
    }
    if (job.typeArgs.retry?.onLost !== true) continue;
    if (pairsOf(job, given).every((pair) => knownStart(job, pair, known) !== undefined)) continue;
    const message = `"onLost" of "${job.name}" has no effect: the job does not begin with ${JOB_START} under a name that is known, so the store does not know its attempts.`;
    problems.warn(message, definition.typeArgsAt["retry"] ?? definition.at);
  }
}

async function checkJob({ name, at, type, typeArgs, typeArgsAt }: JobDefinition, problems: Problems): Promise<void> {
  const { checkDefinition, isScheduleError } = await import("@ojm/schedule");
  for (const word of [...SCHEDULE_WORDS, "retry"] as const) {
    if (typeArgs[word] === undefined) continue;
    const place = typeArgsAt[word] ?? at;
    try {
      // Checks each by itself, because a wrong one would hide the others.
      checkDefinition(name, { cron: "@daily", [word]: typeArgs[word] } as ScheduleDefinition);
    } catch (error) {
      if (!isScheduleError(error)) throw error;
      problems.flaw(error.message.replace(/^the schedule/, "the job"), place);
    }
    // A job that runs alone, by `--job`, still has its schedule.
    const isScheduled = type === "periodic" || typeArgs.cron !== undefined || typeArgs.timeInterval !== undefined;
    if (word !== "retry" && !isScheduled) {
      problems.warn(`"${word}" of "${name}" has no effect: the job has no schedule.`, place);
    }
  }
  const { cron, timeInterval = SHORTEST } = typeArgs;
  const word = SCHEDULE_WORDS.find((one) => typeArgs[one] !== undefined);
  if (word === undefined || cron !== undefined || (Number.isInteger(timeInterval) && timeInterval >= SHORTEST)) return;
  const message = `"timeInterval" of "${name}" must be ${SHORTEST} or more, in whole milliseconds: with "${word}", all processes have the same ticks.`;
  problems.flaw(message, typeArgsAt["timeInterval"] ?? at);
}

/** Warns of such settings among the arguments of a managed job, unless its script names them. */
function warnOfArgs(definition: JobDefinition, entry: TodoEntry, problems: Problems): void {
  const script = JSON.stringify(definition.exec ?? "");
  for (const { args, argsAt, at } of [definition, entry]) {
    for (const word of [...SCHEDULE_WORDS, "retry", "permits"]) {
      if (script.includes(word) || !args.some((one) => Object.hasOwn(one, word))) continue;
      const message = `"${word}" among the args of "${definition.name}" has no effect. It belongs under "typeArgs" of the job.`;
      problems.warn(message, argsAt[word] ?? at);
    }
  }
}

/**
 * Finds settings that other processes cannot follow. `runs`: the runs of each tick, or why none is shared.
 */
function checkShared(
  { name, at: jobAt, typeArgs, typeArgsAt }: JobDefinition,
  runs: readonly NamedRun[] | string,
  names: ReadonlyMap<string, number>,
  problems: Problems,
): void {
  const word = SCHEDULE_WORDS.find((one) => typeArgs[one] !== undefined) ?? "";
  const at = typeArgsAt[word] ?? jobAt;
  if (typeof runs === "string") {
    problems.warn(`"${word}" of "${name}" applies in each process separately: ${runs}.`, at);
    return;
  }
  const shared = runs.find((run) => (names.get(run.name) ?? 0) > 1);
  if (shared === undefined) return;
  const message = `"${word}" of "${name}": several schedules have the name "${shared.name}", but the store can have only one of each name. Give each its own name, or give them the same "typeArgs.lock".`;
  problems.flaw(message, at);
}

export async function checkSchedules(file: JobFile, problems: Problems): Promise<void> {
  for (const job of file.jobs.values()) {
    const { name, at, type, typeArgs } = job;
    if (typeArgs.cron !== undefined || typeArgs.timeZone !== undefined) await checkCron(job, problems);
    else if (type === "periodic" && typeArgs.timeInterval === undefined) {
      problems.flaw(`"${name}" is periodic: it needs "cron" or "timeInterval" in its "typeArgs".`, at);
    }
  }
}

/** Checks a cron expression. The parser is loaded only for a file that has one. */
async function checkCron({ at, typeArgs, typeArgsAt }: JobDefinition, problems: Problems): Promise<void> {
  const { cronSchedule, isScheduleError } = await import("@ojm/schedule");
  const check = (cron: string, timeZone?: string): void => {
    try {
      cronSchedule(cron, timeZone);
    } catch (error) {
      if (!isScheduleError(error)) throw error;
      problems.flaw(error.message, typeArgsAt[error.setting ?? ""] ?? at);
    }
  };
  // Checks each by itself, because a wrong expression would hide a wrong zone.
  if (typeArgs.cron !== undefined) check(String(typeArgs.cron));
  if (typeArgs.timeZone !== undefined) check("@daily", String(typeArgs.timeZone));
}
