import { createRequire } from "node:module";
import type Handlebars from "handlebars";
import type { HelperDelegate, HelperOptions } from "handlebars";
import type { Args } from "../load/job-file.js";
import { type Variables, variableOf } from "./environment.js";

/** `${x}`, `${x:-default}`, `${x:?message}`. `$` escapes it, as in compose files, and `\`, as in OpenAF. */
const VARIABLE = /([$\\]?)\$\{([\p{L}_][\p{L}\p{N}_.-]*?)(?::([-?])([^{}]*))?\}/gu;

/** Delimits the number of a value until the templates are filled. */
const MARK = "\u0000";

/** Receives each variable or template without a value, and the message of a `${x:?message}`. */
export type MissingValue = (written: string, message?: string) => void;

interface Filling {
  readonly missing: MissingValue;
  /** Whether a variable without a value stays. Otherwise it becomes an empty text. */
  readonly keep: boolean;
  readonly variables: Variables;
}

/**
 * Fills the variables and templates of a text of the job file. A variable is another argument, as in OpenAF,
 * or a variable of the environment. One without a value becomes an empty text, or stays with `keep`.
 */
function fillText(text: string, data: unknown, filling: Filling): unknown {
  const { missing, keep, variables } = filling;
  const template = (path: string): void => missing(`{{${path}}}`);
  if (!text.includes("${")) return fill(text, data, template, variables);
  const [whole] = text.matchAll(VARIABLE);
  if (whole?.[0] === text && whole[1] === "") {
    const value = find(whole, data, filling);
    return value === undefined && keep ? text : value;
  }
  const values: string[] = [];
  // A value is data: templates in it must not be filled, so it is inserted after them.
  const marked = text.replace(VARIABLE, (...match) => {
    const [all, escaped] = match as string[];
    const value = escaped ? all?.slice(1) : find(match as string[], data, filling);
    values.push(value === undefined ? (keep ? (all ?? "") : "") : toText(value));
    return `${MARK}${values.length - 1}${MARK}`;
  });
  const filled = fill(marked, data, template, variables);
  if (typeof filled !== "string") return filled;
  // Every second part is the number of a value.
  return filled
    .split(MARK)
    .map((part, index) => (index % 2 === 0 ? part : values[Number(part)]))
    .join("");
}

/** Fills the variables of a text from the environment alone. One without a value becomes an empty text. */
export function fillVariables(text: string, variables: Variables, missing: MissingValue): string {
  if (!text.includes("${")) return text;
  return text.replace(VARIABLE, (...match) => {
    const [all = "", escaped] = match as string[];
    if (escaped) return all.slice(1);
    return String(find(match as string[], {}, { variables, missing, keep: false }) ?? "");
  });
}

function find([all = "", , name = "", kind, rest]: readonly string[], data: unknown, filling: Filling): unknown {
  const { variables, missing } = filling;
  // As in a shell, an empty environment variable counts as unset if the file has a default or a message for
  // it.
  const environment = variableOf(variables, name);
  const value = valueAt(data, name) ?? (kind !== undefined && environment === "" ? undefined : environment);
  if (value !== undefined) return value;
  if (kind === "-") return rest;
  if (kind === "?") missing(all, rest?.trim() || "it is required");
  else missing(all);
  return undefined;
}

export function toText(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

export function fillAll(value: unknown, data: unknown, filling: Filling): unknown {
  if (typeof value === "string") return fillText(value, data, filling);
  if (Array.isArray(value)) return value.map((item) => fillAll(item, data, filling));
  // Only plain maps have templates. A Date or a Buffer that a script passed on does not.
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillAll(item, data, filling)]));
}

export function requiredText(argument: string, written: string, message: string): string {
  return `${requiredHead(written, message)}, or as an argument: "${argument}" needs it.`;
}

/** The same for a variable that only the environment fills. */
export function requiredVariable(written: string, message: string): string {
  return `${requiredHead(written, message)}.`;
}

