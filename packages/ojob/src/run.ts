import type { Clock } from "@ojm/core";
import type { PrepareType } from "./execute/backends.js";
import type { RunControl } from "./execute/run-file.js";
import type { Args } from "./load/jobfile.js";
import type { Log } from "./output/log.js";
import { defaultMemoryLimit, ThreadPool } from "./script/pool.js";

// Here, and not where it is used: the worker's entry is a neighbour of this file, and of the bundle that it becomes a part of.
const SCRIPT_WORKER: URL = new URL("./script-worker.cjs", import.meta.url);

/** How long jobs have to stop by themselves once they are told to, in ms. */
const GRACE = 5_000;

/** What {@link runJobFile} needs beside the file. */
export interface RunFileOptions {
  readonly log: Log;
  /** Arguments of the command line. */
  readonly args?: Args;
  /** Take warnings about the file for errors. */
  readonly strict?: boolean;
  /** JavaScript files whose functions scripts may call. Absolute paths. */
  readonly loads?: readonly string[];
  /** Makes a channel type known before it is opened; `simple` is. Without it, core finds the packages that the program can import. */
  readonly prepare?: PrepareType;
  /** The heap that one script may fill, in MB. Default: half of the machine's memory, at most 2,048. */
  readonly scriptMemory?: number;
  /** How long jobs have to stop by themselves once they are told to, in ms. Default: 5,000. */
  readonly grace?: number;
  /** Time and chance, for simulations. Scripts see it in `now()` and `nowUTC()`, not in `Date`. */
  readonly clock?: Clock;
  /** Told, before the first job starts, how to stop the run. */
  readonly onStart?: (control: RunControl) => void;
}

/**
 * Loads, plans and runs a job file. Resolves to whether all jobs went well.
 *
 * @throws JobFileError if the file cannot be run; nothing was started then
 */
export async function runJobFile(name: string, options: RunFileOptions): Promise<boolean> {
  const { log, args = {}, strict = false, loads = [], scriptMemory = defaultMemoryLimit() } = options;
  const pool = new ThreadPool({ script: SCRIPT_WORKER, memoryLimit: scriptMemory, files: loads });
  // A thread takes 25 ms to start, and so does all that reads and runs the file: with the import behind it, both go on at once.
  const thread = pool.warm();
  try {
    const { runFile } = await import("./execute/run-file.js");
    const { grace = GRACE, prepare, clock, onStart } = options;
    return await runFile(name, { log, args, strict, pool, thread, prepare, grace, clock, onStart });
  } finally {
    await pool.close();
  }
}
