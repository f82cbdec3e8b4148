import { createRequire } from "node:module";
import type * as Acorn from "acorn";
import type { Expression, SpreadElement } from "acorn";

let acorn: typeof Acorn | undefined;

/** The parser of JavaScript, loaded on first use: most job files need no parsing. */
function javascript(): typeof Acorn {
  acorn ??= createRequire(import.meta.url)("acorn") as typeof Acorn;
  return acorn;
}

/** Calls `see` for each node, and skips those within if it returns false. A broken script has none. */
export function eachNode(code: string, see: (node: Acorn.AnyNode) => boolean): void {
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (typeof value !== "object" || value === null) return;
    const { type } = value as Partial<Acorn.Node>;
    if (type === undefined || see(value as Acorn.AnyNode)) Object.values(value).forEach(visit);
  };
  try {
    const allowed = { allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true } as const;
    visit(javascript().parse(code, { ecmaVersion: "latest", ...allowed }).body);
  } catch (error) {
    // The walk is recursive: a script that is nested too deeply stays unread.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
  }
}

/** The places of the `return`s that end a script itself, not a function in it. Characters from its start. */
export function ownReturns(code: string): number[] {
  if (!/\breturn\b/.test(code)) return [];
  const places: number[] = [];
  eachNode(code, ({ type, start }) => {
    if (/Function|Method|StaticBlock/.test(type)) return false;
    if (type === "ReturnStatement") places.push(start);
    return true;
  });
  return places;
}

/** Code that cannot be parsed, and where: characters from its start. */
export class CodeError extends Error {
  override readonly name: string = "CodeError";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export function parseExpression(code: string): Acorn.Expression {
  try {
    const parsed = javascript().parseExpressionAt(code, 0, { ecmaVersion: "latest", preserveParens: true });
    const rest = code.slice(parsed.end).trimStart();
    if (rest !== "") throw new CodeError(`${JSON.stringify(rest)} was not expected`, code.length - rest.length);
    return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser adds the place within the expression, which does not help a reader of the job file.
    const offset = Math.min((error as SyntaxError & { pos?: number }).pos ?? 0, code.length);
    const message = error.message.replace(/ \(\d+:\d+\)$/, "");
    throw new CodeError(offset >= code.trimEnd().length ? "its end is missing" : message, offset);
  }
}

/** The data of a JavaScript literal, or the text itself if it is not a literal. */
export function parseData(text: string): unknown {
  if (!/^\s*(?:[[{]|\/[/*])/.test(text)) return text;
  try {
    return dataOf(parseExpression(`(${text}\n)`));
  } catch (error) {
    if (error instanceof CodeError) return text;
    throw error;
  }
}

/** The data of a literal. Throws a CodeError for anything else: data must not run. */
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
