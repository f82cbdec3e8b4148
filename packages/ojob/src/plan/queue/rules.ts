import type { Args } from "../../load/job-file.js";
import { compile } from "../../script/compile.js";
import { isMap, valueAt } from "../../text/template.js";

/** A rule as it is written, and the expression for which it stands. */
export interface Rule {
  readonly rule: string;
  readonly job: string;
}

/** A rule with its `{{x}}` as variables: elements of the list {@link VALUES}. */
interface RuleExpression {
  readonly code: string;
  /** The path of each variable; `@` stands for all arguments. */
  readonly paths: readonly string[];
  /** Whether a `{{x}}` has quotes around it, which are not needed. */
  readonly isQuoted: boolean;
}

/** The list with the values of the `{{x}}` of a rule. */
export const VALUES = "$values";

const TEMPLATE = /\{\{\{?\s*(@|[\p{L}\p{N}_$.[\]-]+)\s*\}?\}\}/gu;

/** A text of JavaScript. */
const TEXT = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/gsu;

/**
 * Reads a rule. Its `{{x}}` are variables, so data is never read as code. One within quotes is a text.
 *
 * @throws Error if it is not an expression, or if a text has a `{{x}}` among other characters
 */
export function readRule(rule: string): RuleExpression {
  const paths: string[] = [];
  const filled = (text: string, as = ""): string =>
    text.replace(TEMPLATE, (_, path: string) => `${as}(${VALUES}[${paths.push(path) - 1}])`);
  let isQuoted = false;
  const pieces: string[] = [];
  let end = 0;
  for (const { 0: text, index } of rule.matchAll(TEXT)) {
    pieces.push(filled(rule.slice(end, index)));
    end = index + text.length;
    const inner = text.slice(1, -1);
    const found = [...inner.matchAll(TEMPLATE)][0];
    if (found === undefined) pieces.push(text);
    else if (found[0] === inner) {
      isQuoted = true;
      pieces.push(filled(inner, "String"));
    } else throw new Error(`${found[0]} is within the text ${text}: write + between a text and a value`);
  }
  pieces.push(filled(rule.slice(end)));
  const code = pieces.join("");
  compile({ code: `return (\n${code}\n);`, file: "rule", line: 1 }, undefined, ["args", VALUES]);
  return { code, paths, isQuoted };
}

/** The values of a rule: fields of the data, then of the arguments. */
export function valuesOf({ paths }: Pick<RuleExpression, "paths">, data: Args, args: Args): unknown[] {
  return paths.map((path) => (path === "@" ? args : (valueAt(data, path) ?? valueAt(args, path))));
}

/** @throws Error that says which rule is wrong */
export function rulesOf(written: unknown): Rule[] {
  const list = written === undefined ? [] : written;
  if (!Array.isArray(list)) throw new Error('"rules" must be a list of maps, each with "rule" and "job"');
  return list.map((one, index) => {
    if (!isMap(one) || one["rule"] === undefined || typeof one["job"] !== "string")
      throw new Error(`rule ${index + 1} of "rules" must be a map with "rule", an expression, and "job", a name`);
    return { rule: String(one["rule"]), job: one["job"] };
  });
}
