import { existsSync } from "node:fs";
import type { CodeBlock, JobDefinition } from "../load/job-file.js";
import { shorten } from "../load/yaml/node.js";
import { compile, placeAt, placeIn, placeOfError } from "../script/compile.js";
import { JAVASCRIPT, languageNames, returnedNames } from "../script/process/script-process.js";
import { misplaced, misplacedNote, missingFile, readSource, saidPath } from "../text/files.js";
import { didYouMean, type Position, type Problems } from "../text/problem.js";
import { hasBlocks, wrongTemplate } from "../text/template.js";
import type { ScriptStep } from "./planned.js";

/** The names of JavaScript in OpenAF. */
const JAVASCRIPT_NAMES: readonly string[] = [JAVASCRIPT, "javascript", "oaf"];

/** Languages of OpenAF that ojm does not have. */
const FOREIGN: readonly string[] = ["perl", "ruby", "go", "swift", "powershell", "ssh"];

/** Names of shells that users write as a language. */
const SHELLS: readonly string[] = ["bash", "sh", "zsh"];

export function planScript(job: JobDefinition, problems: Problems): ScriptStep | undefined {
  const { name, typeArgs } = job;
  const lang = knownLanguage(job, problems);
  const code = scriptOf(job, problems);
  // The syntax of an unknown language cannot be checked.
  if (code === undefined || lang === undefined) return undefined;
  if (lang !== JAVASCRIPT) {
    const { noTemplate = false, shell, shellPrefix } = typeArgs;
    const shown = { ...(shell !== undefined && { shell }), ...(shellPrefix !== undefined && { shellPrefix }) };
    if (!noTemplate) checkScriptTemplates(code, name, problems);
    if (lang === "shell") checkReturned(code, name, problems);
    const foreign = { code, lang, ...(noTemplate && { noTemplate }), ...(lang === "shell" && shown), ...typeArgs.step };
    if (typeArgs.execRequire === undefined) return foreign;
    problems.error(`"execRequire" is for modules in JavaScript, and the job "${name}" is in ${lang}.`, job.langAt);
    return undefined;
  }
  const module = typeArgs.execRequire !== undefined;
  // Node itself parses modules: ES modules have their own syntax.
  if (!module) checkScript(code, "exec", name, problems);
  return { code, module, ...typeArgs.step };
}

/** Finds names after `# return` that cannot be variables: the shell would read them as something else. */
function checkReturned(code: CodeBlock, job: string, problems: Problems): void {
  for (const { name, offset } of returnedNames(code.code)) {
    if (/^[A-Za-z_]\w*$/.test(name)) continue;
    const what = name === "" ? "an empty name" : `"${shorten(name)}", which is not the name of a variable`;
    const message = `the script of "${job}" ends with "# return" and ${what}. Write: # return a, b`;
    problems.flaw(message, placeAt(code, offset));
  }
}

function knownLanguage(job: JobDefinition, problems: Problems): string | undefined {
  const { lang = JAVASCRIPT, langAt, name, typeArgs } = job;
  if (JAVASCRIPT_NAMES.includes(lang)) return JAVASCRIPT;
  const known = languageNames();
  if (known.includes(lang)) return lang;
  // As in OpenAF, any name is a language if `shell` names the program that reads the script.
  if (typeArgs.shell !== undefined) return "shell";
  const message = `the job "${name}" is in "${lang}". The languages are: ${known.join(", ")}.${languageHint(lang)}`;
  problems.error(message, langAt);
  return undefined;
}

function languageHint(lang: string): string {
  if (SHELLS.includes(lang))
    return ` Write "lang: shell", which runs the script by sh, and "shell: ${lang} -s" under "typeArgs" for another shell.`;
  if (FOREIGN.includes(lang)) return ` A script with "lang: shell" can call ${lang}.`;
  return didYouMean(lang, languageNames(), "");
}

