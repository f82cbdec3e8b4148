import { isSecretName } from "@ojm/core/internal";
import type { Args } from "../../load/job-file.js";
import type { Variables } from "../../text/environment.js";
import { shownArgs } from "../../text/secrets.js";
import { valueAt } from "../../text/value-at.js";
import { type Applied, readChain } from "./chain.js";
import { rules } from "./rules.js";
import type { CheckedJob, Value } from "./values.js";

/** The check of one argument. */
export interface Check {
  /** The argument's name, or a path into it. */
  readonly path: string;
  readonly rules: readonly Applied[];
  /** Present if the argument may be absent: the value that it gets then. */
  readonly otherwise?: Value;
}

/**
 * Reads the check of one argument: a chain like `toNumber.isNumber.default(5)`. Its parameters are evaluated
 * when the arguments are checked.
 *
 * @throws CodeError that says what is wrong, and where in the chain
 */
export function readCheck(path: string, chain: string): Check {
  const applied = readChain(chain);
  const otherwise = applied.find(({ name }) => name === "default");
  return {
    path,
    rules: applied.filter(({ name }) => name !== "default"),
    ...(otherwise && { otherwise: otherwise.parameters[0] ?? (() => undefined) }),
  };
}

/** How arguments are checked. */
export interface Checking {
  /** What they are called in messages. */
  readonly what: string;
  /** The environment. Default: that of the process. */
  readonly variables?: Variables;
  /** Masks secrets in a value that is shown. */
  readonly hide?: (text: string) => string;
  /** Arguments that are missing may come later. */
  readonly awaited?: boolean;
}

/**
 * Checks arguments: fills in defaults and converts values.
 *
 * @throws Error that names the argument and what is wrong with it
 */
export function applyChecks(checks: readonly Check[], args: Args, checking: Checking): Args {
  const { what, variables = process.env, awaited = false } = checking;
  let checked = args;
  for (const { path, rules: applied, otherwise } of checks) {
    const value = valueAt(checked, path);
    if (value === undefined || value === null) {
      if (otherwise === undefined && awaited) continue;
      if (otherwise === undefined) throw new Error(`the ${what} "${path}" is missing`);
      const given = otherwise({ args: checked, variables });
      if (given !== undefined) checked = withValue(checked, path.split("."), given);
      continue;
    }
    const job = { args: checked, variables };
    const result = applied.reduce<unknown>((current, rule) => applyRule(rule, current, job, path, checking), value);
    if (result !== value) checked = withValue(checked, path.split("."), result);
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

/**
 * A copy with another value at the path. The original belongs to the job file, and the next run uses it.
 */
function withValue(map: Args, [key = "", ...rest]: readonly string[], value: unknown): Args {
  const inner = map[key];
  const base = typeof inner === "object" && inner !== null && !Array.isArray(inner) ? (inner as Args) : {};
  return { ...map, [key]: rest.length === 0 ? value : withValue(base, rest, value) };
}
