import { builtinFileOf } from "../load/builtin.js";
import type { JobFile, JobReference, Shortcut, StepJob, StepReference } from "../load/job-file.js";
import { insteadOfJob } from "../load/openaf-jobs.js";
import { shortcutNamed } from "../shortcuts/table.js";
import { needsHandlebars, SHORTCUT_HELPERS } from "../shortcuts/values.js";
import { didYouMean, type Problems } from "../text/problem.js";
import { wrongTemplate } from "../text/template.js";
import { eachText } from "./args.js";
import { type Jobs, jobsNamedIn, type PlannedJob } from "./planned.js";

interface StepsContext {
  /** The name of the steps in messages: `"from" of "A"`. */
  readonly where: string;
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
  // These arguments would name the lock of one step, and not that of the others.
  const message = `"${step.job}" uses the args of the job that has it as a step: write these args in that job.`;
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
  const complain = (message: string, option = "value"): void =>
    context.problems.error(`${message}.`, shortcut.places[option] ?? shortcut.at);
  shortcutNamed(shortcut.name)?.check?.(shortcut, complain, context);
}

/** Why jobs of these types cannot be in a list of a shortcut. */
const TODO_ONLY: Readonly<Record<string, string>> = {
  periodic: 'and its schedule begins in "todo" only: name it there',
  subscribe: 'and its subscription begins in "todo" only: name it there',
  shutdown: 'which runs at the end: name it in "todo"',
};

/** A job in a list of a shortcut. If its name has a template, it is looked up when its turn comes. */
function checkItem(item: StepJob, context: StepsContext): void {
  if (/\{\{|\$\{/.test(item.job)) return;
  checkStepJob(item, context);
  const why = TODO_ONLY[context.file.jobs.get(item.job)?.type ?? ""];
  if (why === undefined) return;
  context.problems.error(`${context.where} names the job "${item.job}", ${why}, with a "when".`, item.at);
}

/** A template that is only a path. */
const PLAIN = /\{\{\{?\s*[\p{L}\p{N}_$.[\]-]+\s*\}?\}\}/gu;

/** Finds templates in the values of a shortcut that cannot be filled. */
function checkTexts({ name, values, places, args, argsAt, at }: Shortcut, problems: Problems): void {
  const check = (value: unknown, what: string, place = at, isWhole = false): void =>
    eachText(value, (text) => {
      const isTemplate = needsHandlebars(text) || (isWhole && text.replace(PLAIN, "").includes("{{"));
      const wrong = isTemplate ? wrongTemplate(text, SHORTCUT_HELPERS) : undefined;
      if (wrong !== undefined) problems.error(`the template in "${what}" cannot be filled: ${wrong.message}.`, place);
    });
  for (const [option, value] of Object.entries(values)) {
    if (option === "value") check(value, `(${name})`, places[option], shortcutNamed(name)?.isTemplate);
    else check(value, `((${option}))`, places[option]);
  }
  for (const [argument, value] of Object.entries(args)) check(value, argument, argsAt[argument]);
}

/** Reports the name of a job that the file does not have. `where` is the place that names it. */
export function expectJob({ job, at }: JobReference, file: JobFile, where: string, problems: Problems): void {
  if (file.jobs.has(job) || !file.complete) return;
  const included = builtinFileOf(job);
  const instead = insteadOfJob(job);
  const hint = included ? ` It comes with ${included}: add "include: [${included}]".` : nameHint(job, file);
  const why = instead === undefined ? `does not exist.${hint}` : `comes with OpenAF, and not with ojm.${instead}`;
  problems.error(`${where} names the job "${job}", which ${why}`, at);
}

function nameHint(job: string, { jobs }: JobFile): string {
  // A shortcut without a colon is a text in YAML.
  if (/^\(\w+\s*\)$/.test(job)) return ` A shortcut needs a colon after it: "${job}:".`;
  return didYouMean(job, jobs.keys());
}

export function stepsOf(job: PlannedJob): string[] {
  const steps = job.steps.flatMap((step) => ("job" in step ? [step.job] : []));
  return [...steps, ...job.each.map((one) => one.job)];
}

/** The same, and the jobs that its shortcuts may run. */
function calledBy(job: PlannedJob): string[] {
  return [...jobsNamedIn(job.steps), ...job.each.map((one) => one.job)];
}

/** Finds jobs that are steps of themselves, and jobs that depend on themselves. */
export function rejectCycles(jobs: Jobs, problems: Problems): void {
  const handlers = (job: PlannedJob): string[] => job.onError.flatMap((step) => ("job" in step ? [step.job] : []));
  if (rejectCycle(jobs, (job) => [...calledBy(job), ...handlers(job)], "are steps of each other", problems)) return;
  // A job waits for the dependencies of its steps too.
  rejectCycle(jobs, (job) => [...job.deps.map((one) => one.job), ...calledBy(job)], "wait for each other", problems);
}

function rejectCycle(jobs: Jobs, next: (job: PlannedJob) => string[], what: string, problems: Problems): boolean {
  let isFound = false;
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const job = jobs.get(name);
    if (job === undefined || done.has(name)) return;
    const start = path.indexOf(name);
    if (start >= 0) {
      const cycle = [...path.slice(start), name].map((one) => `"${one}"`).join(" → ");
      isFound = true;
      problems.error(`these jobs ${what} in a cycle: ${cycle}.`, job.at);
      return;
    }
    for (const other of next(job)) visit(other, [...path, name]);
    done.add(name);
  };
  for (const name of jobs.keys()) visit(name, []);
  return isFound;
}
