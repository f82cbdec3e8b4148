import { isAbsolute } from "node:path";
import { checkedDuration } from "@ojm/core/backend";
import { GRACE } from "@ojm/core/internal";
import type { RunFileOptions } from "./execute/run-file.js";
import { defaultMemoryLimit, ThreadPool } from "./script/thread.js";

/** The entry of script threads. It is here because the build puts that entry beside this bundle. */
export const SCRIPT_WORKER: URL = new URL("./script-worker.cjs", import.meta.url);

export type { RunFileOptions };

/**
 * Loads, plans and runs a job file. Resolves to whether all jobs went well.
 *
 * @throws JobFileError if the file cannot be run; nothing was started then
 */
export async function runJobFile(name: string, options: RunFileOptions): Promise<boolean> {
  const { loads = [], scriptMemory = defaultMemoryLimit() } = options;
  const pool = new ThreadPool({ script: SCRIPT_WORKER, memoryLimit: scriptMemory, files: loads.filter(isAbsolute) });
  const packages = loads.filter((load) => !isAbsolute(load));
  // A thread takes 25 ms to start, and so does the import of the other modules: do both at the same time.
  const thread = pool.warm();
  try {
    const { runFile } = await import("./execute/run-file.js");
    const grace = checkedDuration("grace", options.grace ?? GRACE, (message) => {
      throw new TypeError(message);
    });
    return await runFile(name, { ...options, packages, pool, thread, grace });
  } finally {
    await pool.close();
  }
}
