import type { JobFile, Shortcut } from "../../load/job-file.js";
import { placeAt } from "../../script/compile.js";
import { CodeError } from "../../script/javascript.js";
import type { Position, Problems } from "../../text/problem.js";
import { checkScript, conditionToCheck, warnIfMisplaced } from "../script.js";
import { queryScript } from "./nlinq.js";

/** Whose shortcut is checked. */
interface ValuesContext {
  readonly owner: string;
  readonly file: JobFile;
  readonly problems: Problems;
}

/** The formats of `(output)`. */
export const FORMATS: readonly string[] = ["json", "prettyjson", "yaml", "ndjson", "table", "text", "human"];

/** What `(ch)` can do, in small letters: OpenAF does not mind capitals. */
export const OPERATIONS: readonly string[] = ["get", "set", "unset", "getall", "setall", "unsetall", "getkeys", "size"];

type Complain = (message: string, option?: string) => void;

type CheckOne = (shortcut: Shortcut, complain: Complain, context: ValuesContext) => void;

const CHECKS: Readonly<Record<string, CheckOne>> = {
  if: ({ blocks: { value } }, _, { owner, problems }) => {
    const block = value && conditionToCheck(value);
    if (block !== undefined) checkScript(block, "(if)", owner, problems);
  },
  wait: ({ values }, complain) => expectNumber(values["value"], "a number of milliseconds", complain),
  repeat: ({ values }, complain) => expectNumber(values["value"], "a number of times", complain),
  fail: ({ values: { value = 0 } }, complain) => {
    expectNumber(value, "an exit code", complain);
    if (Number(value) === 0) {
      complain("(fail) ends the run as failed: give it a code other than 0. To end a job well, write job.skip(reason)");
    }
  },
  run: checkRun,
  runfile: checkRun,
  ch: ({ values: { op } }, complain) => expectWord(op, OPERATIONS, "((op))", "op", complain),
  output: ({ values: { format } }, complain) => expectWord(format, FORMATS, "((format))", "format", complain),
  query: checkQuery,
  fileget: ({ values: { value } }, complain) => {
    if (isTemplate(value) || /\.(?:ya?ml|json)$/i.test(String(value))) return;
    complain("(fileget) reads files whose names end with .yaml, .yml or .json");
  },
  fn: ({ values: { value } }, complain) => {
    if (isTemplate(value) || /^[\w$]+(?:\.[\w$]+)*$/.test(String(value))) return;
    complain("(fn) takes the name of a function, as in (fn): io.readFileYAML");
  },
  findReplace: ({ values: { inputKey, inputFile } }, complain) => {
    if (inputKey === undefined && inputFile === undefined)
      complain("(findReplace) needs ((inputKey)) or ((inputFile))");
  },
};

/** Finds values of a shortcut that cannot be right, whatever the arguments are. */
export function checkValues(shortcut: Shortcut, context: ValuesContext): void {
  const { name, places, at } = shortcut;
  const complain: Complain = (message, option = "value") => {
    context.problems.error(`${message}.`, places[option] ?? at);
  };
  if (Object.hasOwn(CHECKS, name)) CHECKS[name]?.(shortcut, complain, context);
}

function isTemplate(value: unknown): boolean {
  return typeof value === "string" && /\{\{|\$\{/.test(value);
}

function expectNumber(value: unknown, what: string, complain: Complain): void {
  const number = typeof value === "string" && value.trim() === "" ? Number.NaN : Number(value);
  if (isTemplate(value) || Number.isFinite(number)) return;
  complain(`this must be ${what}, not ${JSON.stringify(value)}`);
}

function expectWord(value: unknown, words: readonly string[], what: string, option: string, complain: Complain): void {
  if (value === undefined || isTemplate(value) || words.includes(String(value).toLowerCase())) return;
  complain(`"${what}" must be one of ${words.join(", ")}, not ${JSON.stringify(value)}`, option);
}

function checkRun(
  { values: { value }, places, at }: Shortcut,
  complain: Complain,
  { file, problems }: ValuesContext,
): void {
  const name = String(value);
  const where: Position = places["value"] ?? at;
  if (isTemplate(value)) return;
  if (file.jobs.has(name)) complain(`"${name}" is a job of this file: write its name alone, without the shortcut`);
  else if (/^https?:|^ojob\.io\/|::/.test(name)) complain(`only files can be run: fetch ${name}, and name the copy`);
  else warnIfMisplaced(name, where, problems);
}

function checkQuery({ values, blocks }: Shortcut, _: Complain, { problems }: ValuesContext): void {
  const { value: block } = blocks;
  if (block === undefined || (values["type"] ?? "nlinq") !== "nlinq" || isTemplate(block.code)) return;
  try {
    queryScript(block.code);
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    const message = `the query cannot be read: ${error.message}`;
    problems.error(/[.?]$/.test(message) ? message : `${message}.`, placeAt(block, error.offset));
  }
}
