import { isAbsolute } from "node:path";
import type { Clock, Duration } from "@ojm/core";
import { checkedDuration } from "@ojm/core/backend";
import { GRACE } from "@ojm/core/internal";
import type { RunControl } from "./execute/run-file.js";
import type { Args } from "./load/job-file.js";
import type { Log } from "./output/log.js";
import type { PrepareType } from "./plan/manager/channels.js";
import { defaultMemoryLimit, ThreadPool } from "./script/thread.js";

/** The entry of script threads. It is here because the build puts that entry beside this bundle. */
export const SCRIPT_WORKER: URL = new URL("./script-worker.cjs", import.meta.url);

/** The options of {@link runJobFile}. */
export interface RunFileOptions {
  readonly log: Log;
  /** Arguments of the command line. */
  readonly args?: Args;
  /** Treat warnings about the file as errors. */
  readonly strict?: boolean;
  /**
   * Run only these jobs, once each, and before them those that they depend on, instead of the todo. The job
   * manager is opened as the todo says. A schedule is not begun, and the pid file is not taken: the daemon of
   * the file may run meanwhile.
   */
  readonly jobs?: readonly string[] | undefined;
  /**
   * JavaScript files, by their absolute paths, or packages, by their names, whose functions scripts may call
   * beside those that the file names under `loads`.
   */
  readonly loads?: readonly string[];
  /**
   * Registers a channel type before it is opened. The type `simple` is always registered. Without this, core
   * finds the packages that the program can import.
   */
  readonly prepare?: PrepareType;
  /** The heap limit of one script, in MB. Default: half of the machine's memory, at most 2,048. */
  readonly scriptMemory?: number;
  /** How long jobs have to stop by themselves after a request to stop. Default: 10 s. */
  readonly grace?: Duration;
  /**
   * The clock and random source, for simulations. Scripts see this clock in `now()` and `nowUTC()`, not in
   * `Date`.
   */
  readonly clock?: Clock;
  /** Receives, before the first job starts, the control that stops the run. */
  readonly onStart?: (control: RunControl) => void;
}

/**
 * Loads, plans and runs a job file. Resolves to whether all jobs went well.
 *
 * @throws JobFileError if the file cannot be run; nothing was started then
 */
export async function runJobFile(name: string, options: RunFileOptions): Promise<boolean> {
  const { log, args = {}, strict = false, jobs, loads = [], scriptMemory = defaultMemoryLimit() } = options;
  const pool = new ThreadPool({ script: SCRIPT_WORKER, memoryLimit: scriptMemory, files: loads.filter(isAbsolute) });
  const packages = loads.filter((load) => !isAbsolute(load));
  // A thread takes 25 ms to start, and so does the import of the other modules: do both at the same time.
  const thread = pool.warm();
  try {
    const { runFile } = await import("./execute/run-file.js");
    const { prepare, clock, onStart } = options;
    const grace = checkedDuration("grace", options.grace ?? GRACE, (message) => {
      throw new TypeError(message);
    });
    return await runFile(name, { log, args, strict, jobs, packages, pool, thread, prepare, grace, clock, onStart });
  } finally {
    await pool.close();
  }
}
