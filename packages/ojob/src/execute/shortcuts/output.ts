import type { Args } from "../../load/job-file.js";
import { FORMATS } from "../../plan/shortcuts/check-values.js";
import { isMap, readPath } from "../../shortcuts/values.js";
import type { ShortcutRun } from "./shortcut-run.js";
import { plainTable } from "./values/table.js";

const RESULT = "res";

/** Shortcuts that print and log. */
export const OUTPUT: Readonly<Record<string, (run: ShortcutRun) => Promise<Args> | Args>> = {
  output: async (run) => {
    const data = outputData(run);
    const format = String(run.text("format") ?? run.args["__format"] ?? run.args["__FORMAT"] ?? "human").toLowerCase();
    const { owner } = run.context;
    // What runs this file wants the data itself.
    if (format === "key") run.keep(String(run.args["__key"] ?? RESULT), data);
    else owner.output.print(`${await formatted(data, format)}\n`);
    return run.args;
  },
  print: (run) => {
    const text = run.templates.templify(run.written(), messageData(run));
    run.context.owner.output.print(`${text}\n`, run.text("level") === "error");
    return run.args;
  },
  printmd: (run) => {
    run.context.owner.output.print(run.templates.templify(run.written(), run.args));
    return run.args;
  },
  log: (run) => {
    const { host, owner } = run.context;
    const text = run.templates.templify(run.written(), messageData(run));
    const level = { warn: "WARN", error: "ERROR" } as const;
    const named = level[run.text("level") as keyof typeof level] ?? "INFO";
    owner.output.scriptLine(named, text, host.runtime.clock.now());
    return run.args;
  },
  debug: (run) => {
    const { host, owner } = run.context;
    const res = host.runtime.values.get(RESULT);
    owner.output.line("INFO", `args: ${run.shown(run.args)}`);
    owner.output.line("INFO", `res: ${run.shown(res ?? null)}`);
    return run.args;
  },
};

/** What the templates of a message are filled from: `res`, and where nobody has set it the arguments. */
function messageData(run: ShortcutRun): unknown {
  const key = run.text("key");
  const data = run.read(key ?? RESULT);
  return readPath(data === undefined && key === undefined ? run.args : data, run.text("path"));
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

/** The arguments without those that tell an output how to look. */
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
  return String((await import("../../load/yaml/yaml.js")).toYaml(data)).replace(/\n$/, "");
}
