import { existsSync } from "node:fs";
import { parseEnv } from "node:util";
import type { PlacedText } from "../../load/job-file.js";
import { isVariableName, notVariableName } from "../../text/environment.js";
import { JobFileError, type Problems } from "../../text/problem.js";
import { readSource } from "../../text/read-source.js";
import { missingFile, saidPath } from "../../text/said-path.js";

/**
 * The variables of a file with lines like NAME=value, which Node itself reads. Problems stand at the line of
 * the job file that names the file, as the lines of the file may hold secrets.
 */
export function readEnvFile(file: PlacedText, required: boolean, problems: Problems): Record<string, string> {
  const { text, at } = file;
  const path = saidPath(text, at);
  if (!existsSync(path)) {
    if (required) problems.error(`${missingFile(text, at)} If it may be missing: { path: …, required: false }.`, at);
    return {};
  }
  try {
    const content = readSource(path, "file of variables").text;
    const variables = parseEnv(content) as Record<string, string>;
    checkNames(content, variables, file, problems);
    checkLines(content, variables, file, problems);
    return Object.fromEntries(Object.entries(variables).filter(([name]) => isVariableName(name)));
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    for (const { message } of error.problems) problems.error(message, at);
    return {};
  }
}

function linesOf(content: string): string[] {
  return content.split(/\r\n|\n|\r/);
}

function checkNames(
  content: string,
  variables: Record<string, string>,
  { text, at }: PlacedText,
  problems: Problems,
): void {
  for (const name of Object.keys(variables)) {
    if (isVariableName(name)) continue;
    const line = linesOf(content).findIndex((one) => one.replace(/^\s*(?:export\s+)?/, "").startsWith(name)) + 1;
    problems.error(`${text}, line ${line}: ${notVariableName(name)}`, at);
  }
}

/** Warns of lines that Node leaves out without a word. */
function checkLines(
  content: string,
  variables: Record<string, string>,
  { text, at }: PlacedText,
  problems: Problems,
): void {
  const values = Object.values(variables).filter((value) => value.includes("\n"));
  for (const [index, line] of linesOf(content).entries()) {
    const written = line.trim();
    if (written === "" || written.startsWith("#") || written.includes("=")) continue;
    // A line within a value of several lines has no name of its own.
    const part = written.replace(/["'`].*$/, "").replaceAll("\\n", "\n");
    if (values.some((value) => value.includes(part))) continue;
    problems.warn(`${text}, line ${index + 1}, is left out: a line is NAME=value, or begins with #.`, at);
  }
}
