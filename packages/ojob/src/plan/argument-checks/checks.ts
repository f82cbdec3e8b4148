import { nearest } from "@ojm/core/backend";
import type { Args } from "../../load/job-file.js";
import { fromYaml } from "../../load/yaml/yaml.js";
import { isSecretName, shownArgs } from "../../text/secrets.js";
import { valueAt } from "../../text/value-at.js";
import { rules } from "./rules.js";

/** A rule of a check, with its parameters. */
interface Applied {
  readonly name: string;
  readonly parameters: readonly unknown[];
}

/** The check of one argument. */
export interface Check {
  /** The argument's name, or a path into it. */
  readonly path: string;
  readonly rules: readonly Applied[];
  /** Present if the argument may be absent: the value that it gets then. */
  readonly otherwise?: { readonly value: unknown };
}

/**
 * Reads `check.in` or `check.out`: for each argument a chain like `toNumber.isNumber.default(5)`.
 *
 * @throws Error that says what is wrong with which argument
 */
export function readChecks(written: unknown): Check[] {
  if (written === undefined || written === null) return [];
  if (typeof written !== "object" || Array.isArray(written)) throw new Error("must be a map of arguments");
  return Object.entries(written).map(([path, chain]) => {
    if (typeof chain !== "string") throw new Error(`what "${path}" must look like is a text, for example isString`);
    const applied = readChain(path, chain.trim());
    const otherwise = applied.find(({ name }) => name === "default");
    return {
      path,
      rules: applied.filter(({ name }) => name !== "default"),
      ...(otherwise && { otherwise: { value: otherwise.parameters[0] } }),
    };
  });
}

function readChain(path: string, chain: string): Applied[] {
  const applied: Applied[] = [];
  for (let rest = chain; rest !== ""; ) {
    const word = /^\s*([A-Za-z]+)\s*/.exec(rest);
    if (word === null) throw new Error(`"${path}": ${JSON.stringify(rest)} is no check`);
    rest = rest.slice(word[0].length);
    const end = rest.startsWith("(") ? closing(rest) : 0;
    if (end < 0) throw new Error(`"${path}": a parenthesis of ${JSON.stringify(chain)} is not closed`);
    const parameters = end > 0 ? readParameters(path, rest.slice(1, end - 1)) : [];
    applied.push({ name: knownRule(path, word[1] ?? ""), parameters });
    rest = rest
      .slice(end)
      .replace(/^\s*\.?/, "")
      .trim();
  }
  return applied;
}

/**
 * The end of the parenthesis that the text begins with, ignoring parentheses in quotes. -1 if it is not
 * closed.
 */
function closing(text: string): number {
  let depth = 0;
  for (const { 0: found, index } of text.matchAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[()]/g)) {
    if (found === "(") depth++;
    if (found === ")" && --depth === 0) return index + 1;
  }
  return -1;
}

function readParameters(path: string, text: string): unknown[] {
  try {
    // The parameters follow the rules of a YAML list: numbers, texts in quotes, lists, maps.
    return (fromYaml(`[${text}]`) as unknown[]).map((value) =>
      value === "__" || value === "undefined" ? undefined : value,
    );
  } catch {
    throw new Error(`"${path}": (${text}) cannot be read. Write texts in quotes: ('ok', "fine", 5)`);
  }
}

function knownRule(path: string, name: string): string {
  const known = ["default", ...Object.keys(rules)];
  if (known.includes(name)) return name;
  const near = nearest(name, known);
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new Error(`"${path}": there is no check "${name}".${hint} There are: ${known.join(", ")}`);
}

/**
 * Checks arguments: fills in defaults and converts values.
 *
 * @throws Error that names the argument and what is wrong with it
 */
export function applyChecks(checks: readonly Check[], args: Args, what: string): Args {
  let checked = args;
  for (const { path, rules: applied, otherwise } of checks) {
    const value = valueAt(checked, path);
    if (value === undefined || value === null) {
      if (otherwise === undefined) throw new Error(`the ${what} "${path}" is missing`);
      if (otherwise.value !== undefined) checked = withValue(checked, path.split("."), otherwise.value);
      continue;
    }
    const result = applied.reduce<unknown>((current, rule) => applyRule(rule, current, what, path), value);
    if (result !== value) checked = withValue(checked, path.split("."), result);
  }
  return checked;
}

function applyRule({ name, parameters }: Applied, value: unknown, what: string, path: string): unknown {
  const rule = rules[name];
  if (rule === undefined) return value;
  const result = "convert" in rule ? rule.convert(value) : rule.holds(value, parameters) ? value : undefined;
  if (result === undefined) throw new Error(`the ${what} "${path}" ${rule.not(parameters)}: ${shown(value, path)}`);
  return result;
}

function shown(value: unknown, path: string): string {
  const text = path.split(".").some(isSecretName) ? "***" : shownArgs(value);
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
