import { placeAt } from "../../script/compile.js";
import { ownReturns } from "../../script/javascript.js";
import type { Problems } from "../../text/problem.js";
import type { PlannedJob } from "../planned.js";

/**
 * Warns of each `return` in a script that runs as a step of another job, in its `from`. In OpenAF it ends the
 * other job too, and files rely on that to do their work only once.
 */
export function warnOfReturns(jobs: ReadonlyMap<string, PlannedJob>, problems: Problems): void {
  for (const { name, from } of jobs.values()) {
    for (const step of from) {
      // A list that is returned goes to the jobs of `each`.
      const used = jobs.get(step);
      if (used !== undefined && used.each.length === 0) warn(used, name, problems);
    }
  }
}

function warn({ steps }: PlannedJob, owner: string, problems: Problems): void {
  for (const step of steps) {
    if (!("code" in step) || step.lang !== undefined || step.module === true) continue;
    for (const offset of ownReturns(step.code.code)) {
      const message = `"return" ends only this step: "${owner}" goes on after it. (In OpenAF it ends "${owner}".) `;
      problems.warn(`${message}To end "${owner}" here, write job.skip(reason).`, placeAt(step.code, offset));
    }
  }
}
