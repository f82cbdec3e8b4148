import { nearest } from "@ojm/core/backend";
import type { Args } from "../load/jobfile.js";
import { fromYaml } from "../load/yaml.js";
import { isSecretName, shownArgs } from "../secrets.js";
import { rules } from "./rules.js";
import { valueAt } from "./template.js";

/** A rule of a check, with what stands in its parentheses. */
interface Applied {
  readonly name: string;
  readonly parameters: readonly unknown[];
}

/** What one argument must look like. */
export interface Check {
  /** The argument's name, or a path into it. */
  readonly path: string;
  readonly rules: readonly Applied[];
  /** Whether it may be absent, and what it is then. */
  readonly otherwise?: { readonly value: unknown };
}

/**
 * Reads what `check.in` or `check.out` asks for: for each argument a chain like `toNumber.isNumber.default(5)`.
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

/** How far the parenthesis reaches that the text begins with; what is in quotes is passed over. -1 if it is not closed. */
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
    // What is written between parentheses is what YAML takes between brackets: numbers, texts in quotes, lists, maps.
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
 * The arguments after the checks: defaults filled in, values converted.
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

/** A copy in which the value at the path is another: the maps of the job file are used again by the next run. */
function withValue(map: Args, [key = "", ...rest]: readonly string[], value: unknown): Args {
  const inner = map[key];
  const base = typeof inner === "object" && inner !== null && !Array.isArray(inner) ? (inner as Args) : {};
  return { ...map, [key]: rest.length === 0 ? value : withValue(base, rest, value) };
}
