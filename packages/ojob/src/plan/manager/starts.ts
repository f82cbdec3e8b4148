import { nearest, present } from "@ojm/core/internal";
import type { Args, JobFile, Taking, TodoEntry, TypeArgs } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { firstTemplate, hasTemplate } from "../../text/template.js";
import { fillArgs, mergeArgs, runArgs, stayingArgs } from "../args.js";
import { type Environment, environmentOf } from "../environment.js";
import { type Jobs, type Plan, type PlannedJob, runLimits } from "../planned.js";
import { JOB_START, type WrongArg } from "./manager-args.js";

type PlaceOf = (argument: string) => Position;

/** A start of a run by the job manager, as far as its arguments are known before any script has run. */
export interface Start {
  readonly args: Args;
  readonly placeOf: PlaceOf;
  /** What the run takes. Of all jobs around the start, the innermost with permits or a rate gives them. */
  readonly taking: Taking;
  /** Whether the job that has the start as a step checks its arguments: the checks may set defaults. */
  readonly checked: boolean;
  /** The same for a job that has this job as a step. */
  readonly checkedAbove: boolean;
}

interface StartsContext {
  readonly jobs: Jobs;
  readonly commandLine: Args;
  readonly visit: (start: Start) => void;
}

/** How a walk through steps has come to a job. */
interface Way {
  readonly given: Args;
  readonly placeOf: PlaceOf;
  /** A job above checks its arguments. */
  readonly checked: boolean;
  readonly taking: Taking;
  /** The environment of the job that this one is a step of. */
  readonly environment?: Environment;
}

/** What the runs of a job take. `around`: what those of the job take that has it as a step. */
export function takingOf({ permits, rate }: TypeArgs, around: Taking): Taking {
  return { ...around, ...present({ permits, rate }) };
}

/** Visits the starts of runs among the steps of a job, up to a script or shortcut: it may change them. */
export function eachStart(job: PlannedJob, given: Args, placeOf: PlaceOf, context: StartsContext): void {
  const { jobs, commandLine, visit } = context;
  /** The result for each job and its arguments: a job that is a step many times is walked once. */
  const known = new Map<string, boolean>();
  /** Visits the starts of a job that is a step. False once its arguments may have been changed. */
  const walk = (job: PlannedJob, way: Way): boolean => {
    const key = JSON.stringify([job.name, way.checked, way.given, way.taking, way.environment?.added]);
    const result = known.get(key) ?? runArgs(job).every((own) => walkWith(job, own, way));
    known.set(key, result);
    return result;
  };
  const walkWith = (job: PlannedJob, own: Args, way: Way): boolean => {
    if (job.argsCode !== undefined) return false;
    const environment = environmentOf(job, way.environment);
    const variables = environment.all;
    let args = mergeArgs({ own, given: way.given, commandLine, secrets: job.secretArgs, variables }, () => {});
    const stayed = new Map<string, Position>();
    const placeOf: PlaceOf = (argument) =>
      stayed.get(argument) ?? (Object.hasOwn(own, argument) ? (job.argsAt[argument] ?? job.at) : way.placeOf(argument));
    const checked = job.checks.in.length > 0;
    const taking = takingOf(job.typeArgs, way.taking);
    const start = (): Start => ({ args, placeOf, taking, checked, checkedAbove: way.checked });
    if (job.name === JOB_START) visit(start());
    return job.steps.every((step) => {
      if (!("job" in step)) return false;
      if (step.job === JOB_START) {
        visit(start());
        return true;
      }
      const inner = jobs.get(step.job);
      if (inner === undefined) return true;
      const { args: more = {}, argsAt = {} } = step;
      const given = { ...args, ...fillArgs(more, args, () => {}, variables) };
      const placeOfInner: PlaceOf = (argument) => argsAt[argument] ?? placeOf(argument);
      const further = { given, placeOf: placeOfInner, checked: checked || way.checked, taking, environment };
      if (!walk(inner, further)) return false;
      const merged = fillArgs(inner.args[0] ?? {}, given, () => {}, variables);
      for (const name of stayingArgs(inner, args)) {
        args = { ...args, [name]: merged[name] };
        stayed.set(name, inner.argsAt[name] ?? inner.at);
      }
      return true;
    });
  };
  // Each of them is a separate run, which does not see what scripts of another one change.
  for (const own of runArgs(job)) walkWith(job, own, { given, placeOf, checked: false, taking: {} });
}

