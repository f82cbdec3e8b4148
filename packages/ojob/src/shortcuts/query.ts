import { nearest } from "@ojm/core/internal";
import type { Expression, SpreadElement } from "acorn";
import { CodeError, parseExpression } from "../script/javascript.js";
import { Query } from "../script/worker/functions/from.js";

/** A call of a query: `limit(5)`. */
interface Call {
  readonly name: string;
  readonly parameters: readonly unknown[];
}

/** Makes an expression of the calls, which begin without an object. */
const HEAD = "_.";

/** The calls of $from that take no function. */
const KNOWN: readonly string[] = Object.getOwnPropertyNames(Query.prototype).filter(
  (name) => !["constructor", "each"].includes(name),
);

/**
 * The script that makes a query like `equals(name, 'a').limit(5)` on `args.list`. As in OpenAF, a word
 * without quotes is a text.
 *
 * @throws CodeError that says what is wrong, and where in the query
 */
export function queryScript(query: string): string {
  const calls = callsOf(query.trim() === "" ? "select()" : query).map(
    ({ name, parameters }) => `.${name}(${parameters.map((one) => JSON.stringify(one)).join(", ")})`,
  );
  const result = `const found = $from(args.list)${calls.join("")};`;
  return `${result} return typeof found?.select === "function" ? found.select() : found;`;
}

function callsOf(query: string): Call[] {
  try {
    return links(parseExpression(`${HEAD}${query}`));
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    throw new CodeError(error.message, Math.max(0, error.offset - HEAD.length));
  }
}

function links(node: Expression): Call[] {
  const calls: Call[] = [];
  let rest = node;
  while (rest.type !== "Identifier") {
    if (rest.type !== "CallExpression" || rest.callee.type !== "MemberExpression" || rest.callee.computed) {
      throw new CodeError("a query is calls with dots between them: equals(name, 'a').limit(5)", rest.start);
    }
    const { property, object } = rest.callee;
    if (property.type !== "Identifier") throw new CodeError("this is no name of a call", property.start);
    calls.unshift({ name: known(property.name, property.start), parameters: rest.arguments.map(literal) });
    rest = object as Expression;
  }
  return calls;
}

function known(name: string, offset: number): string {
  if (KNOWN.includes(name)) return name;
  const near = nearest(name, KNOWN);
  throw new CodeError(`there is no call "${name}"${near === undefined ? "" : `. Did you mean ${near}?`}`, offset);
}

function literal(node: Expression | SpreadElement): unknown {
  if (node.type === "Literal" && !(node.value instanceof RegExp)) return node.value;
  if (node.type === "Identifier") return node.name;
  if (node.type === "ArrayExpression") return node.elements.map((item) => (item === null ? null : literal(item)));
  // A field within a field: holder.host
  if (node.type === "MemberExpression" && !node.computed) return `${pathOf(node.object)}.${pathOf(node.property)}`;
  if (node.type === "UnaryExpression" && node.operator === "-") {
    const value = literal(node.argument);
    // A field with a minus is sorted downwards.
    return typeof value === "number" ? -value : `-${pathOf(node.argument)}`;
  }
  throw new CodeError("only texts, numbers, true, false, null and lists are read here", node.start);
}

function pathOf(node: { readonly type: string; readonly start: number }): string {
  const path = node.type === "Identifier" || node.type === "MemberExpression" ? literal(node as Expression) : undefined;
  if (typeof path === "string") return path;
  throw new CodeError("this is no path of a field", node.start);
}
