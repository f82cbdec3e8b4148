import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { type Loaded, loadJobFile } from "../load/load.js";
import { JobFileError, type Problem } from "../text/problem.js";

/** Loads a job file of this text, with other files beside it. */
export function load(yaml: string | Uint8Array, more: Readonly<Record<string, string>> = {}): Loaded {
  return loadJobFile(join(folderWith({ "jobs.yaml": yaml, ...more }), "jobs.yaml"));
}

/** The messages of the errors, with their lines and columns. */
export function errorsOf(run: () => Loaded): string[] {
  try {
    run().problems.throwErrors();
    return [];
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.flatMap((problem) => (problem.severity === "error" ? placed(problem) : []));
  }
}

/** The messages of the warnings, with their lines and columns. */
export function warningsOf(yaml: string, more: Readonly<Record<string, string>> = {}): string[] {
  return load(yaml, more).problems.warnings.map(placed);
}

function placed({ at, message }: Problem): string {
  return at === undefined ? message : `${at.line}:${at.column} ${message}`;
}
