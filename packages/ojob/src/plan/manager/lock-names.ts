import type { Args, JobFile, TodoEntry } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { firstTemplate } from "../../text/template.js";
import { around, fillArgs, mergeArgs } from "../args.js";
import type { Plan, PlannedJob } from "../planned.js";
import { JOB_START, unfilledName } from "./run-args.js";

/**
 * Finds names of locks in which a template is left, before anything starts. Where a script, a change of a
 * channel or an earlier job may fill it, the start of the run looks.
 */
export function checkLockNames(file: JobFile, plan: Plan, common: Args, problems: Problems): void {
  for (const { name, typeArgs, typeArgsAt, at } of file.jobs.values()) {
    const template = firstTemplate(String(typeArgs.lock ?? ""));
    if (template === undefined) continue;
    const message = `"lock" of "${name}" holds ${template}, but templates are filled in "args" only: all runs would share one lock.`;
    problems.error(message, typeArgsAt["lock"] ?? at);
  }
  // Unknown names and cycles have been reported already. An earlier job hands on what nobody knows yet.
  if (problems.errors.length > 0 || file.settings.shareArgs) return;
  const names = new Names(file, plan, common, problems);
  for (const entry of file.todo) if (entry.when === undefined) names.checkEntry(entry);
}

class Names {
  readonly #file: JobFile;
  readonly #plan: Plan;
  readonly #common: Args;
  readonly #problems: Problems;

  constructor(file: JobFile, plan: Plan, common: Args, problems: Problems) {
    this.#file = file;
    this.#plan = plan;
    this.#common = common;
    this.#problems = problems;
  }

  checkEntry(entry: TodoEntry): void {
    const job = this.#plan.jobs.get(entry.job);
    // A subscription has the change of its channel among the args of each run.
    if (job === undefined || job.type === "subscribe") return;
    for (const given of entry.args.length > 0 ? entry.args : [{}]) {
      const filled = fillArgs(given, this.#common, () => {}, this.#plan.environment.all);
      this.#check(job, filled, entry.argsAt["name"] ?? entry.at);
    }
  }

  /** Goes through the steps of a job. False once a script may have changed the arguments. */
  #check(job: PlannedJob, given: Args, at: Position): boolean {
    return (job.args.length > 0 ? job.args : [{}]).every((own) => {
      const args = mergeArgs({ own, given, commandLine: this.#common, ...around(job) }, () => {});
      const here = "name" in own ? (this.#file.jobs.get(job.name)?.argsAt["name"] ?? job.at) : at;
      return job.steps.every((step) => {
        if ("code" in step) return false;
        const message = step.job === JOB_START ? unfilledName(args["name"]) : undefined;
        if (message !== undefined) this.#problems.error(message, here);
        const inner = this.#plan.jobs.get(step.job);
        // The defaults of a check fill the templates of the jobs that are its steps.
        return inner === undefined || job.checks.in.length > 0 || this.#check(inner, args, here);
      });
    });
  }
}
