import type { JobManager } from "@ojm/core";
import { type Args, commandLineValue, openManagerOf } from "@ojm/ojob";
import { prepareType } from "../backends.js";
import { CommandError } from "../errors.js";

/** The arguments for a job file, as they stand on the command line. */
export function argsOf(pairs: readonly (readonly [string, string])[]): Args {
  return Object.fromEntries(pairs.map(([key, value]) => [key, commandLineValue(value)]));
}

/** Opens the job manager that a job file sets up by `oJobManager Init`. */
export async function openJobFile(file: string, args: Args): Promise<JobManager> {
  const manager = await openManagerOf(file, args, prepareType);
  if (manager !== undefined) return manager;
  throw new CommandError(`${file} keeps its runs in memory: give oJobManager Init a "chJobs" and "chLocks" that last`);
}
