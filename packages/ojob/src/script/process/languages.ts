import type { CodeBlock } from "../../load/jobfile.js";
import { fill } from "../../plan/template.js";
import type { Program } from "./child.js";
import { NODE_START, PYTHON_START } from "./starts.js";

type Args = Record<string, unknown>;

/** How a language is run: the program for a script of it. */
type Language = (block: CodeBlock, args: Args) => Program;

/** Longer values do not fit into one variable of the environment: the system's limit is 128 KB, name included. */
const LONGEST_VALUE = 120_000;

/** The languages that run in a process of their own. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  shell: ({ code }, args) => ({
    command: "sh",
    parameters: ["-c", fillTemplates(code, args)],
    environment: { ...process.env, ...environmentOf(args) },
  }),
  node: (block, args) => ({
    command: process.execPath,
    parameters: ["-e", NODE_START],
    message: messageFor(block, args),
  }),
  python: (block, args) => ({
    command: "python3",
    parameters: ["-u", "-c", PYTHON_START],
    message: messageFor(block, args),
  }),
};

/** The language that runs in a script thread. */
export const JAVASCRIPT = "js";

/** All languages that `lang` may name. */
export function languageNames(): string[] {
  return [JAVASCRIPT, ...Object.keys(LANGUAGES)];
}

/** What stands for no argument stays as it is: `docker ps --format '{{.Names}}'` is none of ours. */
function fillTemplates(code: string, args: Args): string {
  // With something before it, a template that is the whole text becomes text too.
  return String(fill(` ${code}`, args, () => {})).slice(1);
}

/** The arguments whose names can be names of variables. Maps and lists are JSON. */
function environmentOf(args: Args): Record<string, string> {
  const variables = Object.entries(args).flatMap(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name) || value === undefined || value === null) return [];
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return text.length > LONGEST_VALUE || text.includes("\0") ? [] : [[name, text] as const];
  });
  return Object.fromEntries(variables);
}

function messageFor({ code, source, line }: CodeBlock, args: Args): string {
  return JSON.stringify({ code, file: source.path, line, args });
}
