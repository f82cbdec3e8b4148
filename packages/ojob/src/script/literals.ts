import type { Expression, SpreadElement } from "acorn";
import { CodeError, parseExpression } from "./javascript.js";

/** The data that a text writes as JavaScript does, or the text itself if it is anything else. */
export function parseData(text: string): unknown {
  if (!/^\s*(?:[[{]|\/[/*])/.test(text)) return text;
  try {
    return dataOf(parseExpression(`(${text}\n)`));
  } catch (error) {
    if (error instanceof CodeError) return text;
    throw error;
  }
}

/**
 * The data that an expression writes: maps, lists, texts, numbers, `true`, `false`, `null`.
 *
 * @throws CodeError if it holds anything else: data must not run
 */
function dataOf(node: Expression | SpreadElement): unknown {
  if (node.type === "ParenthesizedExpression") return dataOf(node.expression);
  if (node.type === "Literal" && !(node.value instanceof RegExp)) return node.value;
  if (node.type === "ArrayExpression") return node.elements.map((item) => (item === null ? null : dataOf(item)));
  if (node.type === "ObjectExpression") {
    // fromEntries defines fields, so a field "__proto__" is a field like any other.
    return Object.fromEntries(node.properties.map(fieldOf));
  }
  if (node.type === "UnaryExpression" && node.argument.type === "Literal" && typeof node.argument.value === "number") {
    if (node.operator === "-") return -node.argument.value;
    if (node.operator === "+") return node.argument.value;
  }
  throw new CodeError("only data is read here", node.start);
}

function fieldOf(field: (Expression & { type: "ObjectExpression" })["properties"][number]): readonly [string, unknown] {
  if (field.type === "SpreadElement" || field.kind !== "init" || field.computed || field.method || field.shorthand) {
    throw new CodeError("only fields like a: 1 are read here", field.start);
  }
  const { key } = field;
  const name = key.type === "Identifier" ? key.name : String((key as { readonly value?: unknown }).value);
  return [name, dataOf(field.value)];
}
