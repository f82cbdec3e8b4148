import { type Fields, isMap } from "../data/types.js";
import { cp, mkdir, mv, rename, rm } from "../io/files.js";
import { fromJSSLON } from "../text/slon.js";
import { fromYAML, jsonParse } from "../text/texts.js";
import { thread } from "../thread.js";

/** A command for a shell, or a program with its parameters. */
type Command = string | readonly string[];

/** The output of a command, and how it ended. */
interface ShellResult {
  readonly stdout: unknown;
  readonly stderr: unknown;
  readonly exitcode: number;
  readonly cmd: Command;
  readonly in?: unknown;
}

interface Queued {
  readonly cmd: Command;
  readonly in?: unknown;
}

/** How ojm runs a command. */
interface Options {
  readonly quiet?: boolean;
  readonly directory?: unknown;
  readonly stdin?: unknown;
  readonly env?: unknown;
  readonly timeout?: unknown;
  readonly prefix?: string;
}

function run(
  { cmd, in: stdin }: Queued,
  options: Options,
): Pick<ShellResult, "exitcode"> & Record<"stdout" | "stderr", string> {
  const given = Object.entries({ ...options, stdin }).filter(([, value]) => value !== undefined && value !== null);
  const { stdout, stderr, exitcode } = thread.sh(cmd, Object.fromEntries(given)) as ReturnType<typeof run>;
  return { stdout, stderr, exitcode };
}

/** Commands that are run one after the other: `$sh("ls").sh("date").pwd("/tmp").get(0).stdout`. */
class Shell {
  readonly #queue: Queued[] = [];
  #options: Options = {};
  #prefix: string | undefined;
  #after: ((result: ShellResult) => unknown) | undefined;

  constructor(command?: Command, stdin?: unknown) {
    this.sh(command, stdin);
  }

  static {
    for (const [name, change] of Object.entries({ mkdir, mv, cp, rename, rm })) {
      const value = function (this: Shell, from: string, to: string): Shell {
        change(from, to);
        return this;
      };
      Object.defineProperty(Shell.prototype, name, { value, writable: true, configurable: true });
    }
  }

  /** Adds a command. */
  sh(command?: Command, stdin?: unknown): this {
    if (command !== undefined) this.#queue.push({ cmd: command, ...(stdin !== undefined && { in: stdin }) });
    return this;
  }

  /** The folder in which the commands run. */
  pwd(folder: unknown): this {
    return this.#set({ directory: folder });
  }

  /** The environment of the commands: these variables, and with `existing` those of this process too. */
  envs(variables: Fields = {}, existing?: unknown): this {
    return this.#set({ env: existing ? { ...process.env, ...variables } : variables });
  }

  /** Ends a command that takes longer, in ms. */
  timeout(ms: unknown): this {
    return this.#set({ timeout: ms });
  }

  /** Makes `get` show each output line of a running command with this prefix. */
  prefix(prefix: string = "sh", template: string = "[{{prefix}}] "): this {
    this.#prefix = thread.templify(template, { prefix });
    return this;
  }

  /** Calls a function with each result. If it returns false, no further command runs. */
  exit(after: (result: ShellResult) => unknown): this {
    this.#after = after;
    return this;
  }

  useEncoding(encoding: unknown): this {
    if (!/^utf-?8$/i.test(String(encoding))) throw new Error(`$sh reads UTF-8 here, not ${String(encoding)}`);
    return this;
  }

  dontWait(flag: unknown): this {
    if (flag)
      throw new Error('$sh waits for a command here. In the background it runs as "command &", until its job ends');
    return this;
  }

  cb(): never {
    throw new Error("$sh calls no function while a command runs here: use what get() returns");
  }

  exitcb(): never {
    throw new Error("$sh calls no function while a command runs here: use timeout(ms)");
  }

  /** Runs the commands and returns their output: a list, or one result with an index. */
  get(index?: unknown): ShellResult | ShellResult[] {
    const shown = this.#prefix === undefined ? { quiet: true } : { prefix: this.#prefix };
    return this.#run(index, (one) => run(one, { ...this.#options, ...shown }));
  }

  /** Runs the commands and shows their output. */
  exec(index?: unknown): ShellResult | ShellResult[] {
    return this.#run(index, (one) => ({ ...run(one, this.#options), stdout: "", stderr: "" }));
  }

  /** Like {@link get}, with the JSON in the output of the commands. */
  getJson(index?: unknown): ShellResult | ShellResult[] {
    return this.#read(index, (text) => jsonParse(text, undefined, undefined, true));
  }

  getYaml(index?: unknown): ShellResult | ShellResult[] {
    return this.#read(index, (text) => (text === "" ? text : fromYAML(text)));
  }

  getJsSlon(index?: unknown): ShellResult | ShellResult[] {
    return this.#read(index, (text) => fromJSSLON(text, (json) => jsonParse(json, undefined, undefined, true)));
  }

  #read(index: unknown, parse: (text: string) => unknown): ShellResult | ShellResult[] {
    const parsed = (result: ShellResult): ShellResult => ({
      ...result,
      stdout: parse(String(result.stdout)),
      stderr: parse(String(result.stderr)),
    });
    const result = this.get(index);
    return Array.isArray(result) ? result.map(parsed) : parsed(result);
  }

  #run(index: unknown, once: (queued: Queued) => Omit<ShellResult, "cmd">): ShellResult | ShellResult[] {
    const results: ShellResult[] = [];
    for (const queued of this.#queue) {
      const result = { ...once(queued), ...queued };
      results.push(result);
      if (this.#after?.(result) === false) break;
    }
    return (typeof index === "number" ? results[index] : undefined) ?? results;
  }

  #set(options: Options): this {
    this.#options = { ...this.#options, ...options };
    return this;
  }
}

/** Changes of files, which are made at once. */
type Files = {
  readonly [Name in "mkdir" | "mv" | "cp" | "rename" | "rm"]: (path: string, to?: string) => Shell & Files;
};

/** Begins a list of commands. */
export function $sh(command?: Command, stdin?: unknown): Shell & Files {
  return new Shell(command, stdin) as Shell & Files;
}

/**
 * Runs a command as OpenAF does: `sh(command, stdin, timeout, shouldInheritIO, directory, returnMap)`. It
 * returns the output of the command, and shows nothing. With a map as second parameter, it behaves like the
 * `sh` of ojm.
 */
export function sh(
  command: Command,
  stdin?: unknown,
  timeout?: unknown,
  inherit?: unknown,
  directory?: unknown,
  returnMap?: unknown,
  callback?: unknown,
  _encoding?: unknown,
  dontWait?: unknown,
  env?: unknown,
): unknown {
  if (isMap(stdin)) return thread.sh(command, stdin);
  if (typeof callback === "function" || dontWait) {
    throw new Error("sh() takes no function here, and waits for the command: use what it returns");
  }
  const options = { quiet: !inherit, timeout, directory, env };
  const result = run({ cmd: command, in: stdin }, options);
  if (returnMap) return inherit ? { ...result, stdout: "", stderr: "" } : result;
  Object.assign(globalThis, { __exitcode: result.exitcode, __stderr: result.stderr });
  return inherit ? "" : result.stdout;
}
