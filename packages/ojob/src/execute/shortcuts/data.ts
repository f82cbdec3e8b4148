import type { Args } from "../../load/job-file.js";
import { OPERATIONS } from "../../plan/shortcuts/check-values.js";
import { queryScript } from "../../plan/shortcuts/nlinq.js";
import { parseData } from "../../script/javascript.js";
import { merge } from "../../script/worker/functions/values.js";
import { isMap, readPath, withValue } from "../../shortcuts/values.js";
import type { ShortcutRun } from "./shortcut-run.js";
import { functionScript } from "./values/function-script.js";

/** The key under which OpenAF keeps what nobody names. */
const RESULT = "res";

/** Shortcuts that change the arguments, and what $set keeps. */
export const DATA: Readonly<Record<string, (run: ShortcutRun) => Promise<Args> | Args>> = {
  pass: (run) => {
    const values = (run.flag("templateArgs", true) ? run.value() : run.shortcut.values["value"]) ?? {};
    showData(run, values);
    return withPassed(run.args, values as Args);
  },
  get: (run) => {
    const value = run.read(run.text() ?? RESULT, run.text("path"));
    return run.withData(Array.isArray(value) ? { _list: value } : value);
  },
  set: (run) => {
    const path = run.text("path");
    const data = run.flag("templateArgs", true) ? run.value("data") : run.shortcut.values["data"];
    const value = path !== undefined ? readPath(run.args, path) : (withoutNulls(data) ?? run.args);
    showData(run, value);
    const key = run.text() ?? RESULT;
    if (value !== undefined && key !== "args") run.keep(key, value);
    return run.args;
  },
  unset: (run) => {
    run.context.host.runtime.values.delete(run.text() ?? RESULT);
    return run.args;
  },
  convert: async (run) => {
    const key = run.text() ?? RESULT;
    const path = run.text("inPath");
    const text = run.read(key, path);
    if (typeof text !== "string") throw new Error(`(convert) finds no text in ${key}${path ? ` at ${path}` : ""}`);
    return run.put(run.text("outKey") ?? key, run.text("outPath") ?? path, await converted(text, run.text("inFormat")));
  },
  query: async (run) => {
    const key = run.text("key") ?? RESULT;
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
  ch: onChannel,
  fn: async (run) => {
    const name = run.text() ?? "";
    const given = run.text("path") === undefined ? run.args : run.read("args", run.text("path"));
    const result = await run.context.evaluate(run.script(functionScript(name)), isMap(given) ? given : {});
    if (result === undefined) return run.args;
    const path = run.text("fnPath");
    return run.put(run.text("key") ?? RESULT, undefined, path === undefined ? result : withValue({}, path, result));
  },
};

function showData(run: ShortcutRun, data: unknown): void {
  if (!run.flag("debug")) return;
  run.context.owner.output.line("INFO", `${run.name}: ${run.shown(data)}`);
}

/** As in OpenAF, a value of null takes the argument away. */
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
  if (format === "yaml") return (await import("../../load/yaml/yaml.js")).fromYaml(text);
  if (format === "ndjson") return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [json(line)]));
  return json(text);
}

/** As in OpenAF, also what JavaScript writes: keys without quotes, texts in single quotes. */
function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const data = parseData(text);
    if (data === text) throw new Error(`(convert) cannot read the text as JSON: ${(error as Error).message}`);
    return data;
  }
}

async function queried(run: ShortcutRun, data: unknown): Promise<unknown> {
  const query = run.text() ?? "";
  if (run.text("type") === "path") return readPath(data, query);
  return run.context.evaluate(run.script(queryScript(query)), { list: data });
}

async function onChannel(run: ShortcutRun): Promise<Args> {
  const operation = (run.text("op") ?? "").toLowerCase();
  if (!OPERATIONS.includes(operation)) throw new Error(`(ch) cannot ${operation}. It can ${OPERATIONS.join(", ")}`);
  const key = run.text("key") ?? RESULT;
  const at = (path: string | undefined): unknown => (path === undefined ? undefined : run.read(key, path));
  const k = at(run.text("kpath")) ?? run.value("ks") ?? run.value("k");
  const v = at(run.text("vpath")) ?? run.value("vs") ?? run.value("v");
  const { channels } = run.context.host.runtime;
  const verb = VERBS[operation] ?? operation;
  const parameters = verb === "get" || verb === "unset" ? [k] : /^set|^unsetAll/.test(verb) ? [k, v] : [];
  const result = await channels.call(run.text() ?? "", verb, parameters);
  const name = RESULTS[verb];
  if (name === undefined) return run.args;
  const found = result ?? (verb === "get" ? {} : []);
  if (key === "args") return { ...run.args, [name]: found };
  run.keep(key, found);
  return run.args;
}

/** What a channel calls an operation. */
const VERBS: Readonly<Record<string, string>> = {
  getall: "getAll",
  setall: "setAll",
  unsetall: "unsetAll",
  getkeys: "getKeys",
};

/** The argument that gets the result of an operation. */
const RESULTS: Readonly<Record<string, string>> = { get: "_map", getAll: "_list", getKeys: "_list", size: "size" };
