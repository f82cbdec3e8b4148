import type { CodeBlock } from "../../load/job-file.js";
import type { Variables } from "../../text/environment.js";
import type { Program } from "./child.js";
import { NODE_START, PYTHON_START } from "./starts.js";

type Args = Record<string, unknown>;

/**
 * The program that runs a script of a language, in this environment, for the job of this name. Templates in
 * the script are filled.
 */
type Language = (block: CodeBlock, args: Args, variables: Variables, job: string) => Program;

/**
 * The longest value of a variable of the environment. The system's limit is 128 KB, including the name.
 */
const LONGEST_VALUE = 120_000;

/** The languages that run in processes of their own. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  shell: ({ code }, args, variables) => ({
    command: "sh",
    parameters: ["-c", code],
    environment: { ...variables, ...environmentOf(args) },
  }),
  node: (block, args, variables, job) => ({
    command: process.execPath,
    parameters: ["-e", NODE_START],
    environment: variables,
    message: messageFor(block, args, job),
  }),
  python: (block, args, variables, job) => ({
    command: "python3",
    parameters: ["-u", "-c", PYTHON_START],
    environment: variables,
    message: messageFor(block, args, job),
  }),
};

/** The language that runs in a script thread. */
export const JAVASCRIPT = "js";

/** All languages that `lang` may name. */
export function languageNames(): string[] {
  return [JAVASCRIPT, ...Object.keys(LANGUAGES)];
}

/** The arguments whose names can be names of variables. Maps and lists become JSON. */
function environmentOf(args: Args): Record<string, string> {
  const variables = Object.entries(args).flatMap(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name) || value === undefined || value === null) return [];
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return text.length > LONGEST_VALUE || text.includes("\0") ? [] : [[name, text] as const];
  });
  return Object.fromEntries(variables);
}

function messageFor({ code, source, line }: CodeBlock, args: Args, name: string): string {
  return JSON.stringify({ code, file: source.path, line, args, name });
}
