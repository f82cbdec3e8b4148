import type { Problems } from "../../text/problem.js";
import { JOB_START } from "../manager/run-args.js";
import type { PlannedJob } from "../planned.js";

/** The built-in job that ends a run and releases its lock. */
const JOB_END = "oJobManager Job End";

/**
 * Refuses to go on after a step that takes the lock of a job: without the lock, the job would do its work
 * unprotected. A step that starts a run and ends it too has the lock for itself.
 */
export function rejectUnlocked(jobs: ReadonlyMap<string, PlannedJob>, problems: Problems): void {
  for (const { name, steps } of jobs.values()) {
    for (const step of steps) {
      if (!("job" in step) || step.continueOnError !== true) continue;
      const all = withSteps(step.job, jobs);
      if (!all.has(JOB_START) || all.has(JOB_END)) continue;
      const message = `"continueOnError" of the step "${step.job}": it takes the lock of "${name}", which would go on without the lock. Leave it out.`;
      problems.error(message, step.at);
    }
  }
}

/** A job and all jobs that are its steps, and their steps. */
function withSteps(name: string, jobs: ReadonlyMap<string, PlannedJob>, all: Set<string> = new Set()): Set<string> {
  if (all.has(name)) return all;
  all.add(name);
  for (const step of jobs.get(name)?.steps ?? []) if ("job" in step) withSteps(step.job, jobs, all);
  return all;
}
