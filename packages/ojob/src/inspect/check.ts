import { findingTypes, type PrepareType, preparing } from "../execute/backends.js";
import type { Args } from "../load/jobfile.js";
import { loadJobFile } from "../load/load.js";
import { checkChannels } from "../plan/channels.js";
import { plan } from "../plan/plan.js";
import { checkSchedules } from "../plan/schedules.js";
import { commonArgs } from "../plan/setup.js";
import type { Problem } from "../problem.js";

/** How a job file is checked. */
export interface CheckOptions {
  /** Arguments as they would stand on the command line. */
  readonly args?: Args;
  /** Take warnings for errors. */
  readonly strict?: boolean;
  /** Makes a channel type known, as for running the file: one that is found by nobody is an error. */
  readonly prepare?: PrepareType;
}

/** What was found in a job file that can be run. */
export interface Checked {
  /** The jobs of the file and of those that it includes, without those that come with ojm. */
  readonly jobs: number;
  /** How many of them run by a schedule. */
  readonly periodic: number;
  readonly todo: number;
  /** The names of the files that it includes. */
  readonly includes: readonly string[];
  readonly warnings: readonly Problem[];
}

/** Loads and plans a job file, and runs nothing. */
export async function checkFile(name: string, { args = {}, strict = false, prepare }: CheckOptions): Promise<Checked> {
  const { file, problems } = loadJobFile(name, strict);
  const common = commonArgs(file, args);
  const planned = plan(file, common, problems);
  await checkSchedules(file, problems);
  await checkChannels(file, planned, common, problems, findingTypes(preparing(prepare)));
  problems.throwErrors();
  const jobs = [...file.jobs.values()].filter((job) => job.builtin === undefined);
  return {
    jobs: jobs.length,
    periodic: jobs.filter(({ type }) => type === "periodic").length,
    todo: file.todo.length,
    includes: file.included.map((source) => source.name),
    warnings: problems.warnings,
  };
}
