import { nearest } from "@ojm/core/internal";
import { builtinFileOf } from "../load/builtin/builtin.js";
import { insteadOfJob } from "../load/builtin/openaf-jobs.js";
import type { JobFile, JobReference } from "../load/job-file.js";
import type { Problems } from "../text/problem.js";

/** Reports the name of a job that the file does not have. `where` says who names it. */
export function expectJob({ job, at }: JobReference, file: JobFile, where: string, problems: Problems): void {
  if (file.jobs.has(job) || !file.complete) return;
  const included = builtinFileOf(job);
  const instead = insteadOfJob(job);
  if (instead !== undefined) {
    problems.error(`${where} names the job "${job}", which comes with OpenAF, and not with ojm.${instead}`, at);
    return;
  }
  const hint =
    included !== undefined ? ` It comes with ${included}: add "include: [${included}]".` : nameHint(job, file);
  problems.error(`${where} names the job "${job}", which does not exist.${hint}`, at);
}

function nameHint(job: string, { jobs }: JobFile): string {
  // Without the colon, YAML reads a shortcut as a text.
  if (/^\(\w+\s*\)$/.test(job)) return ` A shortcut has a colon behind it: "${job}:".`;
  const near = nearest(job, jobs.keys());
  return near === undefined ? "" : ` Did you mean "${near}"?`;
}