function scriptOf(job: JobDefinition, problems: Problems): CodeBlock | undefined {
  const { exec, typeArgs, typeArgsAt, at, name } = job;
  const written = [exec && "exec", typeArgs.file && "file", typeArgs.execRequire && "execRequire"].filter(Boolean);
  if (written.length > 1) {
    problems.error(`the job "${name}" has both ${written.join(" and ")}: which of them is its script?`, at);
    return undefined;
  }
  const key = typeArgs.file !== undefined && job.type !== "jobs" ? "file" : "execRequire";
  const path = typeArgs[key];
  return path === undefined ? exec : codeFile(path, typeArgsAt[key] ?? at, problems);
}

/** A whole file as a script, with the lines of that file. */
function codeFile(name: string, at: Position, problems: Problems): CodeBlock | undefined {
  const path = saidPath(String(name), at);
  if (!existsSync(path)) {
    problems.error(missingFile(String(name), at), at);
    return undefined;
  }
  const source = readSource(path);
  return { code: source.text, source, line: 1, indent: 0, exact: true };
}

/** The path that a setting means. It may not exist yet: an earlier job can create it. */
export function expectBeside(job: JobDefinition, key: "pwd" | "file", problems: Problems): string {
  return warnIfMisplaced(String(job.typeArgs[key]), job.typeArgsAt[key] ?? job.at, problems);
}

/** The path that a text means. Warns if it exists in the working directory instead. */
export function warnIfMisplaced(text: string, at: Position, problems: Problems): string {
  const path = saidPath(text, at);
  const here = misplaced(text, path);
  if (here !== undefined) problems.warn(misplacedNote(here, path), at);
  return path;
}

/** Finds a syntax error before anything is started. */
export function checkScript(
  code: CodeBlock,
  key: string,
  job: string,
  problems: Problems,
  names?: readonly string[],
): void {
  try {
    compile({ code: code.code, file: code.source.path, line: code.line }, undefined, names);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const start = { source: code.source, line: code.line, column: code.indent + 1 };
    const at = placeOfError(error.stack ?? "", code) ?? start;
    const what = key === "exec" ? "script" : `"${key}"`;
    problems.flaw(`the ${what} of "${job}" has a syntax error: ${error.message}.`, at);
  }
}

function checkScriptTemplates(code: CodeBlock, name: string, problems: Problems): void {
  const wrong = hasBlocks(code.code) ? wrongTemplate(code.code) : undefined;
  if (wrong === undefined) return;
  const column = Math.max(0, code.code.split("\n")[wrong.line - 1]?.indexOf("{{") ?? 0) + 1;
  const at = placeIn(code, code.line + wrong.line - 1, column);
  problems.flaw(`the template in the script of "${name}" cannot be filled: ${wrong.message}.`, at);
}

const TEMPLATE = /\{\{[^{}]*\}\}\}?/g;

/** The script that returns the value of a condition. Its lines keep their numbers in the file. */
export function conditionScript(block: CodeBlock, code: string): CodeBlock {
  // After a comment, the bracket needs its own line.
  const end = /\/\/[^\n]*$/.test(code.trimEnd()) ? "\n)" : ")";
  // An extra first line, so that no column moves.
  const line = block.exact ? block.line - 1 : block.line;
  return { ...block, code: `return (\n${code.trimEnd()}${end};`, line };
}

/** The script that returns the value of an expression, which may end with a semicolon. */
export function expressionScript(block: CodeBlock): CodeBlock {
  return conditionScript(block, block.code.replace(/[\s;]+$/, ""));
}

/** The same with a number for each template, to check it. `undefined` if a template decides the code. */
export function conditionToCheck(block: CodeBlock): CodeBlock | undefined {
  if (/\{\{[#/^!]/.test(block.code)) return undefined;
  const code = block.code.replace(TEMPLATE, (template) => "0".padEnd(template.length));
  return code.includes("{{") ? undefined : conditionScript(block, code);
}
