import { readFile, writeFile } from "node:fs/promises";
import type { Args } from "../../load/job-file.js";
import { merge } from "../../script/worker/functions/values.js";
import { isMap, readPath, withValue } from "../../shortcuts/values.js";
import type { ShortcutRun } from "./shortcut-run.js";

const RESULT = "res";

/** Shortcuts that read, write and run files. */
export const FILES: Readonly<Record<string, (run: ShortcutRun) => Promise<Args>>> = {
  fileget: async (run) => {
    const file = run.path() ?? "";
    if (!/\.(?:ya?ml|json)$/i.test(file)) throw new Error(`(fileget) reads YAML and JSON files, and not ${file}`);
    const data = readPath(await run.dataOf(file), run.text("path"));
    const out = run.text("out");
    if (out !== undefined) return withValue(run.args, out, data);
    return run.put(run.text("key") ?? RESULT, undefined, data);
  },
  run: runFile,
  runfile: runFile,
  template: async (run) => {
    const data = await dataFor(run);
    const file = run.path("templateFile");
    const template = file === undefined ? await templateOf(run) : await readFile(file, "utf8");
    const text = run.templates.templify(template, data);
    const output = run.path("outputFile");
    if (output !== undefined) {
      await writeFile(output, text);
      return run.args;
    }
    const key = run.text("out") ?? RESULT;
    const path = run.text("outPath");
    if (key === "args") return withValue(run.args, path ?? "output", text);
    const result = path === undefined ? {} : withValue({}, path, text);
    return run.put(key, undefined, { ...result, output: text });
  },
  findReplace: async (run) => {
    const value = run.value();
    const replacements = isMap(value) ? value : run.read(run.text() ?? RESULT, run.text("path"));
    if (!isMap(replacements)) throw new Error("(findReplace) needs a map: { what: by what }");
    const content = await contentOf(run);
    const text = run.flag("useRegExp") ? await byPatterns(run, content, replacements) : byTexts(content, replacements);
    const output = run.path("outputFile");
    if (output === undefined) return { ...run.args, output: text };
    await writeFile(output, text);
    return run.args;
  },
};

/**
 * Runs another job file. As in OpenAF, what that file hands to its output with the format `key` is kept under
 * the key, and with the keys `res` and `args` it becomes arguments.
 */
async function runFile(run: ShortcutRun): Promise<Args> {
  const { host } = run.context;
  const key = run.text("key") ?? RESULT;
  const id = key === "args" ? host.runtime.clock.random(12) : key;
  const written = run.flag("templateArgs") ? run.value("args") : run.shortcut.values["args"];
  const more = run.text("inKey") === undefined ? {} : run.read(run.text("inKey") ?? "");
  const args = merge(merge(written ?? {}, more ?? {}), { __format: "key", __key: id }) as Args;
  if (run.flag("debug")) run.context.owner.output.line("INFO", `${run.name}: ${run.shown(args)}`);
  const { at } = run.shortcut;
  await run.context.runFile({ at, typeArgs: { file: run.path() ?? "" } }, args);
  if (key !== "args" && key !== RESULT) return run.args;
  const result = run.read(id);
  if (key === "args") host.runtime.values.delete(id);
  return isMap(result) ? run.withData(result) : run.args;
}

async function dataFor(run: ShortcutRun): Promise<unknown> {
  const file = run.path("dataFile");
  if (file !== undefined) return run.dataOf(file);
  return run.value("data") ?? run.read(run.text("key") ?? RESULT, run.text("dpath")) ?? run.args;
}

async function templateOf(run: ShortcutRun): Promise<string> {
  if (run.shortcut.values["value"] !== undefined) return run.written();
  const key = run.text("key") ?? RESULT;
  const template = run.read(key, run.text("tpath"));
  if (typeof template === "string") return template;
  throw new Error("(template) finds no template: write it behind the shortcut, or name ((templateFile))");
}

async function contentOf(run: ShortcutRun): Promise<string> {
  const file = run.path("inputFile");
  const key = run.text("inputKey");
  if (key === undefined && file !== undefined) return readFile(file, "utf8");
  const content = run.read(key ?? RESULT, run.text("inputPath"));
  if (typeof content === "string") return content;
  throw new Error(`(findReplace) finds no text in ${key}`);
}

function byTexts(content: string, replacements: Args): string {
  return Object.entries(replacements).reduce((text, [what, by]) => text.replaceAll(what, () => String(by)), content);
}

/** In a script thread: a pattern may take for ever, and this thread keeps the locks. */
async function byPatterns(run: ShortcutRun, content: string, replacements: Args): Promise<string> {
  const code = `
    let text = args.content;
    for (const [what, by] of Object.entries(args.replacements)) {
      text = text.replace(new RegExp(what, args.flags), String(by));
    }
    return text;`;
  const args = { content, replacements, flags: run.text("flagsRegExp") ?? "g" };
  return String(await run.context.evaluate(run.script(code), args));
}
