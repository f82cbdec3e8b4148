import { nearest } from "@ojm/core/internal";
import type { Expression, SpreadElement } from "acorn";
import type { Args } from "../load/job-file.js";
import { anything, flag, record, required, type Shape, text, word } from "../load/shape.js";
import { placeAt } from "../script/compile.js";
import { CodeError, parseData, parseExpression } from "../script/javascript.js";
import { Query } from "../script/worker/functions/from.js";
import { merge } from "../script/worker/functions/values.js";
import { isMap, withValue } from "../text/template.js";
import { expectWord, isTemplate, type ShortcutDefinition, type ShortcutRun, type Shortcuts } from "./definition.js";
import { fileget, findReplace } from "./files.js";
import { secget } from "./secrets.js";
import { readPath } from "./values.js";

interface Call {
  readonly name: string;
  readonly parameters: readonly unknown[];
}

/** A prefix that makes the calls an expression: they are written without an object. */
const HEAD = "_.";

/** The calls of $from that take no function. */
const KNOWN: readonly string[] = Object.getOwnPropertyNames(Query.prototype).filter(
  (name) => !["constructor", "each"].includes(name),
);

/** The script of a query like `equals(name, 'a').limit(5)`. As in OpenAF, a bare word is a text. */
function queryScript(query: string): string {
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
    if (property.type !== "Identifier") throw new CodeError("this is not the name of a call", property.start);
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
    // A field with a minus is sorted in descending order.
    return typeof value === "number" ? -value : `-${pathOf(node.argument)}`;
  }
  throw new CodeError("only texts, numbers, true, false, null and lists are read here", node.start);
}

function pathOf(node: { readonly type: string; readonly start: number }): string {
  const path = node.type === "Identifier" || node.type === "MemberExpression" ? literal(node as Expression) : undefined;
  if (typeof path === "string") return path;
  throw new CodeError("this is not the path of a field", node.start);
}

const fields = (doc: string): Shape => record(anything("A value."), doc);

const query: ShortcutDefinition = {
  doc: "Replaces a list by the result of a query.",
  value: required(text("The query: equals(name, 'a').limit(5), or a JMESPath expression.")),
  options: {
    type: word("The language of the query. Default: nlinq, the calls of $from.", "nlinq", "path"),
    key: text("The key of $get that holds the list, or args. Default: res."),
    from: text("The path of the list."),
    to: text("With the key args, the path for the result. Default: ((from))."),
    toKey: text("The key for the result. Default: ((key))."),
  },
  jobs: { query: "__query=value __type __from from __to __toKey __key key" },
  check: ({ values, blocks: { value: block } }, _, { problems }) => {
    if (block === undefined || (values["type"] ?? "nlinq") !== "nlinq" || isTemplate(block.code)) return;
    try {
      queryScript(block.code);
    } catch (error) {
      if (!(error instanceof CodeError)) throw error;
      const message = `the query cannot be read: ${error.message}`;
      problems.error(/[.?]$/.test(message) ? message : `${message}.`, placeAt(block, error.offset));
    }
  },
  run: async (run) => {
    const key = run.key("key");
    const from = run.text("from");
    const result = await queried(run, run.read(key, from));
    const toKey = run.text("toKey");
    if (toKey !== undefined || key !== "args") {
      run.keep(toKey ?? key, result);
      return run.args;
    }
    const to = run.text("to") ?? from;
    if (to === undefined) throw new Error('(query) with the key args needs "((to))", the path for the result');
    return withValue(run.args, to, result);
  },
};

async function queried(run: ShortcutRun, data: unknown): Promise<unknown> {
  const query = run.text() ?? "";
  if (run.text("type") === "path") return readPath(data, query);
  return run.execution.runCode(run.script(queryScript(query)), { list: data });
}

