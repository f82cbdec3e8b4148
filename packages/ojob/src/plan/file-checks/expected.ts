import type { Args, JobFile } from "../../load/job-file.js";
import type { Problems } from "../../text/problem.js";

/**
 * Reports the arguments that are mandatory by the help of the file and absent from the command line, and from
 * the environment where the file takes arguments from there.
 */
export function expectArguments(file: JobFile, commandLine: Args, problems: Problems): void {
  for (const { name, at, mandatory, desc, example } of file.help?.expects ?? []) {
    if (!mandatory || commandLine[name] !== undefined) continue;
    const what = desc === undefined ? "" : ` (${desc})`;
    problems.flaw(`the argument "${name}"${what} is missing. Add: ${name}=${example ?? "…"}`, at);
  }
}
