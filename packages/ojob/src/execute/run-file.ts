import type { Args } from "../load/jobfile.js";
import { loadJobFile } from "../load/load.js";
import type { Log } from "../output/log.js";
import { logSettings } from "../output/settings.js";
import { plan } from "../plan/plan.js";
import { commonArgs, planSetup } from "../plan/setup.js";
import { describe, JobFileError } from "../problem.js";
import { failureText } from "../script/failure.js";
import type { ThreadPool } from "../script/pool.js";
import type { ScriptThread } from "../script/thread.js";
import { type PrepareType, preparing } from "./backends.js";
import { Engine } from "./engine.js";

/** Stops a running job file from outside. */
export interface RunControl {
  /** Asks all jobs to stop, and ends those that do not within the grace period. Asked again, it ends them at once. */
  stop(reason: string): void;
}

/** What running a job file needs beside the file. */
export interface FileRun {
  readonly log: Log;
  readonly args: Args;
  readonly pool: ThreadPool;
  /** The first thread, which tells whether the files to load are all right. */
  readonly thread: ScriptThread;
  readonly prepare: PrepareType | undefined;
  readonly grace: number;
  readonly onStart: ((control: RunControl) => void) | undefined;
}

/**
 * Loads, plans and runs a job file. Resolves to whether all jobs went well.
 *
 * @throws JobFileError if the file cannot be run; nothing was started then
 */
export async function runFile(name: string, run: FileRun): Promise<boolean> {
  const { log, pool, thread } = run;
  const { file, problems } = loadJobFile(name);
  const args = commonArgs(file, run.args);
  const setup = planSetup(file, problems);
  const planned = plan(file, args, problems);
  for (const warning of problems.warnings) log.note(describe(warning));
  problems.throwErrors();
  log.use(logSettings(file.settings, (text) => log.note(`warning: ${text}`)));
  pool.prepare(setup);
  const failure = await thread.loaded;
  if (failure !== undefined) throw new JobFileError([{ severity: "error", message: failureText(failure) }]);
  const engine = new Engine({
    plan: planned,
    commandLine: args,
    log,
    pool,
    prepare: preparing(run.prepare),
    grace: run.grace,
  });
  run.onStart?.(stopper(engine, run.grace));
  try {
    return await engine.runTodo();
  } finally {
    await engine.close();
    await log.close();
  }
}

function stopper(engine: Engine, grace: number): RunControl {
  let asked = false;
  return {
    stop(reason) {
      if (asked) return engine.kill(reason);
      asked = true;
      engine.stop(reason);
      setTimeout(() => engine.kill(reason), grace).unref();
    },
  };
}
