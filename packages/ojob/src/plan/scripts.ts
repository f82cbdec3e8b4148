import type { CodeBlock, JobDefinition, JobFile } from "../load/jobfile.js";
import type { Problems } from "../problem.js";
import { compile, placeOfError } from "../script/compile.js";

/** The languages whose scripts run in our threads; others are for their own interpreters to judge. */
const OURS: readonly string[] = ["js", "javascript", "oaf"];

/** Finds syntax errors in all scripts of a file but those of `catch`, which may be names of jobs. */
export function checkScripts(file: JobFile, problems: Problems): void {
  for (const job of file.jobs.values()) checkJob(job, problems);
  for (const { job, when } of file.todo) checkScript(when, `the "when" of "${job}"`, problems);
  checkScript(file.settings.catch, 'the "catch" of "ojob"', problems);
  for (const [name, block] of file.code) checkModule(name, block, problems);
}

function checkJob({ name, exec, lang, deps, typeArgs }: JobDefinition, problems: Problems): void {
  if (lang === undefined || OURS.includes(lang)) checkScript(exec, `the script of "${name}"`, problems);
  for (const { job, onSuccess, onFail } of deps) {
    checkScript(onSuccess, `the "onSuccess" of "${job}" in "${name}"`, problems);
    checkScript(onFail, `the "onFail" of "${job}" in "${name}"`, problems);
  }
  checkScript(typeArgs.stopWhen, `the "stopWhen" of "${name}"`, problems);
}

/** What is required as JSON is no script. */
function checkModule(name: string, block: CodeBlock, problems: Problems): void {
  if (!name.endsWith(".json")) checkScript(block, `the module "${name}"`, problems);
}

/** Tells a syntax error of a script at its place. `what` is what the script is called in the message. */
export function checkScript(code: CodeBlock | undefined, what: string, problems: Problems): void {
  if (code === undefined) return;
  try {
    compile({ code: code.code, file: code.source.path, line: code.line });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const start = { source: code.source, line: code.line, column: code.indent + 1 };
    const at = placeOfError(error.stack ?? "", code) ?? start;
    problems.error(`${what} has a syntax error: ${error.message}.`, at);
  }
}
