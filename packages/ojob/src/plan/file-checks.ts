import { nearest, permitsProblem, rateProblem } from "@ojm/core/internal";
import type { Args, JobDefinition, JobFile, TodoEntry } from "../load/job-file.js";
import { placeAt } from "../script/compile.js";
import { ownReturns } from "../script/javascript.js";
import type { Position, Problems } from "../text/problem.js";
import { firstTemplate, hasBlocks, requiredText, wrongTemplate } from "../text/template.js";
import { around, eachText, fillArgs, type Missing, mergeArgs, runArgs } from "./args.js";
import { JOB_START } from "./manager/manager-args.js";
import { type Jobs, jobsNamedIn, type Plan } from "./planned.js";
import { checkScript } from "./script.js";

/** Reports mandatory arguments of the file that the command line and its environment lack. */
export function expectArguments(file: JobFile, commandLine: Args, problems: Problems): void {
  for (const { name, at, mandatory, desc, example } of file.help?.expects ?? []) {
    if (!mandatory || commandLine[name] !== undefined) continue;
    const what = desc === undefined ? "" : ` (${desc})`;
    problems.flaw(`the argument "${name}"${what} is missing. Add: ${name}=${example ?? "…"}`, at);
  }
}

/** Finds each `${x:?message}` without a value before the start, unless an earlier job may hand it on. */
export function checkRequired(file: JobFile, plan: Plan, commandLine: Args, problems: Problems): void {
  // An invalid template, which has been reported already, throws when it is filled.
  if (!problems.isWhole || file.settings.shareArgs) return;
  const missingAt =
    ({ argsAt, at }: Pick<TodoEntry, "argsAt" | "at">): Missing =>
    (argument, written, message) => {
      if (message === undefined) return;
      problems.flaw(requiredText(argument, written, message), argsAt[argument] ?? at);
    };
  for (const entry of file.todo) {
    const job = plan.jobs.get(entry.job);
    // The args of each run of a subscription include the change of its channel.
    if (!job || job.type === "subscribe" || entry.when !== undefined || entry.shortcut !== undefined) continue;
    for (const written of runArgs(entry)) {
      const given = fillArgs(written, commandLine, missingAt(entry), plan.environment.all);
      for (const own of job.args) mergeArgs({ own, given, commandLine, ...around(job) }, missingAt(job));
    }
  }
}

/** Finds templates with blocks or helpers that cannot be filled, in the arguments of jobs and of the todo. */
export function checkTemplates({ jobs, todo }: JobFile, problems: Problems): void {
  for (const { args, argsAt, at } of [...jobs.values(), ...todo]) {
    for (const [name, value] of args.flatMap((one) => Object.entries(one))) {
      eachText(value, (text) => {
        const wrong = hasBlocks(text) ? wrongTemplate(text) : undefined;
        if (wrong === undefined) return;
        problems.error(`the template in "${name}" cannot be filled: ${wrong.message}.`, argsAt[name] ?? at);
      });
    }
  }
}

/** Finds templates that the file wants unfilled: ojm fills all that have a value. */
export function refuseTemplates({ jobs, todo, settings }: JobFile, problems: Problems): void {
  const isOff = (job: JobDefinition | undefined): boolean =>
    job?.typeArgs.noTemplateArgs ?? settings.templateArgs === false;
  const owners = [
    ...[...jobs.values()].filter(isOff),
    ...todo.filter(({ job, shortcut }) => shortcut === undefined && isOff(jobs.get(job))),
  ];
  for (const { args, argsAt, at } of owners) {
    for (const [name, value] of args.flatMap((one) => Object.entries(one))) {
      if (!JSON.stringify(value)?.includes("{{")) continue;
      const message = `ojm would fill the template in "${name}", although "noTemplateArgs" or "templateArgs" says not to.`;
      problems.flaw(`${message} Set it in a script: args.${name} = "{{…}}".`, argsAt[name] ?? at);
    }
  }
}

