import { nearest } from "@ojm/core/backend";
import { builtinFileOf } from "../load/builtin.js";
import type { Args, JobDefinition, JobFile, JobReference, TodoEntry } from "../load/jobfile.js";
import type { Position, Problems } from "../problem.js";
import { type Check, readChecks } from "./checks.js";
import { checkManaged } from "./managed.js";
import { checkScript, planScript, type ScriptStep } from "./script.js";

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
  /** What the arguments must look like before the first step, and after the last. */
  readonly checks: { readonly in: readonly Check[]; readonly out: readonly Check[] };
  readonly builtin?: string;
}

/** A job file in which every name leads to a job and every script compiles. */
export interface Plan {
  readonly jobs: ReadonlyMap<string, PlannedJob>;
  readonly todo: readonly TodoEntry[];
}

/** Plans a job file. What is wrong with it is told to `problems`; nothing may be started if there are errors. */
export function plan(file: JobFile, commandLine: Args, problems: Problems): Plan {
  const jobs = new Map<string, PlannedJob>();
  for (const job of file.jobs.values()) jobs.set(job.name, planJob(job, file, problems));
  for (const entry of file.todo) expectJob(entry, file, '"todo"', problems);
  if (problems.errors.length === 0) rejectCircles(jobs, problems);
  if (problems.errors.length === 0) checkManaged(file, jobs, commandLine, problems);
  return { jobs, todo: file.todo };
}

function planJob(job: JobDefinition, file: JobFile, problems: Problems): PlannedJob {
  const { name, at, args, from, to, builtin } = job;
  const known = (reference: JobReference, key: string): Step => {
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
  const checks = { in: planChecks(job, "in", problems), out: planChecks(job, "out", problems) };
  return { name, at, args, steps, onError, checks, ...(builtin && { builtin }) };
}

function planChecks({ name, check, at }: JobDefinition, key: "in" | "out", problems: Problems): readonly Check[] {
  try {
    return readChecks(check[key]);
  } catch (error) {
    problems.error(`"check.${key}" of "${name}": ${(error as Error).message}.`, at);
    return [];
  }
}

function expectJob({ job, at }: JobReference, file: JobFile, where: string, problems: Problems): void {
  if (file.jobs.has(job)) return;
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
  const near = builtinFileOf(text) ?? nearest(text, file.jobs.keys());
  if (near === undefined) return false;
  const hint = near.endsWith(".yaml")
    ? `Add "include: [${near}]" if you mean that job.`
    : `Did you mean the job "${near}"?`;
  problems.error(`"${text}" is no job of this file, and no code. ${hint}`, at);
  return true;
}

/** A job that, through `from`, `to` or `catch`, is a step of itself would never end. */
function rejectCircles(jobs: ReadonlyMap<string, PlannedJob>, problems: Problems): void {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    const job = jobs.get(name);
    if (job === undefined || done.has(name)) return;
    if (start >= 0) {
      const circle = [...path.slice(start), name].map((one) => `"${one}"`).join(" → ");
      problems.error(`these jobs are steps of each other in a circle: ${circle}.`, job.at);
      return;
    }
    for (const step of [...job.steps, ...job.onError]) if ("job" in step) visit(step.job, [...path, name]);
    done.add(name);
  };
  for (const name of jobs.keys()) visit(name, []);
}
