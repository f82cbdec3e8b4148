import type { Args, JobFile, TodoEntry } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { firstTemplate } from "../../text/template.js";
import { fillArgs } from "../args.js";
import type { Plan, PlannedJob } from "../planned.js";
import { runLimits } from "../settings.js";
import { unfilledName } from "./run-args.js";
import { eachStart, type Start } from "./starts.js";

/** The name of a lock, and where it is said. */
interface LockName {
  readonly name: unknown;
  readonly at: Position;
}

/**
 * Finds names of locks in which a template is left, before anything starts. Where a script, a change of a
 * channel or an earlier job may fill it, the start of the run looks. Warns of runs of one job that have one
 * lock and cannot run at once.
 */
export function checkLockNames(file: JobFile, plan: Plan, common: Args, problems: Problems): void {
  for (const { name, typeArgs, typeArgsAt, at } of file.jobs.values()) {
    const template = firstTemplate(String(typeArgs.lock ?? ""));
    if (template === undefined) continue;
    const message = `"lock" of "${name}" holds ${template}, but templates are filled in "args" only: all runs would share one lock.`;
    problems.flaw(message, typeArgsAt["lock"] ?? at);
  }
  // Unknown names and cycles have been reported already. An earlier job hands on what nobody knows yet.
  if (!problems.isWhole || file.settings.shareArgs) return;
  for (const entry of file.todo) {
    const job = plan.jobs.get(entry.job);
    // A subscription has the change of its channel among the args of each run, and code may fill a template.
    if (job === undefined || job.type === "subscribe" || entry.argsCode !== undefined) continue;
    const runs = namesOf(entry, job, plan, common);
    if (entry.when === undefined) refuseUnfilled(runs.flat(), problems);
    // Names that nothing fills are alike for that reason alone.
    if (!isUnfilled(job, runs.flat())) warnOfShared(job, runs, file, problems);
  }
}

function isUnfilled({ typeArgs }: PlannedJob, names: readonly LockName[]): boolean {
  return [typeArgs.lock, ...names.map(({ name }) => name)].some((name) => unfilledName(name) !== undefined);
}

function refuseUnfilled(names: readonly LockName[], problems: Problems): void {
  const told = new Set<Position>();
  for (const { name, at } of names) {
    const message = told.has(at) ? undefined : unfilledName(name);
    if (message === undefined) continue;
    problems.flaw(message, at);
    told.add(at);
  }
}

/** Warns of runs of one item that have one lock, unless they run one after the other. */
function warnOfShared(
  job: PlannedJob,
  runs: readonly (readonly LockName[])[],
  file: JobFile,
  problems: Problems,
): void {
  const { name, typeArgs } = job;
  if (runs.length < 2 || runLimits(job).most === 1) return;
  const inTurn = 'write "single: true" under "typeArgs"';
  if (typeArgs.lock !== undefined) {
    const at = file.jobs.get(name)?.typeArgsAt["lock"] ?? job.at;
    const message = `the ${runs.length} runs of "${name}" have one lock, "${typeArgs.lock}": they run one after the other. If that is meant, ${inTurn}.`;
    problems.warn(message, at);
  }
  const shared = firstShared(runs);
  if (shared === undefined) return;
  const keys = (job.matrix ?? []).filter((key) => job.args.every((args) => Object.hasOwn(args, key)));
  const hint = keys.length === 0 ? "" : `: ${keys.map((key) => `{{${key}}}`).join(", ")}`;
  problems.warn(
    `several of the ${runs.length} runs of "${name}" have one lock, "${shared.name}": each waits 2.5 s for the one before it, and ` +
      `then does not run. Put into the name what tells them apart${hint}, or ${inTurn}.`,
    shared.at,
  );
}

/** A lock that two of the runs take. */
function firstShared(runs: readonly (readonly LockName[])[]): LockName | undefined {
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
  return (entry.args.length > 0 ? entry.args : [{}]).flatMap((given) => {
    const filled = fillArgs(given, commandLine, () => {}, environment.all);
    return (job.args.length > 0 ? job.args : [{}]).map((own) => {
      const found: LockName[] = [];
      const visit = ({ args, placeOf, checkedAbove }: Start): void => {
        // The defaults of a check fill the templates of the jobs that are its steps.
        if (!checkedAbove && args["name"] !== undefined) found.push({ name: args["name"], at: placeOf("name") });
      };
      const placeOf = (argument: string): Position => entry.argsAt[argument] ?? entry.at;
      eachStart({ ...job, args: [own] }, filled, placeOf, { jobs, commandLine, visit });
      return found;
    });
  });
}
