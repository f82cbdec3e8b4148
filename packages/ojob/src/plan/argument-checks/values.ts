import { randomUUID } from "node:crypto";
import type { Expression, Property, SpreadElement, UnaryOperator } from "acorn";
import type { Args } from "../../load/job-file.js";
import { CodeError } from "../../script/javascript.js";
import { type Variables, variableOf } from "../../text/environment.js";

export interface CheckedJob {
  readonly args: Args;
  readonly variables: Variables;
}

/** A parameter of a check. It is evaluated again for each run of the job. */
export type Value = (job: CheckedJob) => unknown;

const CONSTANTS: Readonly<Record<string, unknown>> = {
  __: undefined,
  undefined: undefined,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
};

type Call = (parameters: readonly unknown[], variables: Variables) => unknown;

const readVariable: Call = ([name, otherwise], variables) => variableOf(variables, String(name)) ?? otherwise;

/** The functions that a parameter may call: functions of scripts that only read. */
const CALLS: Readonly<Record<string, Call>> = {
  getEnv: readVariable,
  $env: readVariable,
  now: () => Date.now(),
  nowUTC: () => Date.now(),
  genUUID: () => randomUUID(),
};

const UNARY: Partial<Record<UnaryOperator, (value: unknown) => unknown>> = {
  "-": (value) => -(value as number),
  "+": (value) => Number(value),
  "!": (value) => !value,
};

const HELP =
  "Write a value ('text', 5, true, [1, 2], { a: 1 }), args.name, getEnv(\"NAME\") or now(). Compute anything else in " +
  "the script.";

/** The value of a parameter, written as JavaScript. Only expressions without side effects are evaluated. */
export function evaluator(node: Expression | SpreadElement): Value {
  switch (node.type) {
    case "Literal":
      return constant(node.value);
    case "TemplateLiteral":
      if (node.expressions.length > 0) break;
      return constant(node.quasis[0]?.value.cooked);
    case "Identifier":
      if (Object.hasOwn(CONSTANTS, node.name)) return constant(CONSTANTS[node.name]);
      if (node.name === "args") return ({ args }) => args;
      throw refused(`${node.name} is not known here`, node, `A text stands in quotes: "${node.name}". `);
    case "ParenthesizedExpression":
      return evaluator(node.expression);
    case "ArrayExpression":
      return listOf(node.elements.map((item) => (item === null ? constant(undefined) : evaluator(item))));
    case "ObjectExpression":
      return mapOf(node.properties.map(fieldOf));
    case "UnaryExpression":
      return unary(node);
    case "MemberExpression":
      return member(node);
    case "CallExpression":
      return call(node);
    default:
  }
  throw refused(`${WORDS[node.type] ?? "this code"} is not evaluated here`, node);
}

const WORDS: Readonly<Record<string, string>> = {
  BinaryExpression: "a computation",
  LogicalExpression: "a computation",
  ConditionalExpression: "a condition",
  ArrowFunctionExpression: "a function",
  FunctionExpression: "a function",
  TemplateLiteral: "a text with code in it",
  SpreadElement: "...",
};

function refused(what: string, { start }: { readonly start: number }, hint = ""): CodeError {
  return new CodeError(`${what}. ${hint}${HELP}`, start);
}

function constant(value: unknown): Value {
  return () => value;
}

function listOf(items: readonly Value[]): Value {
  return (job) => items.map((item) => item(job));
}

function mapOf(fields: readonly (readonly [string, Value])[]): Value {
  // fromEntries defines fields, so a field "__proto__" is a field like any other.
  return (job) => Object.fromEntries(fields.map(([name, value]) => [name, value(job)]));
}

function fieldOf(field: Property | SpreadElement): readonly [string, Value] {
  if (field.type === "SpreadElement" || field.kind !== "init" || field.computed || field.method) {
    throw refused("only fields like a: 1 are evaluated here", field);
  }
  const { key } = field;
  const name = key.type === "Identifier" ? key.name : String((key as { readonly value?: unknown }).value);
  return [name, evaluator(field.value)];
}

function unary({ operator, argument, start }: Expression & { type: "UnaryExpression" }): Value {
  const apply = UNARY[operator];
  if (apply === undefined) throw refused(`${operator} is not evaluated here`, { start });
  const value = evaluator(argument);
  return (job) => apply(value(job));
}

/** A path into the arguments. Anything else could lead to a function. */
function member(node: Expression & { type: "MemberExpression" }): Value {
  const { object, property, computed } = node;
  const path = object.type === "Identifier" ? object.name === "args" : object.type === "MemberExpression";
  if (!path) throw refused("only fields of args are known here", node);
  const name = computed ? evaluator(property as Expression) : constant((property as { readonly name: string }).name);
  const owner = evaluator(object as Expression);
  return (job) => {
    const [map, field] = [owner(job), String(name(job))];
    // Only own fields: `args.constructor` is not an argument.
    return typeof map === "object" && map !== null && Object.hasOwn(map, field) ? (map as Args)[field] : undefined;
  };
}

function call(node: Expression & { type: "CallExpression" }): Value {
  const { callee, arguments: given } = node;
  const run = callee.type === "Identifier" && Object.hasOwn(CALLS, callee.name) ? CALLS[callee.name] : undefined;
  const what = callee.type === "Identifier" ? `${callee.name}()` : "this call";
  if (run === undefined) throw refused(`${what} is not evaluated here`, node);
  const parameters = listOf(given.map(evaluator));
  return (job) => run(parameters(job) as unknown[], job.variables);
}
