import { createRequire } from "node:module";
import type Handlebars from "handlebars";
import type { HelperDelegate } from "handlebars";
import type { Variables } from "../environment.js";
import { valueAt } from "../value-at.js";
import { HELPERS } from "./helpers.js";

type Instance = typeof Handlebars;

interface Loaded {
  readonly instance: Instance;
  readonly Visitor: Instance["Visitor"];
}

let loaded: Loaded | undefined;

/** Handlebars takes 30 ms to load, as much as a whole start may cost: only a text with a block needs it. */
function handlebars(): Loaded {
  loaded ??= load();
  return loaded;
}

function load(): Loaded {
  const { create, Visitor } = createRequire(import.meta.url)("handlebars") as Instance;
  const instance = create();
  // It writes to the console of this process, past the log.
  instance.unregisterHelper("log");
  for (const [name, helper] of Object.entries(HELPERS)) instance.registerHelper(name, helper);
  return { instance, Visitor };
}

function isHelper(name: string): boolean {
  return Object.hasOwn(handlebars().instance.helpers, name);
}

/** How a text with blocks or helpers is filled. */
export interface Filling {
  /** Whether `{{x}}` is for HTML. `{{{x}}}` never is. */
  readonly html: boolean;
  /** Receives the path of each template without a value, which stays as written. Default: it is left out. */
  readonly missing?: (path: string) => void;
  /** What the helper `$env` reads. Default: the environment of this thread. */
  readonly variables?: Variables | undefined;
  /** Helpers for this template alone. */
  readonly helpers?: Readonly<Record<string, HelperDelegate>>;
}

/**
 * Fills a template in the language of Handlebars.
 *
 * @throws Error if it is no template of Handlebars
 */
export function fillBlocks(text: string, data: unknown, filling: Filling): string {
  const { html, missing, variables = process.env, helpers = {} } = filling;
  const { instance } = handlebars();
  const tree = parse(text);
  if (missing !== undefined) keepMissing(tree, text, data, missing);
  const template = instance.compile(tree, { noEscape: !html });
  // Prototypes are no data: said here, so that Handlebars does not print a warning of its own.
  const safe = { allowProtoMethodsByDefault: false, allowProtoPropertiesByDefault: false };
  return template(asData(data), { ...safe, helpers: { ...helpers }, data: { variables } });
}

/**
 * What is wrong with a template, and in which of its lines. `undefined` if nothing is. `more` are helpers
 * that this template has.
 */
export function wrongTemplate(
  text: string,
  more: readonly string[] = [],
): { readonly message: string; readonly line: number } | undefined {
  try {
    const unknown = unknownHelper(parse(text), more);
    if (unknown === undefined) return undefined;
    return { message: `there is no helper "${unknown.name}" for templates`, line: unknown.line };
  } catch (error) {
    const { message } = error as Error;
    return { message, line: Number(/^in line (\d+)/.exec(message)?.[1] ?? 1) };
  }
}

function parse(text: string): hbs.AST.Program {
  try {
    return handlebars().instance.parse(text);
  } catch (error) {
    // "Parse error on line 2:" with the reason in the last line, or "if doesn't match each - 2:3".
    const { message } = error as Error;
    const line = /^Parse error on line (\d+)|- (\d+):\d+$/.exec(message);
    const reason = (message.split("\n").at(-1) ?? "").replace(/ - \d+:\d+$/, "");
    throw new Error(`in line ${line?.[1] ?? line?.[2] ?? 1}, ${reason}. Write \\{{ for braces that are no template`);
  }
}

function unknownHelper(
  tree: hbs.AST.Program,
  more: readonly string[],
): { readonly name: string; readonly line: number } | undefined {
  const { Visitor } = handlebars();
  let found: { name: string; line: number } | undefined;
  const look = ({ path, params, loc }: hbs.AST.MustacheStatement | hbs.AST.SubExpression): void => {
    const name = (path as hbs.AST.PathExpression).original;
    if (params.length > 0 && !isHelper(String(name)) && !more.includes(String(name)))
      found ??= { name: String(name), line: loc.start.line };
  };
  class Calls extends Visitor {
    override MustacheStatement(node: hbs.AST.MustacheStatement): void {
      look(node);
      super.MustacheStatement(node);
    }
    override SubExpression(node: hbs.AST.SubExpression): void {
      look(node);
      super.SubExpression(node);
    }
    override BlockStatement(node: hbs.AST.BlockStatement): void {
      look(node as unknown as hbs.AST.SubExpression);
      super.BlockStatement(node);
    }
  }
  new Calls().accept(tree);
  return found;
}

/**
 * Makes text of the templates without a value that stand in no block. Within a block nobody knows what they
 * mean before it runs.
 */
function keepMissing(tree: hbs.AST.Program, text: string, data: unknown, missing: (path: string) => void): void {
  const lines = text.split("\n");
  tree.body = tree.body.map((statement) => {
    if (statement.type !== "MustacheStatement") return statement;
    const { path, params, loc } = statement as hbs.AST.MustacheStatement;
    const { original, type, data: special } = path as hbs.AST.PathExpression;
    if (type !== "PathExpression" || params.length > 0 || special || isHelper(original)) return statement;
    const name = (path as hbs.AST.PathExpression).parts.join(".");
    if (name === "" || valueAt(data, name) !== undefined) return statement;
    missing(original);
    const within = lines.slice(loc.start.line - 1, loc.end.line);
    within[within.length - 1] = within.at(-1)?.slice(0, loc.end.column) ?? "";
    const written = within.join("\n").slice(loc.start.column);
    return { type: "ContentStatement", value: written, original: written, loc } as unknown as hbs.AST.ContentStatement;
  });
}

/** A copy in which a map or a list that is put into a text becomes JSON, as in templates without blocks. */
export function asData(value: unknown, done: Map<object, unknown> = new Map()): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (done.has(value)) return done.get(value);
  const isList = Array.isArray(value);
  if (!isList && Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: object = isList ? [] : {};
  done.set(value, copy);
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(copy, key, {
      value: asData(item, done),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  Object.defineProperty(copy, "toString", { value: () => JSON.stringify(value), enumerable: false });
  return copy;
}
