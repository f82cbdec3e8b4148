import type { Args, JobFile } from "../../load/job-file.js";
import { placeAt } from "../../script/compile.js";
import type { Position, Problems } from "../../text/problem.js";
import { hasTemplate } from "../../text/template.js";
import { Openers } from "../manager/openers.js";
import type { Jobs, Plan, PlannedJob, ScriptStep } from "../planned.js";
import { expectJob } from "../steps.js";
import { QUEUE_DELETE, QUEUE_MANAGER, stepsTo } from "./queue-args.js";
import { readRule, rulesOf } from "./rules.js";

/** Finds rules that cannot be evaluated, and those that name no job of the file. */
export function checkRules(file: JobFile, jobs: Jobs, problems: Problems): void {
  for (const { name, at: jobAt, args, argsAt, verbatim } of jobs.values()) {
    if (verbatim === undefined) continue;
    const at = argsAt["rules"] ?? jobAt;
    for (const written of args.map(({ rules }) => rules)) {
      // A template stands for rules that are not known yet.
      if (!hasTemplate(written)) checkRulesOf(name, written, { file, at, problems });
    }
  }
}

function checkRulesOf(
  name: string,
  written: unknown,
  { file, at, problems }: { readonly file: JobFile; readonly at: Position; readonly problems: Problems },
): void {
  try {
    for (const { rule, job } of rulesOf(written)) {
      if (!hasTemplate(job)) expectJob({ job, at }, file, `a rule of "${name}"`, problems);
      try {
        if (readRule(rule).isQuoted)
          problems.warn(
            `the rule ${rule} has quotes around a value: write the {{x}} alone. It is a variable, not text.`,
            at,
          );
      } catch (error) {
        problems.flaw(`the rule ${rule} of "${name}" cannot be evaluated: ${(error as Error).message}.`, at);
      }
    }
  } catch (error) {
    problems.flaw(`"${name}": ${(error as Error).message}.`, at);
  }
}

/** Warns of what oJob Queue of OpenAF does silently, and of what works by chance. */
export function warnOfQueues(file: JobFile, plan: Plan, problems: Problems): void {
  const managers = [...plan.jobs.values()].filter((job) => stepsTo(job, QUEUE_MANAGER));
  if (managers.length === 0) return;
  for (const job of managers) {
    const { name, args, argsAt, at } = job;
    for (const own of args) {
      const place = (argument: string): Position => argsAt[argument] ?? at;
      warnOfRate(name, own, place("queuePeriod"), problems);
      if (own["queueDelete"] === false && !mayDelete(plan)) {
        const message = `"queueDelete" is false, and nothing in this file calls ${QUEUE_DELETE}: each item would become a dead letter.`;
        problems.warn(message, place("queueDelete"));
      }
    }
  }
  for (const { steps } of plan.jobs.values()) warnOfSleepers(steps, problems);
  const openers = new Openers(plan);
  const inMemory = managers.filter((job) => isInMemory(job, file));
  if (!openers.any) warnOfMemory(inMemory, problems);
  const lasting = openers.store === undefined ? managers.filter((job) => !inMemory.includes(job)) : managers;
  warnOfShortLife(file, plan, lasting, problems);
}

/** Whether neither the job nor the todo gives a store to a worker. */
function isInMemory({ name, args, argsCode }: PlannedJob, { todo }: JobFile): boolean {
  const entries = todo.filter(({ job }) => job === name);
  if ([argsCode, ...entries.map((entry) => entry.argsCode)].some((code) => code !== undefined)) return false;
  return [...args, ...entries.flatMap((entry) => entry.args)].every(({ type = "simple" }) => type === "simple");
}

/** Warns of queues that no other process sees, and whose items are lost with the process. */
function warnOfMemory(managers: readonly PlannedJob[], problems: Problems): void {
  for (const { name, at } of managers) {
    const store = "type: sqlite, args: { file: ./data/queue.db }";
    const message = `the queue of "${name}" is in memory: its items are lost with the process. Give it a store by oJobManager Init, or by args: { ${store} }.`;
    problems.warn(message, at);
  }
}

/** The period is meant as a rate if the name of the job, or the comment beside it, speaks of one. */
function warnOfRate(name: string, { queuePeriod }: Args, at: Position, problems: Problems): void {
  if (queuePeriod === undefined) return;
  const comment = at.source.line(at.line)?.split("#")[1] ?? "";
  if (!/\brat(?:e|ed|ing)\b|limit|throttl/i.test(`${name} ${comment}`)) return;
  const message = `"queuePeriod" limits no rate, here or in OpenAF: items are handled as soon as a slot is free. Write "rate", such as { max: 1, per: ${String(queuePeriod)} }.`;
  problems.warn(message, at);
}

const SLEEPS = /\bsleep\s*\(\s*args\./;
const CALLS_ANY = /\$job\s*\(\s*args\./;

/** Warns of a job that sleeps, and then calls the job that it is given. */
function warnOfSleepers(steps: PlannedJob["steps"], problems: Problems): void {
  for (const step of steps) {
    if (!("code" in step) || step.lang !== undefined || !CALLS_ANY.test(step.code.code)) continue;
    const found = SLEEPS.exec(step.code.code);
    if (found === null) continue;
    const message =
      'this script sleeps in a slot until it calls another job. An item with a "delay" waits in the store: oJob Queue Add with job, data and delay.';
    problems.warn(message, placeAt(step.code, found.index));
  }
}

function mayDelete({ jobs }: Plan): boolean {
  const isDelete = ({ code: { code } }: ScriptStep): boolean =>
    code.includes(QUEUE_DELETE) || /\bdel(?:ete)?\s*\(/.test(code);
  return [...jobs.values()].some(
    (job) => stepsTo(job, QUEUE_DELETE) || job.steps.some((step) => "code" in step && isDelete(step)),
  );
}

/** Warns of a worker that ends with the todo, although its items stay in a store. */
function warnOfShortLife(
  { todo }: JobFile,
  { jobs, settings }: Plan,
  managers: readonly PlannedJob[],
  problems: Problems,
): void {
  const stays = todo.some(({ job }) => ["periodic", "subscribe"].includes(jobs.get(job)?.type ?? ""));
  if (settings.daemon === true || stays) return;
  for (const { name, at } of managers) {
    if (!todo.some(({ job }) => job === name)) continue;
    const message = `the worker of "${name}" ends with the todo, and items that wait stay in the store: write "daemon: true" under "ojob".`;
    problems.warn(message, at);
  }
}