function requiredHead(written: string, message: string): string {
  const name = /[^${]+?(?=:)/.exec(written)?.[0] ?? written;
  return `${message.replace(/\.$/, "")}. Set ${name} in the environment`;
}

const TEMPLATE = /\{\{\{?\s*([\p{L}\p{N}_$.[\]-]+)\s*\}?\}\}/gu;

/** A block, or a call of a known helper. `{{.Names}}` is Docker's, and `{{$x := .}}` Go's: both stay. */
const BLOCK =
  /\{\{\{?~?\s*(?:[#^]|(?:lookup|\$(?:nvl|stringify|stringifyInLine|toJSON|env|number|boolean|string|date|isoDate|keys|values|len|repeat|range|concat|nl|pass)?)(?=[\s}~]))/;

/** Whether only Handlebars can fill the text: it has blocks, calls of helpers, or escaped braces. */
export function hasBlocks(text: string): boolean {
  return text.includes("{{") && (BLOCK.test(text) || text.includes("\\{{"));
}

/** The path of the template that is the whole text; `undefined` if the text is anything else. */
export function wholeTemplate(text: unknown): string | undefined {
  if (typeof text !== "string" || !text.includes("{{")) return undefined;
  const [whole] = text.matchAll(TEMPLATE);
  return whole?.[0] === text ? whole[1] : undefined;
}

export function hasTemplate(value: unknown): boolean {
  return typeof value === "string" && value.includes("{{");
}

/** The first template that is left in a text, as it is written, even one that nothing can fill. */
export function firstTemplate(text: string): string | undefined {
  return /\{\{[^{}]*\}\}|\$\{[^{}]*\}/.exec(text)?.[0];
}

/**
 * Fills the `{{templates}}` of a text. A template that is the whole text becomes the value itself, so that a
 * number stays a number. A template without a value stays as written, and `missing` receives its path.
 * `variables` are what the helper `$env` reads. Default: the environment of this thread.
 */
export function fill(text: string, data: unknown, missing: (path: string) => void, variables?: Variables): unknown {
  if (!text.includes("{{")) return text;
  const whole = wholeTemplate(text);
  if (whole !== undefined) {
    const value = valueAt(data, whole);
    if (value === undefined) missing(whole);
    return value ?? text;
  }
  if (hasBlocks(text)) return fillBlocks(text, data, { html: false, missing, variables });
  return text.replace(TEMPLATE, (template, path: string) => {
    const value = valueAt(data, path);
    if (value === undefined) missing(path);
    return value === undefined ? template : toText(value);
  });
}

/** Fills the templates of a script. The result is a text. Templates without a value stay as written. */
export function fillScript(code: string, args: unknown, variables: Variables): string {
  // With a character before it, even a template that is the whole text becomes text.
  return String(fill(` ${code}`, args, () => {}, variables)).slice(1);
}

type Instance = typeof Handlebars;

let loaded: Instance | undefined;

/** Handlebars takes 30 ms to load, as much as a whole start may cost: only a text with a block needs it. */
function handlebars(): Instance {
  if (loaded !== undefined) return loaded;
  const { create } = createRequire(import.meta.url)("handlebars") as Instance;
  loaded = create();
  // The helper `log` writes to the console of this process, past the log.
  loaded.unregisterHelper("log");
  for (const [name, helper] of Object.entries(HELPERS)) loaded.registerHelper(name, helper);
  return loaded;
}

function isHelper(name: string): boolean {
  return Object.hasOwn(handlebars().helpers, name);
}

interface BlockFilling {
  /** Whether `{{x}}` is for HTML. `{{{x}}}` never is. */
  readonly html: boolean;
  /** Receives the path of each template without a value, which stays as written. Default: it is left out. */
  readonly missing?: (path: string) => void;
  /** What the helper `$env` reads. Default: the environment of this thread. */
  readonly variables?: Variables | undefined;
  readonly helpers?: Readonly<Record<string, HelperDelegate>>;
}

export function fillBlocks(text: string, data: unknown, filling: BlockFilling): string {
  const { html, missing, variables = process.env, helpers = {} } = filling;
  const tree = parse(text);
  if (missing !== undefined) keepMissing(tree, text, data, missing);
  const template = handlebars().compile(tree, { noEscape: !html });
  // Prototypes are not data. Setting this explicitly keeps Handlebars from printing a warning.
  const safe = { allowProtoMethodsByDefault: false, allowProtoPropertiesByDefault: false };
  return template(asData(data), { ...safe, helpers: { ...helpers }, data: { variables } });
}

/** The problem of a template, and its line. `more` are helpers that this template has. */
export function wrongTemplate(
  text: string,
  more: readonly string[] = [],
): { readonly message: string; readonly line: number } | undefined {
  try {
    const unknown = unknownHelper(parse(text), more);
    return unknown && { message: `there is no helper "${unknown.name}" for templates`, line: unknown.line };
  } catch (error) {
    const { message } = error as Error;
    return { message, line: Number(/^in line (\d+)/.exec(message)?.[1] ?? 1) };
  }
}

function parse(text: string): hbs.AST.Program {
  try {
    return handlebars().parse(text);
  } catch (error) {
    // "Parse error on line 2:" with the reason in the last line, or "if doesn't match each - 2:3".
    const { message } = error as Error;
    const line = /^Parse error on line (\d+)|- (\d+):\d+$/.exec(message);
    const reason = (message.split("\n").at(-1) ?? "").replace(/ - \d+:\d+$/, "");
    throw new Error(`in line ${line?.[1] ?? line?.[2] ?? 1}, ${reason}. Write \\{{ for braces that are not a template`);
  }
}

function unknownHelper(
  tree: hbs.AST.Program,
  more: readonly string[],
): { readonly name: string; readonly line: number } | undefined {
  for (const node of nodesIn(tree)) {
    if (!/^(?:MustacheStatement|BlockStatement|SubExpression)$/.test(node.type)) continue;
    const { path, params, loc } = node as hbs.AST.SubExpression;
    const name = String((path as hbs.AST.PathExpression).original);
    if (params.length > 0 && !isHelper(name) && !more.includes(name)) return { name, line: loc.start.line };
  }
  return undefined;
}

/** A node and all nodes within it. */
function nodesIn(value: unknown): hbs.AST.Node[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(nodesIn);
  return "type" in value ? [value as hbs.AST.Node, ...inner] : inner;
}

/** Turns templates without a value outside of blocks into text. Those in blocks are known only later. */
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

/** A copy whose maps and lists become JSON in a text, as in templates without blocks. */
export function asData(value: unknown, done: Map<object, unknown> = new Map()): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (done.has(value)) return done.get(value);
  const isList = Array.isArray(value);
  if (!isList && Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: object = isList ? [] : {};
  done.set(value, copy);
  for (const [key, item] of Object.entries(value)) {
    const field = { value: asData(item, done), enumerable: true, configurable: true, writable: true };
    Object.defineProperty(copy, key, field);
  }
  Object.defineProperty(copy, "toString", { value: () => JSON.stringify(value), enumerable: false });
  return copy;
}

interface Switch {
  readonly value: unknown;
  done: boolean;
}

function orElse(value: unknown, otherwise: unknown): unknown {
  return value ?? (isOptions(otherwise) ? undefined : otherwise);
}

/** Handlebars passes its options after the arguments, so they stand where an argument is missing. */
function isOptions(value: unknown): value is HelperOptions {
  return typeof value === "object" && value !== null && "hash" in value && "data" in value;
}

/** The environment that the caller of the template has named. */
function variablesOf(options: unknown): Variables {
  return isOptions(options) ? options.data.variables : {};
}

function content(options: HelperOptions, context: unknown, otherwise: unknown): unknown {
  return typeof options.fn === "function" ? options.fn(context) : otherwise;
}

/** Helpers that OpenAF gives to each template, those that need nothing but Node. */
const HELPERS: Readonly<Record<string, HelperDelegate>> = {
  $: orElse,
  $nvl: orElse,
  $stringify: (value: unknown) => JSON.stringify(value, null, 2),
  $toJSON: (value: unknown) => JSON.stringify(value, null, 2),
  $stringifyInLine: (value: unknown) => JSON.stringify(value),
  $env: (name: unknown, ...rest: unknown[]) => orElse(variableOf(variablesOf(rest.at(-1)), String(name)), rest[0]),
  $number: (value: unknown) => Number(value),
  $boolean: (value: unknown) => (typeof value === "string" ? value.trim().toLowerCase() === "true" : Boolean(value)),
  $string: (value: unknown) => String(value),
  $date: (value: unknown) => new Date(value as string),
  $isoDate: (value: unknown) => new Date(value as string).toISOString(),
  $keys: (value: unknown) => Object.keys(value ?? {}),
  $values: (value: unknown) => Object.values(value ?? {}),
  $len: (value: unknown) => (value as { length?: number } | undefined)?.length,
  $repeat: (times: unknown, text: unknown) => String(text).repeat(Number(times)),
  $range: (...given: unknown[]) => {
    const [count = 1, start = 1, step = 1] = given.filter((value) => typeof value === "number");
    return Array.from({ length: count }, (_, index) => (index + start) * step);
  },
  $concat: (...given: unknown[]) => given.filter((value) => typeof value === "string").join(""),
  $nl: () => "\n",
  $pass: () => "",
  $p: (value: unknown) => value,
  $switch(this: unknown, value: unknown, options: HelperOptions) {
    return options.fn(this, { data: { ...options.data, switch: { value, done: false } } });
  },
  $case(this: unknown, value: unknown, options: HelperOptions) {
    const state = options.data?.switch as Switch | undefined;
    // Texts of a template are compared with numbers of the data, as in OpenAF.
    if (state === undefined || String(state.value) !== String(value)) return "";
    state.done = true;
    return content(options, this, true);
  },
  $default(this: unknown, value: unknown, options: HelperOptions | undefined) {
    const used = isOptions(value) ? value : options;
    if ((used?.data?.switch as Switch | undefined)?.done !== false) return "";
    return isOptions(value) ? content(value, this, "") : value;
  },
};

/** The escapes for a value in two braces, as in Handlebars and OpenAF. */
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
  "`": "&#x60;",
  "=": "&#x3D;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`=]/g, (one) => ESCAPES[one] ?? one);
}

/** The value at a path like `order.items.0.id`. `undefined` if the path leads nowhere. */
export function valueAt(data: unknown, path: string): unknown {
  let value: unknown = data;
  for (const part of path.replace(/\[(\d+)\]/g, ".$1").split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

export function withValue(map: unknown, path: string, value: unknown): Args {
  return replaced(map, path.split("."), value);
}

function replaced(map: unknown, [key = "", ...rest]: readonly string[], value: unknown): Args {
  const base = isMap(map) ? map : {};
  const inner = Object.hasOwn(base, key) ? base[key] : undefined;
  return { ...base, [key]: rest.length === 0 ? value : replaced(inner, rest, value) };
}

export function isMap(value: unknown): value is Args {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
