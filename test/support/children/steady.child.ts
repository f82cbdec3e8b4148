import { setTimeout as pause } from "node:timers/promises";
import { isChannelError, isRunError, type JobManager, type JobManagerOptions, openJobManager } from "@ojm/core";

/**
 * A request to the process: `look` requests a {@link SteadyReport}, `stop` ends the work in an orderly way.
 */
export type SteadyRequest = "look" | "stop";

/** The report of the process. */
export interface SteadyReport {
  readonly completed: number;
  /** How often each error code occurred. */
  readonly failures: Readonly<Record<string, number>>;
  /** How many resources of each kind keep the event loop busy. */
  readonly resources: Readonly<Record<string, number>>;
}

/*
 * Runs one job after the other, whatever happens to the store, until it gets `stop`. An error that is neither
 * of the store nor of a run ends the process. Arguments: the manager's options as JSON, the name of the job.
 */
const [options = "{}", job = "job"] = process.argv.slice(2);
let completed = 0;
const failures: Record<string, number> = {};
let stopped = false;

/** Resolves to the result of `work`, or to `undefined` if the store or the run fails. */
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
