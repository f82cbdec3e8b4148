import { isSecretName } from "@ojm/core/internal";
import type { Expression, SpreadElement } from "acorn";
import type { Args, JobDefinition, JobFile } from "../../load/job-file.js";
import { placeAt } from "../../script/compile.js";
import { CodeError, parseExpression } from "../../script/javascript.js";
import type { Variables } from "../../text/environment.js";
import { didYouMean, type Position, type Problems } from "../../text/problem.js";
import { shownArgs } from "../../text/secrets.js";
import { valueAt, withValue } from "../../text/template.js";
import { rules } from "./rules.js";
import { type CheckedJob, evaluator, type Value } from "./values.js";

export interface Check {
  /** The argument's name, or a path into it. */
  readonly path: string;
  readonly rules: readonly Applied[];
  /** Present if the argument may be absent: the value that it gets then. */
  readonly otherwise?: Value;
}

/** Reads a check like `toNumber.isNumber.default(5)`. Throws a CodeError that names the place. */
export function readCheck(path: string, chain: string): Check {
  const applied = readChain(chain);
  const otherwise = applied.find(({ name }) => name === "default");
  return {
    path,
    rules: applied.filter(({ name }) => name !== "default"),
    ...(otherwise && { otherwise: otherwise.parameters[0] ?? (() => undefined) }),
  };
}

export interface Checking {
  readonly what: string;
  readonly variables?: Variables;
  /** Masks secrets in a value that is shown. */
  readonly hide?: (text: string) => string;
  /** Missing arguments may come later. */
  readonly awaited?: boolean;
}

/** Checks arguments: fills in defaults and converts values. Throws an error that names the argument. */
export function applyChecks(checks: readonly Check[], args: Args, checking: Checking): Args {
  const { what, variables = process.env, awaited = false } = checking;
  let checked = args;
  for (const { path, rules: applied, otherwise } of checks) {
    const value = valueAt(checked, path);
    if (value === undefined || value === null) {
      if (otherwise === undefined && awaited) continue;
      if (otherwise === undefined) throw new Error(`the ${what} "${path}" is missing`);
      const given = otherwise({ args: checked, variables });
      if (given !== undefined) checked = withValue(checked, path, given);
      continue;
    }
    const job = { args: checked, variables };
    const result = applied.reduce<unknown>((current, rule) => applyRule(rule, current, job, path, checking), value);
    if (result !== value) checked = withValue(checked, path, result);
  }
  return checked;
}

function applyRule(applied: Applied, value: unknown, job: CheckedJob, path: string, checking: Checking): unknown {
  const rule = rules[applied.name];
  if (rule === undefined) return value;
  const parameters = applied.parameters.map((parameter) => parameter(job));
  const result = "convert" in rule ? rule.convert(value) : rule.holds(value, parameters) ? value : undefined;
  if (result === undefined) {
    const { what, hide } = checking;
    throw new Error(`the ${what} "${path}" ${rule.not(parameters)}: ${shown(value, path, hide)}`);
  }
  return result;
}

function shown(value: unknown, path: string, hide?: (text: string) => string): string {
  // Mask before cutting: half a secret does not look like one.
  const text = path.split(".").some(isSecretName) ? "***" : shownArgs(value, [], hide);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

interface Applied {
  readonly name: string;
  readonly parameters: readonly Value[];
}

/** A prefix that makes a chain an expression even if its first rule is `default`, a reserved word. */
const HEAD = "_.";

function readChain(chain: string): Applied[] {
  if (!/^\s*[A-Za-z]/.test(chain)) {
    throw new CodeError(`${JSON.stringify(chain)} is not a check. Write for example isString`, 0);
  }
  let expression: Expression | undefined;
  try {
    expression = parseExpression(`${HEAD}${chain}`);
    return links(expression);
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    const unread = `${JSON.stringify(chain)} cannot be read: ${error.message}. Write parameters as in JavaScript, texts in quotes: ('ok', "fine", 5)`;
    throw new CodeError(expression === undefined ? unread : error.message, Math.max(0, error.offset - HEAD.length));
  }
}

/** The rules of a chain, the first one first. */
function links(node: Expression): Applied[] {
  const applied: Applied[] = [];
  let rest = node;
  while (rest.type !== "Identifier") {
    const given: readonly (Expression | SpreadElement)[] = rest.type === "CallExpression" ? rest.arguments : [];
    const called: Expression = rest.type === "CallExpression" ? (rest.callee as Expression) : rest;
    if (called.type !== "MemberExpression" || called.property.type !== "Identifier" || called.computed) {
      throw new CodeError("it must be names of checks with dots between them", called.start);
    }
    const { name, start } = called.property;
    applied.unshift({ name: knownRule(name, start), parameters: given.map(evaluator) });
    rest = called.object as Expression;
  }
  return applied;
}

function knownRule(name: string, offset: number): string {
  const known = ["default", ...Object.keys(rules)];
  if (known.includes(name)) return name;
  const hint = didYouMean(name, known, "");
  throw new CodeError(`there is no check "${name}".${hint} There are: ${known.join(", ")}`, offset);
}

/** The checks of the arguments of a job: `in` before its script, and `out` after it. */
export interface JobChecks {
  readonly in: readonly Check[];
  readonly out: readonly Check[];
  /** How many steps belong to `from`. */
  readonly from: number;
  /** How many steps come before those of `to`. */
  readonly to: number;
  /** Whether a step of `from` may set the arguments that are checked. */
  readonly late: boolean;
}

/** Reads the checks of a job, which has `steps` steps. One that cannot be read is an error at its place. */
export function planChecks(job: JobDefinition, file: JobFile, steps: number, problems: Problems): JobChecks {
  const { from, to } = job;
  return {
    in: readChecks(job, "in", problems),
    out: readChecks(job, "out", problems),
    from: from.length,
    to: steps - to.length,
    // The jobs that come with ojm set none: a missing argument is reported before they take a lock.
    late: from.some((step) => "shortcut" in step || file.jobs.get(step.job)?.builtin === undefined),
  };
}

function readChecks(job: JobDefinition, key: "in" | "out", problems: Problems): readonly Check[] {
  const written = job.check[key];
  const complain = (message: string, at: Position = job.at): void =>
    problems.error(`"check.${key}" of "${job.name}": ${message}.`, at);
  if (written === undefined || written === null) return [];
  if (typeof written !== "object" || Array.isArray(written)) {
    complain("must be a map of arguments");
    return [];
  }
  return Object.entries(written).flatMap(([path, chain]) => {
    const block = job.checkAt[`${key}.${path}`];
    if (typeof chain !== "string" || block === undefined) {
      complain(`the check of "${path}" must be a text, for example isString`);
      return [];
    }
    try {
      return [readCheck(path, chain)];
    } catch (error) {
      if (!(error instanceof CodeError)) throw error;
      complain(`"${path}": ${error.message.replace(/\.$/, "")}`, placeAt(block, error.offset));
      return [];
    }
  });
}
