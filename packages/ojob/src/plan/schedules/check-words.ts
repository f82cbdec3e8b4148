import type { ScheduleDefinition } from "@ojm/schedule";
import type { Args, JobDefinition, JobFile, TodoEntry } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { fillArgs } from "../args.js";
import { JOB_START } from "../manager/manager-args.js";
import { firstDoing } from "../manager/run-args.js";
import type { Plan, PlannedJob } from "../planned.js";
import { knownStart, ownArgs } from "./known-start.js";
import { hasScheduleWords, namedRuns, SCHEDULE_WORDS, scheduleNames } from "./schedule-names.js";

/** The shortest interval that processes share, in ms. */
const SHORTEST = 1_000;

/**
 * Finds wrong words of schedules, such as `overlap` and `retry`, and those that have no effect where they
 * stand. What they may be is checked by the package that goes by them, loaded only for a file that has some.
 */
export async function checkScheduleWords(
  file: JobFile,
  plan: Plan,
  commandLine: Args,
  problems: Problems,
): Promise<void> {
  for (const job of file.jobs.values()) {
    if (hasScheduleWords(job.typeArgs) || job.typeArgs.retry !== undefined) await checkJob(job, problems);
  }
  if (!problems.isWhole) return;
  const names = scheduleNames(plan, commandLine);
  for (const entry of file.todo) {
    const job = plan.jobs.get(entry.job);
    const definition = file.jobs.get(entry.job);
    if (job === undefined || definition === undefined) continue;
    warnOfArgs(job, definition, entry, plan, problems);
    const given = givenBy(entry, plan, commandLine);
    if (job.type === "periodic" && hasScheduleWords(job.typeArgs)) {
      checkShared(job, definition, given, { plan, commandLine, names }, problems);
    }
    warnOfRetry(job, definition, given, { plan, commandLine }, problems);
  }
}

async function checkJob({ name, at, type, typeArgs, typeArgsAt }: JobDefinition, problems: Problems): Promise<void> {
  const { checkDefinition, isScheduleError } = await import("@ojm/schedule");
  for (const word of [...SCHEDULE_WORDS, "retry"] as const) {
    if (typeArgs[word] === undefined) continue;
    const place = typeArgsAt[word] ?? at;
    try {
      // Each by itself, or a wrong one would hide the others.
      checkDefinition(name, { cron: "@daily", [word]: typeArgs[word] } as ScheduleDefinition);
    } catch (error) {
      if (!isScheduleError(error)) throw error;
      problems.flaw(error.message.replace(/^the schedule/, "the job"), place);
    }
    // A job that is run alone, by `--job`, has its schedule all the same.
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

/**
 * Warns of words among the arguments of a managed job: they belong in `typeArgs`, and do nothing where they
 * are. A script may have an argument of that name for itself.
 */
function warnOfArgs(
  job: PlannedJob,
  definition: JobDefinition,
  entry: TodoEntry,
  { jobs }: Plan,
  problems: Problems,
): void {
  if (firstDoing(JOB_START, job.name, jobs) !== "it") return;
  const script = JSON.stringify(definition.exec ?? "");
  for (const { args, argsAt, at } of [definition, entry]) {
    for (const word of [...SCHEDULE_WORDS, "retry"]) {
      if (script.includes(word) || !args.some((one) => Object.hasOwn(one, word))) continue;
      const message = `"${word}" among the args of "${job.name}" has no effect. It belongs under "typeArgs" of the job.`;
      problems.warn(message, argsAt[word] ?? at);
    }
  }
}

/** What a schedule is looked at with. */
interface In {
  readonly plan: Plan;
  readonly commandLine: Args;
  /** How many schedules have each name. */
  readonly names: ReadonlyMap<string, number>;
}

/** Finds words that other processes cannot go by. */
function checkShared(
  job: PlannedJob,
  definition: JobDefinition,
  given: readonly Args[],
  { plan, commandLine, names }: In,
  problems: Problems,
): void {
  const { word, at } = firstWord(definition);
  const runs = namedRuns(job, given, { jobs: plan.jobs, commandLine });
  if (typeof runs === "string") {
    const isManaged = firstDoing(JOB_START, job.name, plan.jobs) === "it";
    if (isManaged) problems.warn(`"${word}" of "${job.name}" holds in each process by itself: ${runs}.`, at);
    return;
  }
  const shared = runs.find(({ name }) => (names.get(name) ?? 0) > 1);
  if (shared === undefined) return;
  const message = `"${word}" of "${job.name}": several schedules have the name "${shared.name}", and the store has one of a name. Give each a name of its own, or one "typeArgs.lock".`;
  problems.flaw(message, at);
}

/** Warns of `onLost`, which needs a run whose name is known. */
function warnOfRetry(
  job: PlannedJob,
  { typeArgsAt, at }: JobDefinition,
  given: readonly Args[],
  { plan, commandLine }: Pick<In, "plan" | "commandLine">,
  problems: Problems,
): void {
  if (job.typeArgs.retry?.onLost !== true) return;
  const pairs = given.flatMap((args) => ownArgs(job).map((own) => ({ own, given: args })));
  if (pairs.every((pair) => knownStart(job, pair, { jobs: plan.jobs, commandLine }) !== undefined)) return;
  const message = `"onLost" of "${job.name}" has no effect: the job does not begin with ${JOB_START} under a name that is known, so the store does not know its attempts.`;
  problems.warn(message, typeArgsAt["retry"] ?? at);
}

function firstWord({ typeArgs, typeArgsAt, at }: JobDefinition): { readonly word: string; readonly at: Position } {
  const word = SCHEDULE_WORDS.find((one) => typeArgs[one] !== undefined) ?? "";
  return { word, at: typeArgsAt[word] ?? at };
}

function givenBy({ args }: TodoEntry, { environment }: Plan, commandLine: Args): readonly Args[] {
  const all = args.length > 0 ? args : [{}];
  return all.map((one) => fillArgs(one, commandLine, () => {}, environment.all));
}