/** The problem of a lock name with an unfilled template. `undefined` if it has none. */
function unfilledName(name: unknown): string | undefined {
  const template = typeof name === "string" ? firstTemplate(name) : undefined;
  if (template === undefined) return undefined;
  const argument = /[^\s{}.[\]]+/.exec(template)?.[0] ?? "it";
  // Taken literally, all runs would have the same name, although it was meant to distinguish them.
  return `nothing fills ${template} in the name of the lock: all runs would share one lock. Add ${argument}=… to the command line, or "${argument}" to the args.`;
}

/** The timeout of a run. The command line may give it as a text. */
export function timeoutOf({ timeout }: Args): unknown {
  return typeof timeout === "string" && /^\d+$/.test(timeout) ? Number(timeout) : timeout;
}

/** The problem of a run's name or timeout, if there is one. */
export function wrongRunArgs(args: Args): WrongArg | undefined {
  const { name } = args;
  const isName = (typeof name === "string" && name !== "") || typeof name === "number";
  if (!isName) {
    return { argument: "name", message: `${JOB_START} needs "name" among the args: what the lock is called.` };
  }
  const unfilled = unfilledName(name);
  if (unfilled !== undefined) return { argument: "name", message: unfilled };
  const timeout = timeoutOf(args);
  if (timeout === undefined || timeout === null) return undefined;
  if (typeof timeout === "number" && Number.isFinite(timeout) && timeout > 0) return undefined;
  const shown = typeof timeout === "string" ? JSON.stringify(timeout) : String(timeout);
  return { argument: "timeout", message: `"timeout" must be a number of milliseconds, more than 0, not ${shown}.` };
}

/** Finds a wrong name or timeout of a managed job, unless a script or a template decides the value. */
export function checkManaged(file: JobFile, jobs: Jobs, commandLine: Args, problems: Problems): void {
  for (const definition of file.jobs.values()) {
    if (firstDoing(JOB_START, definition.name, jobs) !== "it") continue;
    for (const args of definition.args) {
      const wrong = hasTemplate(args["timeout"]) ? undefined : wrongRunArgs({ ...args, name: "known later" });
      if (wrong !== undefined) problems.flaw(wrong.message, definition.argsAt["timeout"] ?? definition.at);
      warnOfMisspelt(args, (argument) => definition.argsAt[argument] ?? definition.at, problems);
    }
  }
  for (const entry of file.todo) checkEntry(entry, jobs, commandLine, problems);
}

/** Without a warning for a misspelt `timeout`, the run would silently get the default of an hour. */
function warnOfMisspelt(args: Args, placeOf: (argument: string) => Position, problems: Problems): void {
  if ("timeout" in args) return;
  const misspelt = Object.keys(args).find((argument) => nearest(argument, ["timeout"]) !== undefined);
  if (misspelt === undefined) return;
  const message = `"${misspelt}" is not an option of ${JOB_START}: the run may take an hour. Did you mean "timeout"?`;
  problems.warn(message, placeOf(misspelt));
}

function checkEntry(entry: TodoEntry, jobs: Jobs, commandLine: Args, problems: Problems): void {
  const job = jobs.get(entry.job);
  // Code, a template or a default decides later.
  if (job === undefined || entry.argsCode !== undefined) return;
  const visit = ({ args, placeOf, checked, checkedAbove }: Start): void => {
    if (checked || checkedAbove || Object.values(args).some(hasTemplate)) return;
    const wrong = wrongRunArgs(args);
    if (wrong !== undefined) problems.flaw(wrong.message, placeOf(wrong.argument));
  };
  for (const given of runArgs(entry)) {
    eachStart(job, given, (argument) => entry.argsAt[argument] ?? entry.at, { jobs, commandLine, visit });
  }
}

type First = "it" | "script" | undefined;

/** What runs first in a job and its steps: the built-in job `it`, or a script. `seen` have neither. */
export function firstDoing(it: string, name: string, jobs: Jobs, seen: Set<string> = new Set()): First {
  if (name === it) return "it";
  if (seen.has(name)) return undefined;
  for (const step of jobs.get(name)?.steps ?? []) {
    // A shortcut may change the arguments as a script may.
    const first = "job" in step ? firstDoing(it, step.job, jobs, seen) : "script";
    if (first !== undefined) return first;
  }
  seen.add(name);
  return undefined;
}

