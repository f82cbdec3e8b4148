import { Engine } from "./execute/engine.js";
import type { PrepareType } from "./execute/managers.js";
import type { Args } from "./load/jobfile.js";
import { loadJobFile } from "./load/load.js";
import type { Log } from "./output/log.js";
import { plan } from "./plan/plan.js";
import { describe, JobFileError } from "./problem.js";
import { failureText } from "./script/failure.js";
import { defaultMemoryLimit, ThreadPool } from "./script/pool.js";

// Here, and not where it is used: the worker's entry is a neighbour of this file, and of the bundle that it becomes a part of.
const SCRIPT_WORKER: URL = new URL("./script-worker.js", import.meta.url);

/** How long jobs have to stop by themselves once they are told to, in ms. */
const GRACE = 5_000;

/** What {@link runJobFile} needs beside the file. */
export interface RunFileOptions {
  readonly log: Log;
  /** Arguments of the command line. */
  readonly args?: Args;
  /** JavaScript files whose functions scripts may call. Absolute paths. */
  readonly loads?: readonly string[];
  /** Makes a channel type known before it is opened. */
  readonly prepare?: PrepareType;
  /** The heap that one script may fill, in MB. Default: half of the machine's memory, at most 2,048. */
  readonly scriptMemory?: number;
  /** How long jobs have to stop by themselves once they are told to, in ms. Default: 5,000. */
  readonly grace?: number;
  /** Told first of all how to stop the run. */
  readonly onStart?: (control: RunControl) => void;
}

/** Stops a running job file from outside. */
export interface RunControl {
  /** Asks all jobs to stop, and ends those that do not within the grace period. Asked again, it ends them at once. */
  stop(reason: string): void;
}

/**
 * Loads, plans and runs a job file. Resolves to whether all jobs went well.
 *
 * @throws JobFileError if the file cannot be run; nothing was started then
 */
export async function runJobFile(name: string, options: RunFileOptions): Promise<boolean> {
  const { log, args = {}, loads = [], prepare = async () => {}, scriptMemory = defaultMemoryLimit() } = options;
  const pool = new ThreadPool({ script: SCRIPT_WORKER, memoryLimit: scriptMemory, files: loads });
  // It takes as long to start a thread as to read the file and open the channels: let both go on at once.
  const thread = pool.warm();
  let engine: Engine | undefined;
  try {
    const { file, problems } = loadJobFile(name);
    const planned = plan(file, args, problems);
    for (const warning of problems.warnings) log.note(describe(warning));
    problems.throwErrors();
    const failure = loads.length > 0 ? await thread.loaded : undefined;
    if (failure !== undefined) throw new JobFileError([{ severity: "error", message: failureText(failure) }]);
    engine = new Engine({ plan: planned, commandLine: args, log, pool, prepare });
    options.onStart?.(stopper(engine, options.grace ?? GRACE));
    return await engine.runTodo();
  } finally {
    await (engine ?? pool).close();
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
