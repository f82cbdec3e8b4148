import type { Args, JobFile } from "../load/jobfile.js";
import type { Problems } from "../problem.js";

/** Asks for the arguments that the help of the file calls mandatory and that the command line does not give. */
export function expectArguments(file: JobFile, commandLine: Args, problems: Problems): void {
  const given: Args = file.settings.argsFromEnvs ? { ...process.env, ...commandLine } : commandLine;
  for (const { name, at, mandatory, desc, example } of file.help?.expects ?? []) {
    if (!mandatory || given[name] !== undefined) continue;
    const what = desc === undefined ? "" : ` (${desc})`;
    problems.error(`the argument "${name}"${what} is missing. Add: ${name}=${example ?? "…"}`, at);
  }
}