/** Checks the `when` of an item of the todo: code that returns whether the job runs. */
export function checkWhen({ when, job, at }: TodoEntry, problems: Problems): void {
  if (when === undefined) return;
  const before = problems.errors.length;
  checkScript(when, "when", job, problems);
  const code = when.code.trim();
  // `when: false` switches an item off.
  if (problems.errors.length > before || code === "false" || ownReturns(code).length > 0) return;
  const place = { source: when.source, line: when.line, column: when.indent + 1 };
  const state = /^[A-Za-z_$][\w$]*$/.test(code) && code !== "true";
  const message = state
    ? `"${code}" is a state of OpenAF, and ojm has none: set one by $set("state", "${code}") in a script, and write ` +
      `when: return $get("state") == "${code}".`
    : `"when" returns nothing, so "${job}" would never run: write "return" before the condition.`;
  problems.error(message, when.exact ? place : at);
}

/** Warns of each `return` in a step of `from`: in OpenAF it ends the other job too. */
export function warnOfReturns(jobs: Jobs, problems: Problems): void {
  for (const { name, from } of jobs.values()) {
    // A returned list goes to the jobs of `each`.
    const used = from.flatMap((step) => jobs.get(step) ?? []).filter(({ each }) => each.length === 0);
    for (const step of used.flatMap(({ steps }) => steps)) {
      if (!("code" in step) || step.lang !== undefined || step.module === true) continue;
      for (const offset of ownReturns(step.code.code)) {
        const message = `"return" ends only this step: "${name}" continues after it. (In OpenAF it ends "${name}".) `;
        problems.warn(`${message}To end "${name}" here, write job.skip(reason).`, placeAt(step.code, offset));
      }
    }
  }
}

/** Warns of a dependency that nothing requests, unless the name of the job occurs in a step. */
export function warnOfUnrequested({ todo, jobs }: Plan, problems: Problems): void {
  const requested = new Set(todo.map(({ job }) => job));
  const texts = [...jobs.values()].flatMap(({ steps, each, onError }) =>
    [...steps, ...onError, ...each].map((step) =>
      JSON.stringify("code" in step ? step.code.code : "shortcut" in step ? step.shortcut.values : step.job),
    ),
  );
  for (const name of requested) {
    for (const { job, at } of jobs.get(name)?.deps ?? []) {
      if (requested.has(job) || !jobs.has(job) || texts.some((text) => text.includes(job))) continue;
      const message = `"${name}" depends on "${job}", which is not in "todo": "${name}" would be skipped. Add it there.`;
      problems.warn(message, at);
    }
  }
}

const JOB_END = "oJobManager Job End";

/** Rejects `continueOnError` for a step that takes its job's lock: the job would work unprotected. */
export function rejectUnlocked(jobs: Jobs, problems: Problems): void {
  for (const { name, steps } of jobs.values()) {
    for (const step of steps) {
      if (!("job" in step) || step.continueOnError !== true) continue;
      const all = withSteps(step.job, jobs);
      if (!all.has(JOB_START) || all.has(JOB_END)) continue;
      const message = `"continueOnError" of the step "${step.job}": it takes the lock of "${name}", which would continue without the lock. Leave it out.`;
      problems.flaw(message, step.at);
    }
  }
}

/** Finds permits and rates that no run can have, and warns of those that no run of the job takes. */
export function checkTaking(file: JobFile, jobs: Jobs, problems: Problems): void {
  for (const { name, typeArgs, typeArgsAt, at } of file.jobs.values()) {
    const { permits, rate } = typeArgs;
    const taken = [
      { word: "permits", names: Object.keys(permits ?? {}), problem: permits && permitsProblem(permits) },
      { word: "rate", names: rate === undefined ? [] : [rate.name], problem: rate && rateProblem(rate) },
    ];
    for (const { word, names, problem } of taken) {
      if (typeArgs[word as "permits" | "rate"] === undefined) continue;
      const place = typeArgsAt[word] ?? at;
      const template = names.map(firstTemplate).find((found) => found !== undefined);
      if (problem !== undefined) problems.flaw(`"${word}" of "${name}": ${problem}.`, place);
      else if (template !== undefined)
        problems.flaw(`"${word}" of "${name}" holds ${template}, but templates are filled in "args" only.`, place);
      else if (!mayStart(name, jobs))
        problems.warn(`"${word}" of "${name}" has no effect: the job does not begin a run by ${JOB_START}.`, place);
    }
  }
}

