import type { Problems } from "../text/problem.js";
import type { PlannedJob } from "./planned.js";
import { jobsNamedIn } from "./shortcuts/walk.js";

type Jobs = ReadonlyMap<string, PlannedJob>;

/** The jobs that are steps of a job or run for its items. */
export function stepsOf(job: PlannedJob): string[] {
  const steps = job.steps.flatMap((step) => ("job" in step ? [step.job] : []));
  return [...steps, ...job.each.map((one) => one.job)];
}

/** The same, and the jobs that its shortcuts may run. */
function calledBy(job: PlannedJob): string[] {
  return [...jobsNamedIn(job.steps), ...job.each.map((one) => one.job)];
}

/**
 * Finds jobs that are steps of themselves and could never end, and jobs that depend on themselves and could
 * never start.
 */
export function rejectCycles(jobs: Jobs, problems: Problems): void {
  const handlers = (job: PlannedJob): string[] => job.onError.flatMap((step) => ("job" in step ? [step.job] : []));
  if (rejectCycle(jobs, (job) => [...calledBy(job), ...handlers(job)], "are steps of each other", problems)) return;
  // A job waits for the dependencies of its steps too.
  rejectCycle(jobs, (job) => [...job.deps.map((one) => one.job), ...calledBy(job)], "wait for each other", problems);
}

/** Whether there is a cycle, which is reported. */
function rejectCycle(
  jobs: Jobs,
  next: (job: PlannedJob) => readonly string[],
  what: string,
  problems: Problems,
): boolean {
  let isFound = false;
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const job = jobs.get(name);
    if (job === undefined || done.has(name)) return;
    const start = path.indexOf(name);
    if (start >= 0) {
      const cycle = [...path.slice(start), name].map((one) => `"${one}"`).join(" → ");
      isFound = true;
      problems.error(`these jobs ${what} in a cycle: ${cycle}.`, job.at);
      return;
    }
    for (const other of next(job)) visit(other, [...path, name]);
    done.add(name);
  };
  for (const name of jobs.keys()) visit(name, []);
  return isFound;
}
