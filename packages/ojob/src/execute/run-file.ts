import { type Clock, systemClock } from "@ojm/core";
import type { Args } from "../load/jobfile.js";
import { loadJobFile } from "../load/load.js";
import type { Log } from "../output/log.js";
import { logSettings } from "../output/settings.js";
import { checkChannels } from "../plan/channels.js";
import { expectArguments } from "../plan/expected.js";
import { plan } from "../plan/plan.js";
import { checkSchedules } from "../plan/schedules.js";
import { commonArgs } from "../plan/setup.js";
import { describe, JobFileError } from "../problem.js";
import { failureText } from "../script/failure.js";
import type { ThreadPool } from "../script/pool.js";
import type { ScriptThread } from "../script/thread.js";
import { findingTypes, type PrepareType, preparing } from "./backends.js";
import { Engine } from "./engine.js";
import { JobError } from "./error.js";
import { Shared } from "./shared.js";
import { becomeUnique } from "./unique.js";

/** Stops a running job file from outside. */
export interface RunControl {
  /** Asks all jobs to stop, and ends those that do not within the grace period. Asked again, it ends them at once. */
  stop(reason: string): void;
}

/** What running a job file needs beside the file. */
export interface FileRun {
  readonly log: Log;
  readonly args: Args;
  /** Nothing is run that has a warning. */
  readonly strict: boolean;
  readonly pool: ThreadPool;
  /** The first thread, which tells whether the files to load are all right. */
  readonly thread: ScriptThread;
  readonly prepare: PrepareType | undefined;
  readonly grace: number;
  readonly clock: Clock | undefined;
  readonly onStart: ((control: RunControl) => void) | undefined;
}

/**
 * Loads, plans and runs a job file. Resolves to whether all jobs went well.
 *
 * @throws JobFileError if the file cannot be run; nothing was started then
 */
export async function runFile(name: string, run: FileRun): Promise<boolean> {
  const { log, pool, thread } = run;
  const { file, problems } = loadJobFile(name, run.strict);
  const args = commonArgs(file, run.args);
  const planned = plan(file, args, problems);
  await checkSchedules(file, problems);
  const prepare = preparing(run.prepare);
  await checkChannels(file, planned, args, problems, findingTypes(prepare));
  expectArguments(file, args, problems);
  problems.throwErrors();
  for (const warning of problems.warnings) log.note(describe(warning));
  log.use(logSettings(file.settings, (text) => log.note(`warning: ${text}`)));
  pool.prepare(planned.setup);
  const failure = await thread.loaded;
  if (failure !== undefined) throw new JobFileError([{ severity: "error", message: failureText(failure) }]);
  const { clock } = run;
  if (clock !== undefined) log.now = () => clock.now();
  const shared = new Shared(prepare, run.clock ?? systemClock);
  const engine = new Engine({
    plan: planned,
    commandLine: args,
    log,
    pool,
    shared,
    grace: run.grace,
    files: [file.source.path],
  });
  run.onStart?.(engine);
  let letGo = (): void => {};
  try {
    if (file.settings.unique) letGo = await becomeUnique(file.settings.unique, run.grace);
    return await engine.run();
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    log.line("ERROR", error.message);
    return false;
  } finally {
    // The threads end by themselves, while the stores write their last to the disk.
    const threads = pool.close();
    try {
      await shared.close().finally(() => log.close());
      await threads;
    } finally {
      // Not before: another process of this job file would meet ours at the stores and the log files.
      letGo();
    }
  }
}
