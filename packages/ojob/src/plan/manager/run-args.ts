import { nearest } from "@ojm/core/internal";
import type { Args, JobFile, TodoEntry } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { firstTemplate } from "../../text/template.js";
import type { PlannedJob } from "../planned.js";
import { JOB_START } from "./manager-args.js";
import { eachStart, type Start } from "./starts.js";

/** What is wrong with the name of a lock in which a template is left; `undefined` if none is. */
export function unfilledName(name: unknown): string | undefined {
  const template = typeof name === "string" ? firstTemplate(name) : undefined;
  if (template === undefined) return undefined;
  const argument = /[^\s{}.[\]]+/.exec(template)?.[0] ?? "it";
  // Taken literally, the name would be the same for every run, whatever it was to tell apart.
  return `nothing fills ${template} in the name of the lock: all runs would share one. Add ${argument}=… to the command line, or "${argument}" to the args.`;
}

/** The timeout of a run. The command line may give it as a text. */
export function timeoutOf({ timeout }: Args): unknown {
  return typeof timeout === "string" && /^\d+$/.test(timeout) ? Number(timeout) : timeout;
}

/** The problem of a run's name or timeout, if there is one. */
export function wrongRunArgs(
  args: Args,
): { readonly argument: "name" | "timeout"; readonly message: string } | undefined {
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

/**
 * Finds a wrong name or timeout of a managed job before the start. A value that a script or a template
 * decides is checked when the run starts.
 */
export function checkManaged(
  file: JobFile,
  jobs: ReadonlyMap<string, PlannedJob>,
  commandLine: Args,
  problems: Problems,
): void {
  for (const definition of file.jobs.values()) {
    if (!startsRun(definition.name, jobs)) continue;
    for (const args of definition.args) {
      checkTimeout({ ...args, name: "known later" }, definition.argsAt["timeout"] ?? definition.at, problems);
      warnOfMisspelt(args, (argument) => definition.argsAt[argument] ?? definition.at, problems);
    }
  }
  for (const entry of file.todo) checkEntry(entry, jobs, commandLine, problems);
}

/** Nothing else uses a misspelt `timeout`: without a warning, the run would get the default of an hour. */
function warnOfMisspelt(args: Args, placeOf: (argument: string) => Position, problems: Problems): void {
  if ("timeout" in args) return;
  const misspelt = Object.keys(args).find((argument) => nearest(argument, ["timeout"]) !== undefined);
  if (misspelt === undefined) return;
  const message = `"${misspelt}" is no option of ${JOB_START}: the run may take an hour. Did you mean "timeout"?`;
  problems.warn(message, placeOf(misspelt));
}

function checkTimeout(args: Args, at: Position, problems: Problems): void {
  if (isTemplate(args["timeout"])) return;
  const wrong = wrongRunArgs(args);
  if (wrong !== undefined) problems.flaw(wrong.message, at);
}

function checkEntry(
  entry: TodoEntry,
  jobs: ReadonlyMap<string, PlannedJob>,
  commandLine: Args,
  problems: Problems,
): void {
  const job = jobs.get(entry.job);
  // Code decides later, and so does a template or a default.
  if (job === undefined || entry.argsCode !== undefined) return;
  const visit = ({ args, placeOf, checked, checkedAbove }: Start): void => {
    if (checked || checkedAbove || Object.values(args).some(isTemplate)) return;
    const wrong = wrongRunArgs(args);
    if (wrong !== undefined) problems.flaw(wrong.message, placeOf(wrong.argument));
  };
  for (const given of entry.args.length > 0 ? entry.args : [{}]) {
    eachStart(job, given, (argument) => entry.argsAt[argument] ?? entry.at, { jobs, commandLine, visit });
  }
}

function isTemplate(value: unknown): boolean {
  return typeof value === "string" && value.includes("{{");
}

/** Whether a job takes a lock before any script could have changed its arguments. */
function startsRun(name: string, jobs: ReadonlyMap<string, PlannedJob>): boolean {
  return firstDoing(JOB_START, name, jobs) === "it";
}

/**
 * What runs first in a job, including its steps: the built-in job `it`, or a script. `seen` are the jobs that
 * do neither.
 */
export function firstDoing(
  it: string,
  name: string,
  jobs: ReadonlyMap<string, PlannedJob>,
  seen: Set<string> = new Set(),
): "it" | "script" | undefined {
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
