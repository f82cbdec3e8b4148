import { LINES, ojmCommand, visible } from "@ojm/core/internal";
import { type Checked, checkJobFile, describe, JobFileError } from "@ojm/ojob";
import { prepareType } from "../backends.js";
import type { Given } from "../command-line/spec.js";
import { print, printError } from "../output/print.js";
import { fileOperands, loadsOf } from "../store/job-file.js";
import { count } from "./look/doctor/finding.js";

/** Checks a job file without running it. Resolves to the exit code. */
export async function execute(given: Given): Promise<number> {
  const { file, args } = fileOperands(given);
  const { flags } = given;
  const loads = await loadsOf(given);
  try {
    const checked = await checkJobFile(file, { args, loads, strict: flags.has("strict"), prepare: prepareType });
    for (const warning of checked.warnings) printError(describe(warning));
    print(`${visible(summary(file, checked), LINES)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    const errors = error.problems.filter(({ severity }) => severity === "error").length;
    const warnings = error.problems.length - errors;
    const found = [count(errors, "error"), ...(warnings > 0 ? [count(warnings, "warning")] : [])].join(", ");
    printError(`${error.message}\n${file} cannot be run: ${found}.`);
    return 2;
  }
}

function summary(file: string, { jobs, todo, periodic, includes, warnings }: Checked): string {
  if (todo === 0) {
    const marks = warnings.length > 0 ? `, with ${count(warnings.length, "warning")}` : "";
    return `${file} is a library of ${count(jobs, "job")}${marks}: it has no "todo". Include it in another file, or run one of its jobs: ${ojmCommand("run", file, "--job NAME")}`;
  }
  const facts = [
    count(jobs, "job"),
    ...(periodic > 0 ? [`${periodic} on a schedule`] : []),
    `${todo} in todo`,
    ...(includes.length > 0 ? [`includes ${includes.join(", ")}`] : []),
  ];
  const verdict = warnings.length > 0 ? `can be run, with ${count(warnings.length, "warning")}` : "is fine";
  return `${file} ${verdict}: ${facts.join(", ")}.`;
}
