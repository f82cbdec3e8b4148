import { nearest } from "@ojm/core/internal";
import type { Expression, SpreadElement } from "acorn";
import { CodeError, parseExpression } from "../../script/javascript.js";
import { rules } from "./rules.js";
import { evaluator, type Value } from "./values.js";

/** A rule of a check, with its parameters. */
export interface Applied {
  readonly name: string;
  readonly parameters: readonly Value[];
}

/** Makes an expression of a chain, which begins with a rule: `default` alone is a word of the language. */
const HEAD = "_.";

/**
 * Reads a chain like `toNumber.isNumber.default(5)`.
 *
 * @throws CodeError that says what is wrong, and where in the chain
 */
export function readChain(chain: string): Applied[] {
  if (!/^\s*[A-Za-z]/.test(chain)) {
    throw new CodeError(`${JSON.stringify(chain)} is no check. Write for example isString`, 0);
  }
  try {
    return links(parsed(chain));
  } catch (error) {
    throw error instanceof CodeError ? new CodeError(error.message, Math.max(0, error.offset - HEAD.length)) : error;
  }
}

function parsed(chain: string): Expression {
  try {
    return parseExpression(`${HEAD}${chain}`);
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    const help = "Write parameters as in JavaScript, texts in quotes: ('ok', \"fine\", 5)";
    throw new CodeError(`${JSON.stringify(chain)} cannot be read: ${error.message}. ${help}`, error.offset);
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
  const near = nearest(name, known);
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new CodeError(`there is no check "${name}".${hint} There are: ${known.join(", ")}`, offset);
}
