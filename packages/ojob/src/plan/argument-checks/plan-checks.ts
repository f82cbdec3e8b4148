import type { JobDefinition, JobFile } from "../../load/job-file.js";
import { placeAt } from "../../script/compile.js";
import { CodeError } from "../../script/javascript.js";
import type { Position, Problems } from "../../text/problem.js";
import type { JobChecks } from "../planned.js";
import { type Check, readCheck } from "./checks.js";

/**
 * Reads `check.in` and `check.out` of a job. Each check that cannot be read is an error at its place. `steps`
 * is how many steps the job has.
 */
export function planChecks(job: JobDefinition, file: JobFile, steps: number, problems: Problems): JobChecks {
  const { from, to } = job;
  return {
    in: readChecks(job, "in", problems),
    out: readChecks(job, "out", problems),
    from: from.length,
    to: steps - to.length,
    // The jobs that come with ojm set no arguments: what is missing is missing before they take a lock.
    late: from.some((step) => "shortcut" in step || file.jobs.get(step.job)?.builtin === undefined),
  };
}

function readChecks(job: JobDefinition, key: "in" | "out", problems: Problems): readonly Check[] {
  const written = job.check[key];
  const complain = (message: string, at: Position = job.at): void =>
    problems.error(`"check.${key}" of "${job.name}": ${message}.`, at);
  if (written === undefined || written === null) return [];
  if (typeof written !== "object" || Array.isArray(written)) {
    complain("must be a map of arguments");
    return [];
  }
  return Object.entries(written).flatMap(([path, chain]) => {
    const block = job.checkAt[`${key}.${path}`];
    if (typeof chain !== "string" || block === undefined) {
      complain(`what "${path}" must look like is a text, for example isString`);
      return [];
    }
    try {
      return [readCheck(path, chain)];
    } catch (error) {
      if (!(error instanceof CodeError)) throw error;
      complain(`"${path}": ${error.message.replace(/\.$/, "")}`, placeAt(block, error.offset));
      return [];
    }
  });
}