export const DATA: Shortcuts = {
  pass: {
    doc: "Adds these values to the arguments.",
    value: fields("The values."),
    options: {
      templateArgs: flag("Whether templates in the values are filled. Default: true."),
      debug: flag("Log the values."),
    },
    jobs: { pass: "__args=value __debug __templateArgs" },
    run: (run) => {
      const values = (run.flag("templateArgs", true) ? run.value() : run.shortcut.values["value"]) ?? {};
      run.debug(() => `${run.name}: ${run.shown(values)}`);
      return withPassed(run.args, values as Args);
    },
  },
  get: {
    doc: "Adds a value of $set to the arguments: the fields of a map, or a list as `_list`.",
    value: text("The key. Default: res."),
    options: { path: text("A path in it, or a JMESPath expression. Default: all of it.") },
    jobs: { get: "__key=value __path" },
    run: (run) => {
      const value = run.read(run.key(), run.text("path"));
      return run.withData(Array.isArray(value) ? { _list: value } : value);
    },
  },
  set: {
    doc: "Keeps a value for $get.",
    value: text("The key. Default: res."),
    options: {
      path: text("The path of the value in the arguments. Default: all of them."),
      data: fields("The value itself."),
      templateArgs: flag("Whether templates in ((data)) are filled. Default: true."),
      debug: flag("Log the value."),
    },
    jobs: { set: "__key=value __path __data __templateArgs __debug" },
    run: (run) => {
      const path = run.text("path");
      const data = run.flag("templateArgs", true) ? run.value("data") : run.shortcut.values["data"];
      const value = path !== undefined ? readPath(run.args, path) : (withoutNulls(data) ?? run.args);
      run.debug(() => `${run.name}: ${run.shown(value)}`);
      const key = run.key();
      if (value !== undefined && key !== "args") run.keep(key, value);
      return run.args;
    },
  },
  unset: {
    doc: "Forgets what $set keeps.",
    value: text("The key. Default: res."),
    options: {},
    jobs: { unset: "__key=value" },
    run: (run) => {
      run.engine.runtime.values.delete(run.key());
      return run.args;
    },
  },
  fileget,
  secget,
  convert: {
    doc: "Parses a text as a map or a list.",
    value: text("The key of $get that holds the text, or args. Default: res."),
    options: {
      inFormat: required(word("The format of the text.", "yaml", "json", "ndjson")),
      inPath: text("The path of the text."),
      outKey: text("The key for the result. Default: that of the text."),
      outPath: text("The path for the result. Default: that of the text."),
    },
    jobs: { convert: "__inKey=value __inPath __inFormat __outPath __outKey" },
    run: async (run) => {
      const key = run.key();
      const path = run.text("inPath");
      const text = run.read(key, path);
      if (typeof text !== "string") throw new Error(`(convert) finds no text in ${key}${path ? ` at ${path}` : ""}`);
      const data = await converted(text, run.text("inFormat"));
      return run.put(run.text("outKey") ?? key, run.text("outPath") ?? path, data);
    },
  },
  query,
  findReplace,
  ch: {
    doc: "Works on a channel.",
    value: required(text("The name of the channel.")),
    options: {
      op: required(text("What to do: get, set, unset, getAll, setAll, unsetAll, getKeys or size.")),
      key: text("The key of $get for the result, and for ((kpath)) and ((vpath)), or args. Default: res."),
      k: anything("The key."),
      kpath: text("The path of the key."),
      ks: anything("The fields that are the key, for setAll and unsetAll."),
      v: anything("The value."),
      vpath: text("The path of the value."),
      vs: anything("The values, for setAll and unsetAll."),
    },
    refused: { extra: "leave it out: the channels of ojm take no such argument" },
    jobs: { channel: "__name=value __op __key __kpath __vpath key=k keys=ks value=v values=vs extra" },
    check: ({ values: { op } }, complain) => expectWord(op, OPERATIONS, "op", complain),
    run: onChannel,
  },
  fn: {
    doc: "Calls a function with the arguments that have the names of its parameters.",
    value: required(text("The name of the function.")),
    options: {
      key: text("The key of $get for the result, or args. Default: res."),
      path: text("The path of the arguments for it. Default: all arguments."),
      fnPath: text("The path for the result."),
    },
    jobs: { function: "__fn=value __key __path __fnPath" },
    code: (block) => (block.code.includes("{{") ? undefined : block),
    check: ({ values: { value } }, complain) => {
      if (isTemplate(value) || /^[\w$]+(?:\.[\w$]+)*$/.test(String(value))) return;
      complain("(fn) takes the name of a function, as in (fn): io.readFileYAML");
    },
    run: async (run) => {
      const name = run.text() ?? "";
      const given = run.text("path") === undefined ? run.args : run.read("args", run.text("path"));
      const result = await run.execution.runCode(run.script(functionScript(name)), isMap(given) ? given : {});
      if (result === undefined) return run.args;
      const path = run.text("fnPath");
      return run.put(run.key("key"), undefined, path === undefined ? result : withValue({}, path, result));
    },
  },
};

