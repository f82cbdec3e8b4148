import { existsSync } from "node:fs";
import { nearest, shellWord } from "@ojm/core/internal";
import { builtinFileOf } from "../load/builtin.js";
import type { Args, Dependency, JobDefinition, JobFile, JobReference, Shortcut, TodoEntry } from "../load/job-file.js";
import { checkMatrix, keysOf } from "../load/matrix.js";
import { placeAt } from "../script/compile.js";
import { copyOf, saidPath } from "../text/files.js";
import { didYouMean, type Position, type Problems } from "../text/problem.js";
import { planChecks } from "./argument-checks/checks.js";
import {
  type Environment,
  NOTHING_AROUND,
  type Surroundings,
  secretsOf,
  variablesOf,
  withVariables,
} from "./environment.js";
import {
  checkTaking,
  checkTemplates,
  checkWhen,
  refuseTemplates,
  rejectUnlocked,
  warnOfReturns,
  warnOfShownSecrets,
} from "./file-checks.js";
import { JOB_INIT } from "./manager/manager-args.js";
import { checkManaged } from "./manager/starts.js";
import { type Jobs, jobsNamedIn, type Plan, type PlannedJob, type Step, shortcutJob } from "./planned.js";
import { QUEUE_RULES, stepsTo } from "./queue/queue-args.js";
import { checkRules } from "./queue/queue-checks.js";
import { checkScript, expectBeside, expressionScript, planScript } from "./script.js";
import { planSetup } from "./setup.js";
import { checkSteps, expectJob, rejectCycles, stepsOf } from "./steps.js";

export function plan(file: JobFile, args: Args, problems: Problems, around: Surroundings = NOTHING_AROUND): Plan {
  const jobs = new Map<string, PlannedJob>();
  for (const job of file.jobs.values()) jobs.set(job.name, planJob(job, file, around, problems));
  checkTemplates(file, problems);
  refuseTemplates(file, problems);
  for (const entry of file.todo) {
    if (entry.shortcut) jobs.set(entry.job, planShortcut(entry.shortcut, file, around.environment, problems));
    else expectJob(entry, file, '"todo"', problems);
    checkWhen(entry, problems);
    if (entry.argsCode) checkScript(expressionScript(entry.argsCode), "args", entry.job, problems);
  }
  warnOfReturns(jobs, problems);
  warnOfShownSecrets(jobs, problems);
  rejectCycles(jobs, problems);
  if (problems.isWhole) {
    const known = new Map<string, readonly Dependency[]>();
    for (const [name, job] of [...jobs]) jobs.set(name, { ...job, deps: allDeps(job, jobs, known) });
    checkManaged(file, jobs, args, problems);
    rejectUnlocked(jobs, problems);
    checkTaking(file, jobs, problems);
    checkRules(file, jobs, problems);
  }
  const { environment, secrets } = around;
  const { todo, settings } = file;
  if (settings.catch) checkScript(settings.catch, "catch", "ojob", problems);
  const onAnyError = settings.catch ? [{ code: settings.catch }] : [];
  const setup = planSetup(file, environment, problems);
  return { jobs, todo, settings, onAnyError, setup, environment, secrets };
}

