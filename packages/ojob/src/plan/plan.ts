import { nearest } from "@ojm/core/backend";
import { builtinFileOf } from "../load/builtin.js";
import type {
  Args,
  Dependency,
  JobDefinition,
  JobFile,
  JobReference,
  JobType,
  Settings,
  TodoEntry,
  TypeArgs,
} from "../load/jobfile.js";
import type { Position, Problems } from "../problem.js";
import type { Setup } from "../script/protocol.js";
import { type Check, readChecks } from "./checks.js";
import { rejectCircles, stepsOf } from "./circles.js";
import { checkManaged } from "./managed.js";
import { checkScript, planScript, type ScriptStep } from "./script.js";
import { planSetup } from "./setup.js";

export type { ScriptStep };

/** One step of a job: another job on the same `args`, or a script. */
export type Step = { readonly job: string; readonly at: Position } | ScriptStep;

/** A job, ready to run: its steps in order, and what to do when one fails. */
export interface PlannedJob {
  readonly name: string;
  readonly at: Position;
  readonly args: readonly Args[];
  readonly steps: readonly Step[];
  readonly onError: readonly Step[];
  /** What it waits for: its own dependencies, and those of the jobs that are its steps. */
  readonly deps: readonly Dependency[];
  /** Jobs that run for each item that the script hands out. */
  readonly each: readonly JobReference[];
  readonly type: JobType;
  readonly typeArgs: TypeArgs;
  /** What the arguments must look like before the first step, and after the last. */
  readonly checks: { readonly in: readonly Check[]; readonly out: readonly Check[] };
  readonly builtin?: string;
  /** The arguments that its help, or that of its file, calls secret. */
  readonly secrets: readonly string[];
}

/** A job file in which every name leads to a job and every script compiles. */
export interface Plan {
  readonly jobs: ReadonlyMap<string, PlannedJob>;
  readonly todo: readonly TodoEntry[];
  readonly settings: Settings;
  /** What runs when any job failed, after the `catch` of that job. */
  readonly onAnyError: readonly Step[];
  /** What scripts find beside the functions that are always there. */
  readonly setup: Setup;
}

/** Plans a job file. What is wrong with it is told to `problems`; nothing may be started if there are errors. */
export function plan(file: JobFile, commandLine: Args, problems: Problems): Plan {
  const jobs = new Map<string, PlannedJob>();
  for (const job of file.jobs.values()) jobs.set(job.name, planJob(job, file, problems));
  for (const entry of file.todo) {
    expectJob(entry, file, '"todo"', problems);
    if (entry.when) checkScript(entry.when, "when", entry.job, problems);
  }
  if (problems.errors.length === 0) rejectCircles(jobs, problems);
  if (problems.errors.length === 0) {
    const known = new Map<string, readonly Dependency[]>();
    for (const job of [...jobs.values()]) jobs.set(job.name, { ...job, deps: allDeps(job, jobs, known) });
    checkManaged(file, jobs, commandLine, problems);
  }
  return {
    jobs,
    todo: file.todo,
    settings: file.settings,
    onAnyError: planCatch(file, problems),
    setup: planSetup(file, problems),
  };
}

function planJob(job: JobDefinition, file: JobFile, problems: Problems): PlannedJob {
  const { name, at, args, from, to, deps, each, type, typeArgs, builtin } = job;
  const known = (reference: JobReference, key: string): JobReference => {
    expectJob(reference, file, `"${key}" of "${name}"`, problems);
    return reference;
  };
  const script = planScript(job, problems);
  const steps: Step[] = [
    ...from.map((one) => known(one, "from")),
    ...(script ? [script] : []),
    ...to.map((one) => known(one, "to")),
  ];
  const onError = job.catch.map(({ block, at }): Step => {
    const text = block.code.trim();
    if (file.jobs.has(text)) return { job: text, at };
    if (!isNearlyJob(text, file, at, problems)) checkScript(block, "catch", name, problems);
    return { code: block };
  });
  for (const one of each) known(one, "each");
  for (const one of deps) {
    known(one, "deps");
    if (one.onSuccess) checkScript(one.onSuccess, "onSuccess", name, problems);
    if (one.onFail) checkScript(one.onFail, "onFail", name, problems);
  }
  if (type === "jobs" && typeArgs.file === undefined) {
    problems.error(`"${name}" is of type jobs: it needs "file" in its "typeArgs", the job file to run.`, at);
  }
  if (type === "subscribe" && typeArgs.chSubscribe === undefined) {
    problems.error(
      `"${name}" is of type subscribe: it needs "chSubscribe" in its "typeArgs", the channel to follow.`,
      at,
    );
  }
  if (typeArgs.stopWhen) checkScript(typeArgs.stopWhen, "stopWhen", name, problems);
  const checks = { in: planChecks(job, "in", problems), out: planChecks(job, "out", problems) };
  const secrets = [job.help, file.help].flatMap((help) => help?.expects.filter(({ secret }) => secret) ?? []);
  const more = { secrets: secrets.map((argument) => argument.name), ...(builtin && { builtin }) };
  return { name, at, args, steps, onError, deps, each, type, typeArgs, checks, ...more };
}

function planCatch({ settings }: JobFile, problems: Problems): Step[] {
  if (settings.catch === undefined) return [];
  checkScript(settings.catch, "catch", "ojob", problems);
  return [{ code: settings.catch }];
}

function planChecks({ name, check, at }: JobDefinition, key: "in" | "out", problems: Problems): readonly Check[] {
  try {
    return readChecks(check[key]);
  } catch (error) {
    problems.error(`"check.${key}" of "${name}": ${(error as Error).message}.`, at);
    return [];
  }
}

/** A job that is a step of another, or runs for its items, brings along what it depends on. `known` are those found before. */
function allDeps(
  job: PlannedJob,
  jobs: ReadonlyMap<string, PlannedJob>,
  known: Map<string, readonly Dependency[]>,
): readonly Dependency[] {
  const before = known.get(job.name);
  if (before !== undefined) return before;
  const parts = stepsOf(job).flatMap((name) => jobs.get(name) ?? []);
  const all = new Map<string, Dependency>();
  for (const dependency of [job.deps, ...parts.map((part) => allDeps(part, jobs, known))].flat()) {
    if (!all.has(dependency.job)) all.set(dependency.job, dependency);
  }
  const deps = [...all.values()];
  known.set(job.name, deps);
  return deps;
}

function expectJob({ job, at }: JobReference, file: JobFile, where: string, problems: Problems): void {
  if (file.jobs.has(job) || !file.complete) return;
  const included = builtinFileOf(job);
  const near = nearest(job, file.jobs.keys());
  const hint =
    included !== undefined
      ? ` It comes with ${included}: add "include: [${included}]".`
      : near === undefined
        ? ""
        : ` Did you mean "${near}"?`;
  problems.error(`${where} names the job "${job}", which does not exist.${hint}`, at);
}

/** `catch` takes code too: a misspelt job would become a script that fails when it is needed most. */
function isNearlyJob(text: string, file: JobFile, at: Position, problems: Problems): boolean {
  if (/[;(){}=\n]/.test(text)) return false;
  // It may be one of the jobs that could not be read.
  if (!file.complete) return true;
  const near = builtinFileOf(text) ?? nearest(text, file.jobs.keys());
  if (near === undefined) return false;
  const hint = near.endsWith(".yaml")
    ? `Add "include: [${near}]" if you mean that job.`
    : `Did you mean the job "${near}"?`;
  problems.error(`"${text}" is no job of this file, and no code. ${hint}`, at);
  return true;
}