/** As in OpenAF, a value of null removes the argument. */
function withPassed(args: Args, values: Args): Args {
  const merged = Object.entries(merge(args, withoutNulls(values)) as Args);
  return Object.fromEntries(merged.filter(([name]) => !(Object.hasOwn(values, name) && values[name] === null)));
}

function withoutNulls(value: unknown): unknown {
  if (!isMap(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)]));
}

async function converted(text: string, format: string | undefined): Promise<unknown> {
  if (format === "yaml") return (await import("../load/yaml/yaml.js")).fromYaml(text);
  if (format === "ndjson") return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [json(line)]));
  return json(text);
}

/** As in OpenAF, it also reads JavaScript literals: keys without quotes, texts in single quotes. */
function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const data = parseData(text);
    if (data === text) throw new Error(`(convert) cannot read the text as JSON: ${(error as Error).message}`);
    return data;
  }
}

/** The operations of `(ch)` in lower case: OpenAF ignores case. */
const OPERATIONS: readonly string[] = ["get", "set", "unset", "getall", "setall", "unsetall", "getkeys", "size"];

/** The name of an operation in a channel. */
const VERBS: Readonly<Record<string, string>> = {
  getall: "getAll",
  setall: "setAll",
  unsetall: "unsetAll",
  getkeys: "getKeys",
};

/** The argument that gets the result of an operation. */
const RESULTS: Readonly<Record<string, string>> = { get: "_map", getAll: "_list", getKeys: "_list", size: "size" };

async function onChannel(run: ShortcutRun): Promise<Args> {
  const operation = (run.text("op") ?? "").toLowerCase();
  if (!OPERATIONS.includes(operation)) throw new Error(`(ch) cannot ${operation}. It can ${OPERATIONS.join(", ")}`);
  const key = run.key("key");
  const at = (path: string | undefined): unknown => (path === undefined ? undefined : run.read(key, path));
  const k = at(run.text("kpath")) ?? run.value("ks") ?? run.value("k");
  const v = at(run.text("vpath")) ?? run.value("vs") ?? run.value("v");
  const verb = VERBS[operation] ?? operation;
  const parameters = verb === "get" || verb === "unset" ? [k] : /^set|^unsetAll/.test(verb) ? [k, v] : [];
  const result = await run.engine.runtime.channels.call(run.text() ?? "", verb, parameters);
  const name = RESULTS[verb];
  if (name === undefined) return run.args;
  const found = result ?? (verb === "get" ? {} : []);
  if (key === "args") return { ...run.args, [name]: found };
  run.keep(key, found);
  return run.args;
}

/** The parameters that OpenAF documents for functions that ojm has too. */
const PARAMETERS: ReadonlyMap<string, readonly string[]> = new Map(
  `$get aKey; $job aJob args; $set aKey aValue; af.fromYAML aYaml; af.toYAML aJson; clone anObject; genUUID;
  getEnv anEnvironmentVariable; jsonParse aString alternative; log msg; logErr msg; logWarn msg;
  merge anObjectA anObjectB; now; nowUTC; print aStr; printErr aStr; printnl aStr; sleep millis; sprint aStr;
  stringify anObject replacer space; templify aTemplateString someData`
    .split(/;\s+/)
    .map((line) => line.split(" "))
    .map(([name = "", ...parameters]) => [name, parameters] as const),
);

/** The script that calls a function with the arguments that have the names of its parameters. */
function functionScript(name: string): string {
  const known = JSON.stringify(PARAMETERS.get(name)) ?? "undefined";
  return `
    if (typeof ${name} !== "function") throw new TypeError("(fn): ${name} is not a function");
    const source = Function.prototype.toString.call(${name});
    const [, list = ""] = /^(?:async\\s*)?(?:function\\b[^(]*|[\\w$]+\\s*)?\\(([^)]*)\\)/.exec(source)
      ?? /^(?:async\\s+)?([\\w$]+)\\s*=>/.exec(source) ?? [];
    const written = list.split(",").map((one) => one.replace(/=[^]*$/, "").replace("...", "").trim()).filter(Boolean);
    const names = ${known} ?? ${name}.parameters ?? written;
    const given = names.map((one) => args[one]);
    while (given.length > 0 && given.at(-1) === undefined) given.pop();
    if (given.length === 0 && names.length > 0) {
      throw new TypeError("(fn): ${name} takes " + names.join(", ") + ", and none of these is among the arguments");
    }
    return ${name}(...given);`;
}