interface LockName {
  readonly name: unknown;
  readonly at: Position;
}

/** Finds unfilled templates in lock names, and warns of runs of one job that share a lock. */
export function checkLockNames(file: JobFile, plan: Plan, common: Args, problems: Problems): void {
  for (const { name, typeArgs, typeArgsAt, at } of file.jobs.values()) {
    const template = firstTemplate(String(typeArgs.lock ?? ""));
    if (template === undefined) continue;
    const message = `"lock" of "${name}" holds ${template}, but templates are filled in "args" only: all runs would share one lock.`;
    problems.flaw(message, typeArgsAt["lock"] ?? at);
  }
  // Unknown names and cycles have been reported. The values that an earlier job hands on are not known yet.
  if (!problems.isWhole || file.settings.shareArgs) return;
  for (const entry of file.todo) {
    const job = plan.jobs.get(entry.job);
    // The args of each run of a subscription include the change of its channel, and code may fill a template.
    if (job === undefined || job.type === "subscribe" || entry.argsCode !== undefined) continue;
    const runs = namesOf(entry, job, plan, common);
    if (entry.when === undefined) refuseUnfilled(runs.flat(), problems);
    const names = [job.typeArgs.lock, ...runs.flat().map(({ name }) => name)];
    // Unfilled names are alike only because they are unfilled.
    if (names.every((name) => unfilledName(name) === undefined)) warnOfShared(job, runs, file, problems);
  }
}

function refuseUnfilled(names: readonly LockName[], problems: Problems): void {
  const reported = new Set<Position>();
  for (const { name, at } of names) {
    const message = reported.has(at) ? undefined : unfilledName(name);
    if (message === undefined) continue;
    problems.flaw(message, at);
    reported.add(at);
  }
}

/** Warns of runs of one item that share a lock, unless they run one after the other. */
function warnOfShared(job: PlannedJob, runs: readonly LockName[][], file: JobFile, problems: Problems): void {
  const { name, typeArgs } = job;
  if (runs.length < 2 || runLimits(job).limit === 1) return;
  const inTurn = 'write "single: true" under "typeArgs"';
  if (typeArgs.lock !== undefined) {
    const at = file.jobs.get(name)?.typeArgsAt["lock"] ?? job.at;
    const message = `the ${runs.length} runs of "${name}" share the lock "${typeArgs.lock}": they run one after the other. If that is intended, ${inTurn}.`;
    problems.warn(message, at);
  }
  const shared = firstShared(runs);
  if (shared === undefined) return;
  const keys = (job.matrix ?? []).filter((key) => job.args.every((args) => Object.hasOwn(args, key)));
  const hint = keys.length === 0 ? "" : `: ${keys.map((key) => `{{${key}}}`).join(", ")}`;
  problems.warn(
    `several of the ${runs.length} runs of "${name}" share the lock "${shared.name}": each waits 2.5 s for the one before it, and ` +
      `then does not run. Put into the name what distinguishes them${hint}, or ${inTurn}.`,
    shared.at,
  );
}

/** A lock that two of the runs take. */
function firstShared(runs: readonly LockName[][]): LockName | undefined {
  const taken = new Set<string>();
  for (const names of runs) {
    const shared = names.find(({ name }) => taken.has(String(name)));
    if (shared !== undefined) return shared;
    for (const { name } of names) taken.add(String(name));
  }
  return undefined;
}

/** For each run of an item: the locks that it takes before a script may have changed its arguments. */
function namesOf(entry: TodoEntry, job: PlannedJob, { jobs, environment }: Plan, commandLine: Args): LockName[][] {
  return runArgs(entry).flatMap((given) => {
    const filled = fillArgs(given, commandLine, () => {}, environment.all);
    return runArgs(job).map((own) => {
      const found: LockName[] = [];
      const visit = ({ args, placeOf, checkedAbove }: Start): void => {
        // If a job above has checks, their defaults may fill templates in this name.
        if (!checkedAbove && args["name"] !== undefined) found.push({ name: args["name"], at: placeOf("name") });
      };
      const placeOf = (argument: string): Position => entry.argsAt[argument] ?? entry.at;
      eachStart({ ...job, args: [own] }, filled, placeOf, { jobs, commandLine, visit });
      return found;
    });
  });
}
