import { nearest } from "@ojm/core/backend";
import { builtinFileOf } from "../load/builtin.js";
import type {
  Args,
  CodeBlock,
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
import { compile, placeOfError } from "../script/compile.js";
import { rejectCircles, stepsOf } from "./circles.js";
import { checkManaged } from "./managed.js";

/** One step of a job: another job on the same `args`, or a script. */
export type Step = { readonly job: string; readonly at: Position } | { readonly code: CodeBlock };

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
  readonly builtin?: string;
}

/** A job file in which every name leads to a job and every script compiles. */
export interface Plan {
  readonly jobs: ReadonlyMap<string, PlannedJob>;
  readonly todo: readonly TodoEntry[];
  readonly settings: Settings;
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
  return { jobs, todo: file.todo, settings: file.settings };
}

function planJob(job: JobDefinition, file: JobFile, problems: Problems): PlannedJob {
  const { name, at, args, from, exec, to, deps, each, type, typeArgs, builtin } = job;
  const known = (reference: JobReference, key: string): JobReference => {
    expectJob(reference, file, `"${key}" of "${name}"`, problems);
    return reference;
  };
  const steps: Step[] = [
    ...from.map((one) => known(one, "from")),
    ...(exec ? [{ code: exec }] : []),
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
  if (typeArgs.stopWhen) checkScript(typeArgs.stopWhen, "stopWhen", name, problems);
  if (exec) checkScript(exec, "exec", name, problems);
  return { name, at, args, steps, onError, deps, each, type, typeArgs, ...(builtin && { builtin }) };
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

function checkScript(code: CodeBlock, key: string, job: string, problems: Problems): void {
  try {
    compile({ code: code.code, file: code.source.path, line: code.line });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = placeOfError(error.stack ?? "", code) ?? {
      source: code.source,
      line: code.line,
      column: code.indent + 1,
    };
    const what = key === "exec" ? "script" : `"${key}"`;
    problems.error(`the ${what} of "${job}" has a syntax error: ${error.message}.`, at);
  }
}
