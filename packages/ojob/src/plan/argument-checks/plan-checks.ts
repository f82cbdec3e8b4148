import type { JobDefinition } from "../../load/job-file.js";
import { placeAt } from "../../script/compile.js";
import { CodeError } from "../../script/javascript.js";
import type { Position, Problems } from "../../text/problem.js";
import { type Check, readCheck } from "./checks.js";

/** Reads `check.in` or `check.out` of a job. Each check that cannot be read is an error at its place. */
export function planChecks(job: JobDefinition, key: "in" | "out", problems: Problems): readonly Check[] {
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
