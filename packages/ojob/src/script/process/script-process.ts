import { existsSync } from "node:fs";
import type { CodeBlock } from "../../load/job-file.js";
import type { JobProgress } from "../../output/live-lines.js";
import type { Level } from "../../output/log.js";
import type { Variables } from "../../text/environment.js";
import { fillScript } from "../../text/template.js";
import type { FailureData } from "../protocol.js";
import type { ScriptEnd, ScriptHost } from "../thread.js";
import { merge } from "../worker/functions/values.js";
import { ChildGroup, type Program, type ProgramEnd } from "./child.js";
import { NODE_START, PYTHON_START } from "./starts.js";

/** A script in another language, in a process of its own. */
interface ForeignScript {
  readonly block: CodeBlock;
  readonly lang: string;
  readonly job: string;
  readonly folder?: string | undefined;
  readonly variables: Variables;
  readonly noTemplate?: boolean | undefined;
  readonly shell?: string | undefined;
  readonly shellPrefix?: string | undefined;
}

export class ScriptProcess {
  readonly #script: ForeignScript;
  readonly #group: ChildGroup;
  readonly #args: Record<string, unknown>;
  #complaint = "";
  #stopped = false;

  constructor(script: ForeignScript, args: Record<string, unknown>, grace: number) {
    this.#script = script;
    this.#args = args;
    this.#group = new ChildGroup(programOf(script, args), grace);
  }

