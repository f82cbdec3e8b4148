/** Job files: load, plan, execute. */
import type { JobManager } from "@ojm/core";
import type { PrepareType } from "./execute/backends.js";
import type { Args } from "./load/jobfile.js";

export type { RunControl } from "./execute/run-file.js";
export { duration, Log } from "./output/log.js";
export { commandLineValue } from "./plan/args.js";
export { describe, JobFileError, type Position, type Problem } from "./problem.js";
export { type RunFileOptions, runJobFile } from "./run.js";
export type { SourceFile } from "./source.js";
export type { Args, PrepareType };

/**
 * Opens the job manager that a job file sets up by `oJobManager Init`, without running anything. `undefined` if it sets up none:
 * its runs and locks are in the memory of the process that runs it.
 *
 * @throws JobFileError if the file is wrong
 */
export async function openManagerOf(
  name: string,
  commandLine: Args,
  prepare: PrepareType,
): Promise<JobManager | undefined> {
  const { openManager } = await import("./inspect.js");
  return openManager(name, commandLine, prepare);
}