/** Whether a job or one of its steps begins a run, or a script of these names the job that does. */
function mayStart(name: string, jobs: Jobs): boolean {
  const all = withSteps(name, jobs);
  const steps = [...all].flatMap((one) => jobs.get(one)?.steps ?? []);
  return all.has(JOB_START) || steps.some((step) => "code" in step && step.code.code.includes(JOB_START));
}

/**
 * A job and all jobs that are its steps, and their steps. Of the jobs that shortcuts run, only those that
 * come with ojm count: they work on the runs of the job around them, whereas others have their own runs.
 */
function withSteps(name: string, jobs: Jobs, all: Set<string> = new Set()): Set<string> {
  if (all.has(name)) return all;
  all.add(name);
  const { steps = [] } = jobs.get(name) ?? {};
  for (const step of steps) if ("job" in step) withSteps(step.job, jobs, all);
  for (const called of jobsNamedIn(steps)) if (jobs.get(called)?.builtin !== undefined) all.add(called);
  return all;
}

/**
 * Warns of misspelt arguments of the jobs of oJob Queue and oJob Director, which would have no effect.
 * A job may have arguments for other uses, so the name must be close to a missing one and occur nowhere else.
 */
export function warnOfMisspelt(file: JobFile, { jobs }: Plan, problems: Problems): void {
  const texts = [file.source, ...file.included].map(({ text }) => text);
  for (const job of jobs.values()) {
    const takers = [...withSteps(job.name, jobs)].flatMap((name) => {
      const { builtin, help } = file.jobs.get(name) ?? {};
      return /^oJob (?:Queue|Director) /.test(builtin ?? "") ? [{ name, takes: help?.expects ?? [] }] : [];
    });
    const owners = [job, ...file.todo.filter((entry) => entry.job === job.name)];
    if (takers.length === 0 || owners.some(({ argsCode }) => argsCode !== undefined)) continue;
    const written = new Map<string, Position>();
    for (const { args, argsAt, at } of owners)
      for (const name of args.flatMap((one) => Object.keys(one))) written.set(name, argsAt[name] ?? at);
    const known = takers.flatMap(({ takes }) => takes.map(({ name }) => name));
    const missing = known.filter((name) => !written.has(name));
    for (const [name, at] of written) {
      const near = known.includes(name) ? undefined : misspelt(name, missing);
      if (near === undefined || texts.some((text) => isUsed(name, text))) continue;
      const taker = takers.find(({ takes }) => takes.some((argument) => argument.name === near))?.name;
      problems.warn(`${taker} has no argument "${name}". Did you mean "${near}"?`, at);
    }
  }
}

/** The argument that a name means. A short name is close only if it differs by less. */
function misspelt(name: string, missing: readonly string[]): string | undefined {
  const near = nearest(name, missing, Math.min(2, Math.floor((name.length - 1) / 2)));
  const isShort = near !== undefined && near.length <= 2;
  return isShort && near.toLowerCase() !== name.toLowerCase() ? undefined : near;
}

/** Whether a text has a name other than as the key of a map. */
function isUsed(name: string, text: string): boolean {
  return new RegExp(`(?<![\\w$])${name.replace(/\W/g, "\\$&")}(?![\\w$]|["']?\\s*:)`).test(text);
}

/** Warns of templates that put secrets into shell scripts: all users see the shell's command line. */
export function warnOfShownSecrets(jobs: Jobs, problems: Problems): void {
  const names = new Set([...jobs.values()].flatMap(({ secretArgs }) => Object.keys(secretArgs)));
  if (names.size === 0 || !problems.isWhole) return;
  for (const { steps } of jobs.values()) {
    for (const step of steps) {
      if (!("code" in step) || step.lang !== "shell" || step.noTemplate) continue;
      for (const { 1: name = "", index } of step.code.code.matchAll(/\{\{\{?\s*([^\s{}]+)\s*\}/g)) {
        if (!names.has(name)) continue;
        const message = `the template puts the secret "${name}" on the command line of the shell, where every user of this machine can read it. Write "$${name}" instead.`;
        problems.warn(message, placeAt(step.code, index));
      }
    }
  }
}
