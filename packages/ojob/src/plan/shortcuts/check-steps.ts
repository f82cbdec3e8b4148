import type { JobFile, JobReference, Shortcut, StepJob, StepReference } from "../../load/job-file.js";
import type { Problems } from "../../text/problem.js";
import { expectJob } from "../known-jobs.js";
import { checkTexts } from "./check-texts.js";
import { checkValues } from "./check-values.js";

/** Whose steps are checked, and in which file. */
export interface StepsContext {
  /** What names the steps, in words: `"from" of "A"`. */
  readonly where: string;
  /** The job whose steps they are. */
  readonly owner: string;
  readonly file: JobFile;
  readonly problems: Problems;
}

/** Checks the jobs and shortcuts of `from` and `to`: unknown jobs, wrong values, code that cannot be read. */
export function checkSteps(steps: readonly StepReference[], context: StepsContext): void {
  for (const step of steps) {
    if ("shortcut" in step) checkShortcut(step.shortcut, context);
    else checkStepJob(step, context);
  }
}

function checkStepJob(step: StepJob, { where, file, problems }: StepsContext): void {
  expectJob(step, file, where, problems);
  const isBuiltin = file.jobs.get(step.job)?.builtin !== undefined;
  if (!isBuiltin || Object.keys(step.args).length === 0) return;
  // They would name the lock of one step, and not that of the others.
  const message = `"${step.job}" takes the args of the job whose step it is: write these args there.`;
  problems.error(message, Object.values(step.argsAt)[0] ?? step.at);
}

function checkShortcut(shortcut: Shortcut, context: StepsContext): void {
  const name = `(${shortcut.name})`;
  for (const [list, items] of Object.entries(shortcut.lists)) {
    const option = list.split(".")[0] ?? "";
    const where = option === "value" ? `"${name}"` : `"((${option}))" of "${name}"`;
    for (const item of items) {
      if ("shortcut" in item) checkShortcut(item.shortcut, context);
      else checkItem(item, { ...context, where });
    }
  }
  checkTexts(shortcut, context.problems);
  checkValues(shortcut, context);
}

/** A job in a list of a shortcut. Its name may hold a template: then it is looked up when its turn comes. */
function checkItem(item: StepJob, context: StepsContext): void {
  if (hasTemplate(item)) return;
  checkStepJob(item, context);
  const job = context.file.jobs.get(item.job);
  const begun = job?.type === "periodic" ? "its schedule" : job?.type === "subscribe" ? "its subscription" : undefined;
  const at = item.at;
  if (begun !== undefined) {
    const message = `${context.where} names the job "${item.job}", and ${begun} begins in "todo" only: name it there, with a "when".`;
    context.problems.error(message, at);
  } else if (job?.type === "shutdown") {
    const message = `${context.where} names the job "${item.job}", which runs at the end: name it in "todo", with a "when".`;
    context.problems.error(message, at);
  }
}

function hasTemplate({ job }: JobReference): boolean {
  return job.includes("{{") || job.includes("${");
}
