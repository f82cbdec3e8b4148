/** Job files: load, plan, execute. */
import type { JobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import type { Checked, CheckOptions } from "./inspect/check.js";
import type { DryRunOptions } from "./inspect/dry-run.js";
import type { Args } from "./load/job-file.js";
import type { PrepareType } from "./plan/manager/channels.js";
import type { PlannedNotify } from "./plan/planned.js";

export type { RunControl, RunFileOptions } from "./execute/run-file.js";
export { Log } from "./output/log.js";
export { commandLineValue } from "./plan/args.js";
export { runJobFile } from "./run.js";
export { describe, JobFileError, type Position, type Problem } from "./text/problem.js";

export type { Args, Checked, CheckOptions, DryRunOptions, PlannedNotify, PrepareType };

/**
 * Opens the job manager that a job file sets up by `oJobManager Init`, and runs nothing. `undefined` if the
 * file does not set one up: then its runs and locks are in the memory of the process that runs it.
 *
 * @throws JobFileError if the file is wrong
 */
export async function openManagerOf(
  name: string,
  commandLine: Args,
  prepare: PrepareType,
): Promise<JobManager | undefined> {
  const { openManager } = await import("./inspect/manager.js");
  return openManager(name, commandLine, prepare);
}

/**
 * Reads the `notify` of a config of the command line, which is like that of a job file, and fills it from the
 * environment. `text`: the config as YAML or JSON. Resolves to `undefined` if it has no rules.
 *
 * @throws JobFileError with every problem at once
 */
export async function notifyOfConfig(path: string, text: string): Promise<PlannedNotify | undefined> {
  const { notifyOfConfig } = await import("./plan/notify.js");
  return notifyOfConfig(path, text);
}

/**
 * Opens the alerts of `notify` for the runs of a manager. Close the alerts before the manager: closing
 * delivers pending alerts for 10 s at most, and calls `warn` if some are left.
 *
 * @throws Error if a receiver needs a package that is missing, or if the store cannot keep alerts
 */
export async function openNotifier(
  notify: PlannedNotify,
  manager: JobManager,
  warn: (text: string) => void,
): Promise<{ close(): Promise<void> }> {
  const { Notifier } = await import("./execute/runtime/notifier.js");
  const notifier = new Notifier(notify, systemClock, warn);
  await notifier.open(manager);
  return notifier;
}

/**
 * Checks a job file and runs nothing: keys and values, names of jobs, scripts, channels and schedules.
 *
 * @throws JobFileError with every problem at once if it cannot be run
 */
export async function checkJobFile(name: string, options: CheckOptions = {}): Promise<Checked> {
  const { checkFile } = await import("./inspect/check.js");
  return checkFile(name, options);
}

/**
 * What running a job file would do, as text: which jobs, in which order, with which arguments, steps and
 * locks. Runs no script and opens no store. Secrets are masked.
 *
 * @throws JobFileError with every problem at once if it cannot be run
 */
export async function dryRun(name: string, options: DryRunOptions = {}): Promise<string> {
  const { describeRun } = await import("./inspect/dry-run.js");
  return describeRun(name, options);
}

/**
 * The help of a job file, its arguments and its jobs, as text. With `job`, the help of that job, which may be
 * one that comes with ojm.
 *
 * @throws JobFileError if the file cannot be read, or has no such job
 */
export async function jobFileHelp(name: string, job?: string): Promise<string> {
  const { helpOfFile } = await import("./inspect/help.js");
  return helpOfFile(name, job);
}

/** The JSON Schema of job files, for editors. */
export async function jobFileSchema(): Promise<object> {
  const { schemaOfJobFiles } = await import("./inspect/schema.js");
  return schemaOfJobFiles();
}