function planJob(job: JobDefinition, file: JobFile, around: Surroundings, problems: Problems): PlannedJob {
  const { name, at, args, argsAt, from, to, deps, each, type, typeArgs, builtin } = job;
  const expect = (one: JobReference, key: string): void => expectJob(one, file, `"${key}" of "${name}"`, problems);
  for (const { alias, key, at } of job.unused ?? []) {
    problems.error(`"${name}" has both "${key}" and "${alias}", which mean the same. Write one of them.`, at);
  }
  checkMatrix(job, file, problems);
  const { argsCode } = job;
  if (argsCode !== undefined && job.matrix !== undefined) {
    problems.error(`"${name}" has a matrix, and "args" that are code: write a map.`, placeAt(argsCode, 0));
  } else if (argsCode !== undefined) checkScript(expressionScript(argsCode), "args", name, problems);
  const script = planScript(job, problems);
  checkSteps(from, { where: `"from" of "${name}"`, owner: name, file, problems });
  checkSteps(to, { where: `"to" of "${name}"`, owner: name, file, problems });
  const steps: Step[] = [...from, ...(script ? [script] : []), ...to];
  const onError = job.catch.map(({ block, at }): Step => {
    const text = block.code.trim();
    if (file.jobs.has(text)) return { job: text, at };
    if (!isNearlyJob(text, file, at, problems)) checkScript(block, "catch", name, problems);
    return { code: block };
  });
  for (const one of each) expect(one, "each");
  for (const one of deps) {
    expect(one, "deps");
    if (one.onSuccess) checkScript(one.onSuccess, "onSuccess", name, problems);
    if (one.onFail) checkScript(one.onFail, "onFail", name, problems);
  }
  if (typeArgs.url !== undefined) checkUrl(job, problems);
  else if (type === "jobs" && typeArgs.file === undefined) {
    problems.error(`"${name}" is of type jobs: it needs "file" in its "typeArgs", the job file to run.`, at);
  } else if (type === "jobs" && typeArgs.file !== undefined) expectBeside(job, "file", problems);
  if (type === "subscribe" && typeArgs.chSubscribe === undefined) {
    const message = `"${name}" is of type subscribe: it needs "chSubscribe" in its "typeArgs", the channel to follow.`;
    problems.error(message, at);
  }
  if (typeArgs.stopWhen) checkScript(typeArgs.stopWhen, "stopWhen", name, problems);
  const checks = planChecks(job, file, steps.length, problems);
  const secrets = [job.help, file.help].flatMap((help) => help?.expects.filter(({ secret }) => secret) ?? []);
  const own = secretsOf(job, around.secrets, problems);
  const layers = variablesOf(job.environment ?? [], around.environment, { problems, values: around.values });
  const variables = { ...layers, ...own.variables };
  const folder = typeArgs.pwd !== undefined && { folder: expectBeside(job, "pwd", problems) };
  const environment = withVariables(around.environment, variables);
  const context = { requestedSecrets: own.names, secretArgs: own.args, variables, environment, ...folder };
  const names = [...secrets.map((argument) => argument.name), ...Object.keys(context.secretArgs)];
  const matrix = job.matrix && { matrix: keysOf(job.matrix) };
  const first = from.flatMap((one) => ("job" in one ? [one.job] : []));
  const written = { name, at, args, argsAt, deps, each, type, typeArgs };
  const planned = { ...written, steps, from: first, onError, checks, secrets: names, ...context };
  const hasRules = builtin === QUEUE_RULES || stepsTo({ steps }, QUEUE_RULES);
  return {
    ...planned,
    ...(hasRules && { verbatim: ["rules"] }),
    ...matrix,
    ...(builtin && { builtin }),
    ...(argsCode && { argsCode }),
  };
}

/** Checks the `url` of a job: a copy of that file must be beside the job file. */
function checkUrl({ name, type, typeArgs, typeArgsAt, at: jobAt }: JobDefinition, problems: Problems): void {
  const { url = "", file } = typeArgs;
  const at = typeArgsAt["url"] ?? jobAt;
  const copy = copyOf(String(url));
  if (type !== "jobs") problems.error(`"url" of "${name}" is for jobs of type jobs, which run another job file.`, at);
  else if (copy === undefined) problems.error(`"url" of "${name}" must begin with http:// or https://.`, at);
  else if (file === copy && !existsSync(saidPath(copy, at))) {
    const path = saidPath(copy, at);
    const command = `curl --create-dirs -fo ${shellWord(path)} ${shellWord(String(url))}`;
    const message = `there is no copy of ${url} at ${path}. ojm does not fetch and run files from the network: review the file, and store it there: ${command}`;
    problems.error(message, at);
  }
}

/** A shortcut of the todo runs as the only step of a job that has nothing else. */
function planShortcut(shortcut: Shortcut, file: JobFile, environment: Environment, problems: Problems): PlannedJob {
  checkSteps([{ shortcut }], { where: '"todo"', owner: "todo", file, problems });
  const secrets = (file.help?.expects ?? []).filter(({ secret }) => secret);
  return shortcutJob(shortcut, { secrets: secrets.map(({ name }) => name), environment });
}

