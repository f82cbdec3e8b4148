import { isChannelError, type JobManager } from "@ojm/core";
import { commandLineValue, JobFileError, openManagerOf } from "@ojm/ojob";
import { prepareType } from "./backends.js";
import { CommandError } from "./errors.js";
import { tell } from "./tell.js";

/** Calls `look` with the job manager that a job file sets up. Resolves to the exit code. */
export async function withManager(
  file: string,
  pairs: readonly (readonly [string, string])[],
  look: (manager: JobManager) => Promise<void>,
): Promise<number> {
  const args = Object.fromEntries(pairs.map(([key, value]) => [key, commandLineValue(value)]));
  try {
    const manager = await openManagerOf(file, args, prepareType);
    if (manager === undefined) {
      throw new CommandError(
        `${file} keeps its runs in memory: give oJobManager Init a "chJobs" and "chLocks" that last`,
      );
    }
    await using opened = manager;
    await look(opened);
    return 0;
  } catch (error) {
    if (error instanceof JobFileError) {
      tell(error.message);
      return 2;
    }
    if (!isChannelError(error)) throw error;
    tell(`ojm: ${error.message}`);
    // A store that is away is no fault of the file: the same command may work in a minute.
    return error.code === "UNKNOWN_TYPE" || error.code === "INVALID_CONFIG" ? 2 : 1;
  }
}
