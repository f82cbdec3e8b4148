import { isAbsolute } from "node:path";
import type { Args, Help, JobFile } from "../load/job-file.js";
import { didYouMean, type Problems, type SourceFile } from "../text/problem.js";
import { type Plan, type Step, shortcutsIn } from "./planned.js";

/**
 * Warns of each argument of the command line whose name does not occur in the file, so that no job can use
 * it. Warns of none if a job may use arguments that the file does not name.
 */
export function warnOfUnusedArgs(file: JobFile, plan: Plan, commandLine: Args, problems: Problems): void {
  const names = Object.keys(commandLine);
  if (names.length === 0 || !problems.isWhole || [...plan.jobs.values()].some(({ type }) => type === "jobs")) return;
  const steps = [...plan.jobs.values()].flatMap((job) => [...job.steps, ...job.onError]);
  if (steps.some(takesAnyArgument)) return;
  const texts = textsOf(file, steps);
  if (texts.some(usesAllArguments)) return;
  const builtin = new Set([...file.jobs.values()].filter(isBuiltin).flatMap(expectedBy));
  const unused = names.filter((name) => !builtin.has(name) && !texts.some((text) => hasWord(text, name)));
  if (unused.length === 0) return;
  const own = [...file.jobs.values()].filter((job) => !isBuiltin(job));
  const checked = own.flatMap(({ name }) => plan.jobs.get(name)?.checks.in ?? []);
  const chosenBy = shortcutsIn(steps).filter(({ name }) => name === "optionOn");
  const known = new Set([
    ...[file, ...own].flatMap(expectedBy),
    ...checked.map(({ path }) => path.split(".")[0] ?? ""),
    ...chosenBy.map(({ values }) => String(values["value"])),
    ...texts.flatMap(namesIn),
  ]);
  for (const name of unused) {
    const message = `no job of ${file.source.name} uses the argument "${name}" of the command line.`;
    problems.warn(`${message}${didYouMean(name, known)}`);
  }
}

/** Whether a job comes with ojm: its text is not in a file. */
const isBuiltin = ({ at }: { readonly at: { readonly source: SourceFile } }): boolean => !isAbsolute(at.source.path);

const expectedBy = ({ help }: { readonly help?: Help | undefined }): string[] =>
  (help?.expects ?? []).map(({ name }) => name);

/** Shortcuts that use only the arguments that the job file names. */
const NAMING = ["if", "optionOn", "todo", "parallel", "repeat", "each", "wait", "fail", "pass", "print", "log"];

/**
 * Whether a step may use an argument that the file does not name: a shell passes all arguments on to its
 * programs, as variables.
 */
function takesAnyArgument(step: Step): boolean {
  if ("code" in step) return (step.lang !== undefined && step.lang !== "node") || step.module === true;
  return shortcutsIn([step]).some(({ name, late }) => late !== undefined || !NAMING.includes(name));
}

/** The texts of the file, of those that it includes, and of files with a script. */
function textsOf({ source, included }: JobFile, steps: readonly Step[]): string[] {
  const scripts = steps.flatMap((step) => ("code" in step ? [step.code.source] : []));
  const sources = new Map([source, ...included, ...scripts].map((one) => [one.path, one]));
  return [...sources.values()].filter(({ path }) => isAbsolute(path)).map(({ text }) => text);
}

/** A comment that has its own line. */
const COMMENT = /^\s*(?:#|\/\/).*$/gm;

/** Takes some fields of `args` by their names, without a rest. */
const DESTRUCTURED = /(\{[^{}.[]*\}\s*=\s*)args\b(?!\s*[.?[(])/g;

/** `args` as a whole, or with a computed name. It may be a key of the file, or have a name after it. */
const WHOLE = /(?<![\w$])args\b(?!\s*\??\.\s*[\p{L}_$]|\s*(?:\?\.)?\[\s*["']|["']?\s*:)|\?\s*args\s*:/u;

/** Other ways to get at all arguments: the parameters of the script, and code that only a run knows. */
const OTHERWISE = /(?<![\w$])(?:(?:eval|Function)\s*\(|arguments\s*[.[]|\.\.\.\s*arguments\b)/;

/** The whole data of a template: `{{this}}`, `{{.}}`, `{{@root.x}}`, `{{../x}}`. */
const TEMPLATE = /\{\{[^}]*?(?:\bthis\b|@root\b|\.\.\/|[\s{]\.(?=[\s}]))/;

function usesAllArguments(text: string): boolean {
  const code = text.replace(COMMENT, "").replace(DESTRUCTURED, "$1");
  return [WHOLE, OTHERWISE, TEMPLATE].some((pattern) => pattern.test(code));
}

function hasWord(text: string, word: string): boolean {
  const escaped = word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_$])${escaped}(?![\\p{L}\\p{N}_$])`, "u").test(text);
}

/** The arguments that scripts and templates name: `args.x`, `args["x"]`, `{{x}}`, `${x}`. */
const NAMED = /(?:\bargs(?:\?\.|\.|\[["'])|\{\{\{?\s*|\$\{)([\p{L}_][\p{L}\p{N}_-]*)/gu;

/** The names in a pattern such as `{ a, b = 1, c: d }`: those of fields, and some others. */
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/gu;

function namesIn(text: string): string[] {
  const patterns = [...text.matchAll(DESTRUCTURED)].flatMap(([, pattern = ""]) => pattern.match(WORD) ?? []);
  return [...patterns, ...[...text.matchAll(NAMED)].map(([, name = ""]) => name)];
}
