import { placeAt } from "../../script/compile.js";
import type { Problems } from "../../text/problem.js";
import type { PlannedJob } from "../planned.js";

/**
 * Warns of each template that puts a secret into a shell script. The whole script is on the command line of
 * the shell, and every user of the machine can list that. A job that is a step has the arguments of the job
 * around it, so the names of all secrets count in all jobs.
 */
export function warnOfShownSecrets(jobs: ReadonlyMap<string, PlannedJob>, problems: Problems): void {
  const names = new Set([...jobs.values()].flatMap(({ secretArgs }) => Object.keys(secretArgs)));
  if (names.size === 0 || !problems.isWhole) return;
  for (const { steps } of jobs.values()) {
    for (const step of steps) {
      if (!("code" in step) || step.lang !== "shell" || step.noTemplate) continue;
      for (const { 1: name = "", index } of step.code.code.matchAll(/\{\{\{?\s*([^\s{}]+)\s*\}/g)) {
        if (!names.has(name)) continue;
        const message = `the template puts the secret "${name}" on the command line of the shell, where every user of this machine can read it. Write "$${name}" instead.`;
        problems.warn(message, placeAt(step.code, index));
      }
    }
  }
}
