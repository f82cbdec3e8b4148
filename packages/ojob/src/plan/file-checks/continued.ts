import type { Problems } from "../../text/problem.js";
import { JOB_START } from "../manager/manager-args.js";
import type { PlannedJob } from "../planned.js";
import { jobsNamedIn } from "../shortcuts/walk.js";

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
      problems.flaw(message, step.at);
    }
  }
}

/**
 * A job and all jobs that are its steps, and their steps. Of the jobs that shortcuts run, those that come
 * with ojm count: they work on the runs of the job around them, and others have runs of their own.
 */
function withSteps(name: string, jobs: ReadonlyMap<string, PlannedJob>, all: Set<string> = new Set()): Set<string> {
  if (all.has(name)) return all;
  all.add(name);
  const { steps = [] } = jobs.get(name) ?? {};
  for (const step of steps) if ("job" in step) withSteps(step.job, jobs, all);
  for (const called of jobsNamedIn(steps)) if (jobs.get(called)?.builtin !== undefined) all.add(called);
  return all;
}