  /** Runs the script to its end. The host receives its output line by line. */
  async run(host: Omit<ScriptHost, "globals">): Promise<ScriptEnd> {
    const { folder, block, lang, shellPrefix, variables } = this.#script;
    const args = this.#args;
    const prefix = shellPrefix === undefined ? "" : `[${fillScript(shellPrefix, args, variables)}] `;
    const missing = missingFolder(folder, block);
    if (missing !== undefined) return { args, failure: missing };
    // A shell can change args only by its output.
    const printed = lang === "shell" ? new PrintedMap() : undefined;
    const show = (text: string, toError: boolean): void => {
      if (text !== "") host.print(text, toError);
    };
    const end = await this.#group.run({
      line: (text, toError, last) => {
        if (toError) this.#complaint = text;
        const whole = last ? `${text}\n` : text;
        const rest = toError ? whole : (printed?.take(whole) ?? whole);
        // As in OpenAF, the map is shown too if there is a prefix.
        show(prefix === "" ? rest : whole.replace(/^(?=[\s\S])/gm, () => prefix), toError);
      },
      room: async () => void (await host.call("room", [])),
      ...(lang !== "shell" && { said: (text: string) => hear(text, host) }),
    });
    const rest = printed?.end();
    if (prefix === "") show(rest?.shown ?? "", false);
    const answer = answerOf(end);
    const failure = end.ended ?? answer.failure ?? this.#failureOf(end);
    const handedBack = lang === "shell" ? { ...rest?.map, ...returnedValues(block.code, end.result) } : {};
    const isNothing = Object.keys(handedBack).length === 0;
    const result = isNothing ? (answer.args ?? args) : (merge(args, handedBack) as typeof args);
    return { args: result, ...(failure && { failure }) };
  }

  /** Asks it to end, by SIGTERM. */
  stop(): void {
    this.#stopped = true;
    this.#group.stop();
  }

  end(why: FailureData): void {
    this.#group.end(why);
  }

  #failureOf({ code, signal, error }: ProgramEnd): FailureData | undefined {
    const { block, lang } = this.#script;
    if (error !== undefined) return atLine(block, 1, cannotStart(lang, error));
    if (code === 0) return undefined;
    // Most scripts end by the signal. A script that catches it has no other way to report that it did not
    // finish.
    if (this.#stopped) return { name: "StopError", message: "the job was asked to stop", code: "CANCELLED" };
    const what = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    return { ...atLine(block, shellLine(this.#complaint), `the script ${what}`), exit: [code, signal] };
  }
}

/** Why a script cannot run in a folder; `undefined` if it can. */
export function missingFolder(folder: string | undefined, block: CodeBlock): FailureData | undefined {
  if (folder === undefined || existsSync(folder)) return undefined;
  return atLine(block, 1, `there is no folder ${folder} to run the script in`);
}

function programOf(script: ForeignScript, args: Record<string, unknown>): Program {
  const { block, lang, job, folder, variables, noTemplate = false, shell } = script;
  const source = lang === "shell" ? withReturn(block.code) : block.code;
  const code = noTemplate ? source : fillScript(source, args, variables);
  const program = LANGUAGES[lang]?.({ ...block, code }, args, variables, job);
  if (program === undefined) throw new Error(`there is no language "${lang}"`);
  // With a message, the script can write to file descriptor 4.
  const message = source === block.code ? {} : { message: "" };
  const place = { ...message, ...(folder !== undefined && { folder }) };
  if (shell === undefined || lang !== "shell") return { ...program, ...place };
  const [command = "", ...parameters] = shell.trim().split(/\s+/);
  return { ...program, command, parameters, input: code, ...place };
}

/** Passes on a call of `job.log` or `job.progress`. */
function hear(text: string, host: Omit<ScriptHost, "globals">): void {
  const said = JSON.parse(text) as JobProgress | { level: Level; message: string; time: number };
  if ("level" in said) host.log(said.level, said.message, said.time + host.ahead);
  else if (typeof said.done === "number") host.progress(said);
}

/** What the process reported at its end, if it got that far. */
function answerOf({ result }: ProgramEnd): Partial<ScriptEnd> {
  try {
    return JSON.parse(result) as Partial<ScriptEnd>;
  } catch {
    return {};
  }
}

function cannotStart(lang: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return `a script in ${lang} needs ${error.path ?? lang}, which is not on the PATH`;
  if (error.code === "E2BIG") return "the script and its args are too large for a command line";
  return `the script cannot be started: ${error.message}`;
}

/** The line of the script that a shell names in its messages: `sh: 3: foo: not found`, `sh: line 3: …`. */
function shellLine(complaint: string): number {
  const named = /(?:^|\n)\S*sh: (?:line )?(\d+): [^\n]*\n$/.exec(complaint);
  return Number(named?.[1] ?? 1);
}

function atLine(block: CodeBlock, line: number, message: string): FailureData {
  return { name: "JobError", message, stack: `at ${block.source.path}:${block.line + line - 1}:1` };
}

type Args = Record<string, unknown>;

/** The program that runs a script, with filled templates, for the job of this name. */
type Language = (block: CodeBlock, args: Args, variables: Variables, job: string) => Program;

/** The longest value of an environment variable. The system's limit is 128 KB, including the name. */
const LONGEST_VALUE = 120_000;

const LANGUAGES: Readonly<Record<string, Language>> = {
  shell: ({ code }, args, variables) => ({
    command: "sh",
    parameters: ["-c", code],
    environment: { ...variables, ...environmentOf(args) },
  }),
  node: started(process.execPath, "-e", NODE_START),
  python: started("python3", "-u", "-c", PYTHON_START),
};

/** A program that starts with code of ours, and gets the script as a message. */
function started(command: string, ...parameters: string[]): Language {
  return ({ code, source, line }, args, environment, name) => {
    const message = JSON.stringify({ code, file: source.path, line, args, name });
    return { command, parameters, environment, message };
  };
}

export const JAVASCRIPT = "js";

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

/** A longer map is output, not a result for args, in characters. */
const LONGEST = 1 << 20;

/** Finds the JSON map that a shell script prints, as in OpenAF. All other output is shown as it comes. */
export class PrintedMap {
  #state: "before" | "within" | "after" | "none" = "before";
  /** Output that is held back because it may be the map. */
  #held = "";
  #start = 0;
  #depth = 0;
  #value: Record<string, unknown> | undefined;

  /** Takes a piece of the output that ends with a line break, and returns what to show now. */
  take(text: string): string {
    return text.split(/(?<=\n)/).reduce((shown, line) => shown + this.#line(line), "");
  }

  /** The map, if the output had one, and the rest of what to show. */
  end(): { readonly map?: Record<string, unknown>; readonly shown: string } {
    const map = this.#value ?? (this.#state === "within" ? this.#parse() : undefined);
    return map === undefined ? { shown: this.#held } : { map, shown: "" };
  }

  #line(line: string): string {
    if (this.#state === "none") return line;
    if (this.#state === "after") return line.includes("}") ? this.#giveUp(line) : line;
    if (this.#state === "before") {
      const start = line.search(/[{[]/);
      if (start < 0) return line;
      // A text in braces that is surely not JSON must not hold back the output of hours.
      if (!/^\{\s*(?:["}]|$)/.test(line.slice(start))) return this.#giveUp(line);
      this.#state = "within";
      this.#start = start;
    }
    this.#held += line;
    if (this.#held.length > LONGEST) return this.#giveUp("");
    this.#depth += line.split("{").length - line.split("}").length;
    // Parse only when braces are balanced: parsing at each line would take quadratic time.
    this.#value = this.#depth <= 0 && line.includes("}") ? this.#parse() : undefined;
    if (this.#value !== undefined) this.#state = "after";
    return "";
  }

  #giveUp(line: string): string {
    const shown = this.#held + line;
    this.#state = "none";
    this.#held = "";
    this.#value = undefined;
    return shown;
  }

  #parse(): Record<string, unknown> | undefined {
    try {
      const text = this.#held.slice(this.#start, this.#held.lastIndexOf("}") + 1);
      return JSON.parse(text) as Record<string, unknown>;
    } catch {
      return undefined;
    }
  }
}

/** The last line of a shell script that names variables to hand back, as in OpenAF: `# return a, b`. */
const RETURN = /(?:^|\s)#[^\S\n]+return ([^\n]+?)\s*$/;

export function returnedNames(code: string): { readonly name: string; readonly offset: number }[] {
  const found = RETURN.exec(code);
  if (found === null) return [];
  const [, list = ""] = found;
  const start = found.index + found[0].lastIndexOf(list);
  let offset = start;
  return list.split(",").map((part) => {
    const name = { name: part.trim(), offset: offset + (part.length - part.trimStart().length) };
    offset += part.length + 1;
    return name;
  });
}

/** The script with a last line that writes the variables to descriptor 4, each ended by a zero byte. */
function withReturn(code: string): string {
  const values = returnedNames(code).map(({ name }) => `"\${${name}}"`);
  if (values.length === 0) return code;
  // A value cannot contain a zero byte, but it can contain any quote.
  return code.replace(RETURN, () => `\nprintf '%s\\000' ${values.join(" ")} >&4`);
}

/** The values that a script has handed back, by name. `undefined` if it did not get that far. */
function returnedValues(code: string, written: string): Record<string, string> | undefined {
  const names = returnedNames(code);
  const values = written.split("\0");
  if (names.length === 0 || values.length <= names.length) return undefined;
  return Object.fromEntries(names.map(({ name }, index) => [name, values[index] ?? ""]));
}
