import type { JobDefinition, JobFile, TodoEntry } from "../load/job-file.js";
import type { Problems } from "../text/problem.js";
import { didYouMean } from "../text/problem.js";
import { JOB_INIT } from "./manager/manager-args.js";
import { jobsNamedIn } from "./planned.js";

/**
 * The job file with another todo: these jobs, once each, and before them the jobs that they depend on. An
 * item of the todo for such a job keeps its args and its `when`. What opens the job manager stays, for the
 * locks of the jobs are there.
 *
 * A schedule is not begun, and the process neither stays nor takes the pid file: the daemon of this file may
 * be running, and must go on.
 */
export function chooseJobs(file: JobFile, names: readonly string[], problems: Problems): JobFile {
  const chosen = new Set<string>();
  const begun = new Set<string>();
  for (const name of names) if (isThere(name, file, problems)) addWithDeps(name, file, chosen, begun);
  const opening = file.todo.filter((entry) => !chosen.has(entry.job) && opens(entry, file));
  const todo = [...opening, ...[...chosen].flatMap((name) => entriesOf(name, file))];
  const jobs = new Map([...file.jobs].map(([name, job]) => [name, chosen.has(name) ? runOnce(job) : job]));
  const { unique: _, ...settings } = file.settings;
  return { ...file, jobs, todo, settings: { ...settings, daemon: false } };
}

function isThere(name: string, { jobs, source }: JobFile, problems: Problems): boolean {
  const job = jobs.get(name);
  if (job === undefined) {
    problems.error(`${source.name} has no job "${name}".${didYouMean(name, jobs.keys())}`);
  } else if (job.type === "subscribe") {
    problems.error(`"${name}" runs for each change of a channel, not by itself: it cannot be chosen.`, job.at);
  }
  return job !== undefined && job.type !== "subscribe";
}

/** Adds what a job waits for, its steps included, and then the job. */
function addWithDeps(name: string, file: JobFile, chosen: Set<string>, begun: Set<string>): void {
  // Jobs that wait for each other would never end here. They are reported once the file is planned.
  if (begun.has(name)) return;
  begun.add(name);
  const deps = [...partsOf(name, file)].flatMap((part) => file.jobs.get(part)?.deps ?? []);
  for (const { job } of deps) addWithDeps(job, file, chosen, begun);
  chosen.add(name);
}

/** Whether an item of the todo opens the job manager. */
function opens({ job, shortcut }: TodoEntry, file: JobFile): boolean {
  const jobs = shortcut === undefined ? [job] : jobsNamedIn([{ shortcut }]);
  return jobs.some((name) => partsOf(name, file).has(JOB_INIT));
}

/** A job and its steps, and their steps. */
function partsOf(name: string, file: JobFile, parts: Set<string> = new Set()): ReadonlySet<string> {
  if (parts.has(name)) return parts;
  parts.add(name);
  const { from = [], to = [], each = [] } = file.jobs.get(name) ?? {};
  for (const job of jobsNamedIn([...from, ...to, ...each])) partsOf(job, file, parts);
  return parts;
}

function entriesOf(name: string, { todo, jobs }: JobFile): TodoEntry[] {
  const entries = todo.filter(({ job }) => job === name);
  const at = jobs.get(name)?.at;
  if (entries.length > 0 || at === undefined) return entries;
  return [{ job: name, at, args: [], argsAt: {} }];
}

function runOnce(job: JobDefinition): JobDefinition {
  return job.type === "periodic" || job.type === "shutdown" ? { ...job, type: "simple" } : job;
}
