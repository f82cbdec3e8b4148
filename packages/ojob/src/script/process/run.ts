import { existsSync } from "node:fs";
import type { CodeBlock } from "../../load/job-file.js";
import type { JobProgress } from "../../output/live-lines.js";
import type { Level } from "../../output/log.js";
import type { Variables } from "../../text/environment.js";
import { fillScript } from "../../text/template.js";
import type { FailureData } from "../protocol.js";
import type { ScriptEnd, ScriptHost } from "../thread.js";
import { merge } from "../worker/functions/merge.js";
import { ChildGroup, type Program, type ProgramEnd } from "./child.js";
import { LANGUAGES } from "./languages.js";
import { PrintedMap } from "./printed-map.js";
import { returnedValues, withReturn } from "./returned.js";

/** A script in another language, in a process of its own. */
export interface ForeignScript {
  readonly block: CodeBlock;
  readonly lang: string;
  /** The name of its job. */
  readonly job: string;
  readonly folder?: string | undefined;
  /** The environment of its process. */
  readonly variables: Variables;
  /** Templates in the script stay as they are written. */
  readonly noTemplate?: boolean | undefined;
  /** The program that reads a shell script from its input, with its parameters. Default: `sh`. */
  readonly shell?: string | undefined;
  /** Stands in brackets before each line of a shell script. */
  readonly shellPrefix?: string | undefined;
}

/** The process of a script. */
export class ScriptProcess {
  readonly #script: ForeignScript;
  readonly #group: ChildGroup;
  readonly #args: Record<string, unknown>;
  #complaint = "";
  #stopped = false;

  /** `grace` is how long it has to end after it was told to, in ms. */
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
    // A shell has no other way to change args than its output.
    const printed = lang === "shell" ? new PrintedMap() : undefined;
    const show = (text: string, toError: boolean): void => {
      if (text !== "") host.print(text, toError);
    };
    const end = await this.#group.run({
      line: (text, toError, last) => {
        if (toError) this.#complaint = text;
        const whole = last ? `${text}\n` : text;
        const rest = toError ? whole : (printed?.take(whole) ?? whole);
        // As in OpenAF, with a prefix the map is shown too.
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

  /** Ends the process and everything that it started. */
  end(why: FailureData): void {
    this.#group.end(why);
  }

  #failureOf({ code, signal, error }: ProgramEnd): FailureData | undefined {
    const { block, lang } = this.#script;
    if (error !== undefined) return atStart(block, cannotStart(lang, error));
    if (code === 0) return undefined;
    // Most scripts end by the signal. One that catches it has no other way to say that it did not get done.
    if (this.#stopped) return { name: "StopError", message: "the job was asked to stop", code: "CANCELLED" };
    const what = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    return atLine(block, shellLine(this.#complaint), `the script ${what}`);
  }
}

/** Why a script cannot run in a folder; `undefined` if it can. */
export function missingFolder(folder: string | undefined, block: CodeBlock): FailureData | undefined {
  if (folder === undefined || existsSync(folder)) return undefined;
  return atStart(block, `there is no folder ${folder} to run the script in`);
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

/** Passes on what a script told by `job.log` or `job.progress`. */
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

function atStart(block: CodeBlock, message: string): FailureData {
  return atLine(block, 1, message);
}

function atLine(block: CodeBlock, line: number, message: string): FailureData {
  return { name: "JobError", message, stack: `at ${block.source.path}:${block.line + line - 1}:1` };
}