/** The dependencies of a job, of its steps, and of the jobs for its items. `known`: done before. */
function allDeps(job: PlannedJob, jobs: Jobs, known: Map<string, readonly Dependency[]>): readonly Dependency[] {
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

/** Whether a text of `catch` is a misspelt job: as a script, it would fail just when it is needed. */
function isNearlyJob(text: string, file: JobFile, at: Position, problems: Problems): boolean {
  if (/[;(){}=\n]/.test(text)) return false;
  // It may name a job that could not be read.
  if (!file.complete) return true;
  const near = builtinFileOf(text) ?? nearest(text, file.jobs.keys());
  if (near === undefined) return false;
  const hint = near.endsWith(".yaml")
    ? `Add "include: [${near}]" if you mean that job.`
    : `Did you mean the job "${near}"?`;
  problems.error(`"${text}" is not a job of this file, and not code. ${hint}`, at);
  return true;
}

/**
 * The job file with another todo: these jobs, once each, and before them the jobs that they depend on. An
 * item of the todo for such a job keeps its args and its `when`. Items that open the job manager stay,
 * because the locks of the jobs are there.
 *
 * Schedules are not started, and the process neither stays alive nor takes the pid file: the daemon of this
 * file may be running, and must keep running.
 */
export function chooseJobs(file: JobFile, names: readonly string[], problems: Problems): JobFile {
  const chosen = new Set<string>();
  const begun = new Set<string>();
  for (const name of names) if (isThere(name, file, problems)) addWithDeps(name, file, chosen, begun);
  const opening = file.todo.filter((entry) => !chosen.has(entry.job) && opens(entry, file));
  const todo = [...opening, ...[...chosen].flatMap((name) => entriesOf(name, file))];
  const jobs = new Map([...file.jobs].map(([name, job]) => [name, chosen.has(name) ? runOnce(job) : job]));
  const { unique: _, ...settings } = file.settings;
  return { ...file, jobs, todo, settings: { ...settings, daemon: false } };
}

function isThere(name: string, { jobs, source }: JobFile, problems: Problems): boolean {
  const job = jobs.get(name);
  if (job === undefined) {
    problems.error(`${source.name} has no job "${name}".${didYouMean(name, jobs.keys())}`);
  } else if (job.type === "subscribe") {
    problems.error(`"${name}" runs for each change of a channel, not by itself: it cannot be chosen.`, job.at);
  }
  return job !== undefined && job.type !== "subscribe";
}

/** Adds the dependencies of a job and of its steps, and then the job. */
function addWithDeps(name: string, file: JobFile, chosen: Set<string>, begun: Set<string>): void {
  // Jobs that wait for each other would recurse without end. The plan reports them later.
  if (begun.has(name)) return;
  begun.add(name);
  const deps = [...partsOf(name, file)].flatMap((part) => file.jobs.get(part)?.deps ?? []);
  for (const { job } of deps) addWithDeps(job, file, chosen, begun);
  chosen.add(name);
}

function opens({ job, shortcut }: TodoEntry, file: JobFile): boolean {
  const jobs = shortcut === undefined ? [job] : jobsNamedIn([{ shortcut }]);
  return jobs.some((name) => partsOf(name, file).has(JOB_INIT));
}

function partsOf(name: string, file: JobFile, parts: Set<string> = new Set()): ReadonlySet<string> {
  if (parts.has(name)) return parts;
  parts.add(name);
  const { from = [], to = [], each = [] } = file.jobs.get(name) ?? {};
  for (const job of jobsNamedIn([...from, ...to, ...each])) partsOf(job, file, parts);
  return parts;
}

function entriesOf(name: string, { todo, jobs }: JobFile): TodoEntry[] {
  const entries = todo.filter(({ job }) => job === name);
  const at = jobs.get(name)?.at;
  if (entries.length > 0 || at === undefined) return entries;
  return [{ job: name, at, args: [], argsAt: {} }];
}

function runOnce(job: JobDefinition): JobDefinition {
  return job.type === "periodic" || job.type === "shutdown" ? { ...job, type: "simple" } : job;
}
