import { type Environment, environmentOf } from "../../../plan/environment/environment.js";
import type { PlannedJob } from "../../../plan/planned.js";

/** Where the scripts of a job run. */
export interface ScriptContext {
  readonly environment: Environment;
  /** The folder. Default: that of the process. */
  readonly folder: string | undefined;
}

/**
 * The context of a job. Where the job is a step of another one, it also has the environment `around` it, but
 * not the folder: as before there was an environment, each job says where its own script runs.
 */
export function contextOf(job: PlannedJob, around?: ScriptContext): ScriptContext {
  return { environment: environmentOf(job, around?.environment), folder: job.folder };
}
