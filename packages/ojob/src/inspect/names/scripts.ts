import { isAbsolute } from "node:path";
import type { CodeBlock, JobDefinition, JobFile } from "../../load/job-file.js";
import { jobsNamedIn, type Plan, type Step, shortcutsIn } from "../../plan/planned.js";
import { expressionScript } from "../../plan/script.js";
import { shortcutNamed } from "../../shortcuts/table.js";
import { readSource } from "../../text/files.js";

export interface Script {
  readonly block: CodeBlock;
  /** Whose script it is, for messages. */
  readonly owner: string;
  /** A process of Node, a module, a file under `loads`, or else a script thread. */
  readonly kind: "thread" | "process" | "module" | "loaded";
}

/** The scripts of a job file: of its own jobs, and of the included jobs that they lead to. */
export function scriptsOf(file: JobFile, plan: Plan): Script[] {
  const scripts = [
    ...file.todo.flatMap(({ when, job }) => (when ? [inThread(when, `"when" of "${job}"`)] : [])),
    ...file.todo.flatMap(({ argsCode, job }) => argsScript(argsCode, job)),
    ...file.todo.flatMap(({ shortcut }) => (shortcut ? conditionsIn([{ shortcut }], "todo") : [])),
    ...plan.onAnyError.flatMap((step) => ("code" in step ? [inThread(step.code, '"catch" of "ojob"')] : [])),
    ...[...file.code].map(([name, block]): Script => ({ block, owner: `the code "${name}"`, kind: "module" })),
    ...plan.setup.loads.flatMap((load) => (typeof load !== "string" || file.code.has(load) ? [] : [loadedFile(load)])),
  ];
  for (const job of reachable(file, plan)) scripts.push(...scriptsOfJob(job, plan));
  return scripts.filter(isOfUser);
}

/** All scripts, including those of jobs that are never named: any of them may define a global. */
export function allScripts(file: JobFile, plan: Plan): Script[] {
  const ofJobs = [...file.jobs.values()].flatMap((job) => scriptsOfJob(job, plan));
  return [...scriptsOf(file, plan), ...ofJobs.filter(isOfUser)];
}

/** The scripts that come with ojm are not in a file. */
function isOfUser({ block }: Script): boolean {
  return isAbsolute(block.source.path);
}

function inThread(block: CodeBlock, owner: string): Script {
  return { block, owner, kind: "thread" };
}

/** A file under `loads`, as one block with the lines of that file. */
function loadedFile(path: string): Script {
  const source = readSource(path);
  const block = { code: source.text, source, line: 1, indent: 0, exact: true };
  return { block, owner: `the file ${path}`, kind: "loaded" };
}

function scriptsOfJob(job: JobDefinition, plan: Plan): Script[] {
  const { steps = [], onError = [] } = plan.jobs.get(job.name) ?? {};
  const owner = `the script of "${job.name}"`;
  const named = (key: string, block: CodeBlock | undefined): Script[] =>
    block ? [inThread(block, `"${key}" of "${job.name}"`)] : [];
  return [
    ...argsScript(job.argsCode, job.name),
    ...steps.flatMap((step) => scriptOfStep(step, owner)),
    ...conditionsIn(steps, job.name),
    ...onError.flatMap((step) => ("code" in step ? named("catch", step.code) : [])),
    ...job.deps.flatMap(({ onSuccess, onFail }) => [...named("onSuccess", onSuccess), ...named("onFail", onFail)]),
    ...named("stopWhen", job.typeArgs.stopWhen),
  ];
}

function argsScript(code: CodeBlock | undefined, job: string): Script[] {
  return code ? [inThread(expressionScript(code), `"args" of "${job}"`)] : [];
}

function scriptOfStep(step: Step, owner: string): Script[] {
  if (!("code" in step)) return [];
  const { code, lang, module = false } = step;
  if (lang !== undefined) return lang === "node" ? [{ block: code, owner, kind: "process" }] : [];
  return [{ block: code, owner, kind: module ? "module" : "thread" }];
}

/** The code of shortcuts: the conditions of `(if)`, and the names of the functions that `(fn)` calls. */
function conditionsIn(steps: readonly Step[], owner: string): Script[] {
  return shortcutsIn(steps).flatMap(({ name, blocks: { value } }) => {
    const block = value && shortcutNamed(name)?.code?.(value);
    return block === undefined ? [] : [inThread(block, `"(${name})" of "${owner}"`)];
  });
}

function reachable(file: JobFile, plan: Plan): JobDefinition[] {
  const found = new Set<JobDefinition>();
  const visit = (name: string): void => {
    const job = file.jobs.get(name);
    if (job === undefined || found.has(job)) return;
    found.add(job);
    const { steps = [], onError = [] } = plan.jobs.get(name) ?? {};
    for (const other of jobsNamedIn([...steps, ...onError])) visit(other);
    for (const { job: other } of [...job.each, ...job.deps]) visit(other);
    // A script may call a job, or launch it, by its name.
    const texts = scriptsOfJob(job, plan).map(({ block }) => block.code);
    for (const other of file.jobs.keys()) if (texts.some((text) => isQuoted(other, text))) visit(other);
  };
  for (const { job, shortcut } of file.todo) {
    for (const name of shortcut === undefined ? [job] : jobsNamedIn([{ shortcut }])) visit(name);
  }
  for (const job of file.jobs.values()) if (job.at.source.path === file.source.path) visit(job.name);
  return [...found];
}

function isQuoted(name: string, text: string): boolean {
  return ['"', "'", "`"].some((quote) => text.includes(quote + name + quote));
}
