import type { Args, JobFile } from "../load/job-file.js";
import { warnOfUnasked } from "../plan/file-checks/unasked.js";
import { type PrepareType, preparing } from "../plan/manager/channel-types.js";
import type { Plan } from "../plan/planned.js";
import { prepareJobFile } from "../prepare.js";
import { SCRIPT_WORKER } from "../run.js";
import type { Problem, Problems } from "../text/problem.js";
import { checkNames } from "./names/check-names.js";
import { LoadError } from "./names/thread-names.js";
import { warnOfRelativePaths } from "./relative-paths.js";

/** How a job file is checked. */
export interface CheckOptions {
  /** Arguments as on the command line. */
  readonly args?: Args;
  /** Take warnings for errors. */
  readonly strict?: boolean;
  /** What is loaded beside what the file names under `loads`, as for running the file. */
  readonly loads?: readonly string[];
  /** Makes a channel type known, as for running the file. A type that cannot be found is an error. */
  readonly prepare?: PrepareType;
}

/** The contents of a job file that can be run. */
export interface Checked {
  /** The jobs of the file and of those that it includes, without those that come with ojm. */
  readonly jobs: number;
  /** How many of the jobs run by a schedule. */
  readonly periodic: number;
  /** 0 if the file is a library: jobs without a todo. */
  readonly todo: number;
  /** The names of the files that it includes. */
  readonly includes: readonly string[];
  readonly warnings: readonly Problem[];
}

/** Checks a job file and runs nothing. */
export async function checkFile(
  name: string,
  { args = {}, strict = false, loads, prepare }: CheckOptions,
): Promise<Checked> {
  const channelTypes = preparing(prepare);
  const checks = { library: true, schedules: true, lockNames: true, initOrder: true, channelTypes };
  const options = { args, strict, loads, ...checks, further: lookAtRest };
  const { file, warnings } = await prepareJobFile(name, options);
  const jobs = [...file.jobs.values()].filter((job) => job.builtin === undefined);
  return {
    jobs: jobs.length,
    periodic: jobs.filter(({ type }) => type === "periodic").length,
    todo: file.todo.length,
    includes: file.included.map((source) => source.name),
    warnings,
  };
}

async function lookAtRest(file: JobFile, plan: Plan, problems: Problems): Promise<void> {
  const isEmpty = file.todo.length === 0 && [...file.jobs.values()].every(({ builtin }) => builtin !== undefined);
  if (isEmpty && problems.errors.length === 0) problems.error(`${file.source.name} has neither jobs nor a "todo".`);
  warnOfRelativePaths(plan, problems);
  warnOfUnasked(plan, problems);
  try {
    await checkNames(file, plan, SCRIPT_WORKER, problems);
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    problems.error(`${error.message}.`, file.settings.loads?.[0]?.at);
  }
}
