import { readFile, writeFile } from "node:fs/promises";
import type { Args } from "../load/job-file.js";
import { anything, either, flag, record, required, text } from "../load/shape.js";
import { isMap, withValue } from "../text/template.js";
import { isTemplate, RESULT, type ShortcutDefinition, type ShortcutRun } from "./definition.js";
import { readPath } from "./values.js";

export const fileget: ShortcutDefinition = {
  doc: "Reads a YAML or JSON file.",
  value: required(text("The file.")),
  options: {
    path: text("A path in it, or a JMESPath expression. Default: all of it."),
    out: text("The argument that gets it, or a path there."),
    key: text("Without ((out)), the key for $get. Default: res."),
    cache: flag("No effect: the file is read each time."),
    ttl: text("No effect: the file is read each time."),
  },
  jobs: { "file get": "__file=value __path __cache __ttl __out __key" },
  check: ({ values: { value } }, complain) => {
    if (isTemplate(value) || isDataFile(String(value))) return;
    complain("(fileget) reads files whose names end with .yaml, .yml or .json");
  },
  run: async (run) => {
    const file = run.path() ?? "";
    if (!isDataFile(file)) throw new Error(`(fileget) reads YAML and JSON files, and not ${file}`);
    const data = readPath(await run.dataOf(file), run.text("path"));
    const out = run.text("out");
    return out === undefined ? run.put(run.key("key"), undefined, data) : withValue(run.args, out, data);
  },
};

function isDataFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name);
}

export const findReplace: ShortcutDefinition = {
  doc: "Replaces texts in a text.",
  value: either(
    "What is replaced by what: a map, or the key of $get that holds it.",
    text("The key of $get that holds the map, or args. Default: res."),
    record(anything("A value."), "What is replaced by what."),
  ),
  options: {
    path: text("The path of the map."),
    inputKey: text("The key of $get that holds the text, or args."),
    inputPath: text("The path of the text."),
    inputFile: text("The file that holds the text."),
    outputFile: text("The file for the result. Default: the argument `output`."),
    useRegExp: flag("The keys of the map are regular expressions."),
    flagsRegExp: text("The flags of these. Default: g."),
  },
  refused: { logJob: "name the job beside this shortcut" },
  jobs: {
    "find/replace": "__key=value __path inputKey inputPath inputFile outputFile useRegExp flagsRegExp logJob",
  },
  check: ({ values: { inputKey, inputFile } }, complain) => {
    if (inputKey === undefined && inputFile === undefined)
      complain("(findReplace) needs ((inputKey)) or ((inputFile))");
  },
  run: async (run) => {
    const value = run.value();
    const replacements = isMap(value) ? value : run.read(run.key(), run.text("path"));
    if (!isMap(replacements)) throw new Error("(findReplace) needs a map: { text: replacement }");
    const content = await contentOf(run);
    const text = run.flag("useRegExp") ? await byPatterns(run, content, replacements) : byTexts(content, replacements);
    const output = run.path("outputFile");
    if (output === undefined) return { ...run.args, output: text };
    await writeFile(output, text);
    return run.args;
  },
};

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

/** Runs in a script thread: a pattern may take for ever, and the main thread must renew the locks. */
async function byPatterns(run: ShortcutRun, content: string, replacements: Args): Promise<string> {
  const code = `
    let text = args.content;
    for (const [what, by] of Object.entries(args.replacements)) {
      text = text.replace(new RegExp(what, args.flags), String(by));
    }
    return text;`;
  const args = { content, replacements, flags: run.text("flagsRegExp") ?? "g" };
  return String(await run.execution.runCode(run.script(code), args));
}

export const template: ShortcutDefinition = {
  doc: "Fills a template of Handlebars.",
  value: text("The template."),
  options: {
    templateFile: text("The file that holds the template."),
    tpath: text("The path of the template in ((key))."),
    data: anything("The data."),
    dataFile: text("The YAML or JSON file that holds the data."),
    dpath: text("The path of the data in ((key))."),
    key: text("The key of $get that holds the data, and the template if none is written; or args. Default: res."),
    outputFile: text("The file for the result."),
    out: text("The key for the result, under `output`, or args. Default: res."),
    outPath: text("The path for the result."),
  },
  jobs: {
    template: "template=value templateFile data dataFile outputFile __key __tpath __dpath __outPath __out logJob",
  },
  isTemplate: true,
  run: async (run) => {
    const data = await dataFor(run);
    const file = run.path("templateFile");
    const template = file === undefined ? templateOf(run) : await readFile(file, "utf8");
    const text = run.templates.templify(template, data);
    const output = run.path("outputFile");
    if (output !== undefined) {
      await writeFile(output, text);
      return run.args;
    }
    const key = run.key("out");
    const path = run.text("outPath");
    if (key === "args") return withValue(run.args, path ?? "output", text);
    const result = path === undefined ? {} : withValue({}, path, text);
    return run.put(key, undefined, { ...result, output: text });
  },
};

async function dataFor(run: ShortcutRun): Promise<unknown> {
  const file = run.path("dataFile");
  if (file !== undefined) return run.dataOf(file);
  return run.value("data") ?? run.read(run.key("key"), run.text("dpath")) ?? run.args;
}

function templateOf(run: ShortcutRun): string {
  if (run.shortcut.values["value"] !== undefined) return run.written();
  const template = run.read(run.key("key"), run.text("tpath"));
  if (typeof template === "string") return template;
  throw new Error("(template) finds no template: write it as the value of the shortcut, or name ((templateFile))");
}
