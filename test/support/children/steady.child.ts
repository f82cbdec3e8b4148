import { setTimeout as pause } from "node:timers/promises";
import { isChannelError, isRunError, type JobManager, type JobManagerOptions, openJobManager } from "@ojm/core";

/** What {@link SteadyReport} answers: `look` asks for one, `stop` ends the work in good order. */
export type SteadyRequest = "look" | "stop";

/** What the process tells of itself. */
export interface SteadyReport {
  readonly completed: number;
  /** Codes of what failed, by how often. */
  readonly failures: Readonly<Record<string, number>>;
  /** What keeps the event loop busy, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

/*
 * Runs one job after the other, whatever happens to the store, until it is told to stop. Anything but an
 * error of the store, or of a lock that was lost with it, ends the process. Arguments: the manager's options
 * as JSON, the name of the job.
 */
const [options = "{}", job = "job"] = process.argv.slice(2);
let completed = 0;
const failures: Record<string, number> = {};
let stopped = false;

/** Resolves to what `work` does, or to `undefined` where the store does not let it. */
async function tried<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isChannelError(error) && !isRunError(error)) throw error;
    failures[error.code] = (failures[error.code] ?? 0) + 1;
    await pause(20);
    return undefined;
  }
}

let manager: JobManager | undefined;
while (manager === undefined) manager = await tried(() => openJobManager(JSON.parse(options) as JobManagerOptions));
const work = manager;

function report(): SteadyReport {
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { completed, failures, resources };
}

process.on("message", (request: SteadyRequest) => {
  if (request === "stop") stopped = true;
  else process.send?.(report());
});
process.send?.(report());
while (!stopped) {
  if ((await tried(() => work.run(job, () => pause(5)))) !== undefined) completed++;
}
await work.close();
process.send?.(report());
process.disconnect();
