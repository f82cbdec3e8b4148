import type { Args } from "../load/job-file.js";
import { anything, flag, required, text, word } from "../load/shape.js";
import { isMap } from "../text/template.js";
import { expectWord, RESULT, type ShortcutRun, type Shortcuts } from "./definition.js";
import { template } from "./files.js";
import { readPath } from "./values.js";

const key = text("The key of $get that holds the data, or args. Default: res, or args if $get has nothing under res.");
const path = text("A path in the data, or a JMESPath expression.");

const FORMATS: readonly string[] = ["json", "prettyjson", "yaml", "ndjson", "table", "text", "human"];

export const OUTPUT: Shortcuts = {
  output: {
    doc: "Prints data.",
    value: key,
    options: {
      path,
      format: text("json, prettyjson, yaml, ndjson, table or text. Default: the argument `__format`, or yaml."),
      title: text("The name for the data as a whole."),
      internal: flag("No effect: ojm puts no fields of its own into arguments."),
    },
    refused: { function: "write (print) or (log)" },
    jobs: {
      output:
        "__key=value key=value __path path __format format __title title __internal internal __function __csv __query",
    },
    check: ({ values: { format } }, complain) => expectWord(format, FORMATS, "format", complain),
    run: async (run) => {
      const data = outputData(run);
      const format = String(
        run.text("format") ?? run.args["__format"] ?? run.args["__FORMAT"] ?? "human",
      ).toLowerCase();
      // The caller of this file expects the data itself.
      if (format === "key") run.keep(String(run.args["__key"] ?? RESULT), data);
      else run.execution.output.print(`${await formatted(data, format)}\n`);
      return run.args;
    },
  },
  print: {
    doc: "Prints a text. Templates in it are filled.",
    value: required(text("The text.")),
    options: { key, path, level: word("Where to: error is the error output.", "info", "error") },
    jobs: { print: "msg=value __key __path level" },
    isTemplate: true,
    run: (run) => {
      run.execution.output.print(`${messageOf(run)}\n`, run.text("level") === "error");
      return run.args;
    },
  },
  printmd: {
    doc: "Prints a text in Markdown, as it is written. Templates in it are filled from the arguments.",
    value: required(text("The text.")),
    options: { outputMD: flag("No effect: Markdown is never rendered.") },
    jobs: { "print md": "__text=value __outputMD" },
    isTemplate: true,
    run: (run) => {
      run.execution.output.print(run.templates.templify(run.written(), run.args));
      return run.args;
    },
  },
  log: {
    doc: "Logs a text. Templates in it are filled.",
    value: required(text("The text.")),
    options: { key, path, level: word("The level.", "info", "warn", "error") },
    refused: { options: 'write "log" under "ojob"' },
    jobs: { log: "msg=value __key __path level options" },
    isTemplate: true,
    run: (run) => {
      const text = messageOf(run);
      const level = { warn: "WARN", error: "ERROR" } as const;
      const named = level[run.text("level") as keyof typeof level] ?? "INFO";
      run.execution.output.scriptLine(named, text, run.engine.runtime.clock.now());
      return run.args;
    },
  },
  debug: {
    doc: "Logs the arguments, and what $get has under res. Secrets are masked.",
    value: anything("No effect."),
    options: {},
    jobs: { debug: "" },
    run: (run) => {
      const res = run.engine.runtime.values.get(RESULT);
      run.line(`args: ${run.shown(run.args)}`);
      run.line(`res: ${run.shown(res ?? null)}`);
      return run.args;
    },
  },
  template,
};

/** A message. Its templates are filled from `res`, or from the arguments if `res` is not set. */
function messageOf(run: ShortcutRun): string {
  const key = run.text("key");
  const data = run.read(key ?? RESULT);
  const from = readPath(data === undefined && key === undefined ? run.args : data, run.text("path"));
  return run.templates.templify(run.written(), from);
}

function outputData(run: ShortcutRun): unknown {
  const key = run.text();
  const found = run.read(key === undefined || key === "" ? RESULT : key);
  const whole = found === undefined || key === "args" ? withoutInternal(run.args) : found;
  const data = readPath(whole, run.text("path"));
  const inner = isMap(data) ? (data["_list"] ?? data["_map"] ?? data) : data;
  const title = run.text("title");
  return title === undefined ? inner : { [title]: inner };
}

/** The arguments without those that configure an output. */
function withoutInternal(args: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([name]) => !name.startsWith("__")));
}

async function formatted(data: unknown, format: string): Promise<string> {
  if (!FORMATS.includes(format)) throw new Error(`there is no format "${format}" of (output): ${FORMATS.join(", ")}`);
  if (format === "json") return JSON.stringify(data) ?? "";
  if (format === "prettyjson") return JSON.stringify(data, null, 2) ?? "";
  if (format === "ndjson" && Array.isArray(data)) return data.map((one) => JSON.stringify(one)).join("\n");
  if (format === "ndjson") return JSON.stringify(data) ?? "";
  if (format === "table" && (Array.isArray(data) || isMap(data))) return plainTable(data);
  if (format === "text" || typeof data !== "object" || data === null) return String(data ?? "");
  return String((await import("../load/yaml/yaml.js")).toYaml(data)).replace(/\n$/, "");
}

/** A list of maps as a table of plain text: a column for each field that one of them has. */
function plainTable(data: unknown): string {
  const rows = (Array.isArray(data) ? data : [data]).map((row): Args => (isMap(row) ? row : { value: row }));
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => fields.map((field) => cell(Object.hasOwn(row, field) ? row[field] : undefined)));
  const widths = fields.map((field, column) => Math.max(field.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join(" | ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("-+-");
  return [line(fields), rule, ...cells.map(line)].join("\n");
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.replace(/\s*\n\s*/g, " ");
}
