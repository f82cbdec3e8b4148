import { parseArgs } from "node:util";
import { CommandError } from "./errors.js";

/** A command and the words behind it. */
export interface Command {
  readonly name: string;
  readonly rest: readonly string[];
}

const HELP: readonly string[] = ["--help", "-h"];

/** Which command the words ask for. */
export async function readCommand(words: readonly string[], known: readonly string[]): Promise<Command> {
  const [first, ...rest] = words;
  if (first === undefined || HELP.includes(first)) return { name: "help", rest: [] };
  if (first === "--version" || first === "-v") return { name: "version", rest: [] };
  if (known.includes(first)) return asksForHelp(first, rest) ? { name: "help", rest: [first] } : { name: first, rest };
  if (/\.(ya?ml|json)$/.test(first)) throw new CommandError(`"${first}" is no command. Did you mean: ojm run ${first}`);
  throw new CommandError(
    `there is no command "${first}".${await hint(first, known)} Commands: ${known.join(", ")}. More: ojm --help`,
  );
}

/** `ojm run FILE --help` is answered by the file. */
function asksForHelp(command: string, rest: readonly string[]): boolean {
  if (!rest.some((word) => HELP.includes(word))) return false;
  return command !== "run" || rest.every((word) => word.startsWith("-"));
}

/** The name that was meant. Loaded only now: a right command line needs none of it. */
export async function hint(word: string, known: readonly string[]): Promise<string> {
  const { nearest } = await import("@ojm/core/backend");
  const near = nearest(word, known);
  return near === undefined ? "" : ` Did you mean ${near}?`;
}

/** The options of a command: whether a value follows them. */
export type Options = Readonly<Record<string, "value" | "flag">>;

/** The job file, the arguments for it, and the options that a command takes. */
export interface FileCommand {
  readonly file: string;
  readonly pairs: readonly (readonly [key: string, value: string])[];
  /** The values of each option that was given. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly flags: ReadonlySet<string>;
}

/** Reads `FILE [key=value …] [--option VALUE …]`, in any order. */
export async function readFileCommand(
  command: string,
  words: readonly string[],
  options: Options,
): Promise<FileCommand> {
  const { values, positionals } = await parse(command, words, options);
  const [file, ...pairs] = positionals;
  if (file === undefined) throw new CommandError(`ojm ${command} needs a job file: ojm ${command} FILE`);
  const isFlag = (name: string): boolean => options[name] === "flag";
  return {
    file,
    pairs: pairs.map(readPair),
    values: Object.fromEntries(Object.entries(values).filter(([name]) => !isFlag(name))) as Record<string, string[]>,
    flags: new Set(Object.keys(values).filter(isFlag)),
  };
}

async function parse(command: string, words: readonly string[], options: Options) {
  const known = Object.entries(options).map(([name, kind]) => {
    const type = kind === "flag" ? ("boolean" as const) : ("string" as const);
    return [name, { type, multiple: true, ...(name === "help" && { short: "h" }) }] as const;
  });
  try {
    return parseArgs({ args: [...words], options: Object.fromEntries(known), allowPositionals: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const option = /--?[^' =]+/.exec(message.slice(message.indexOf("'")))?.[0] ?? "";
    throw new CommandError(await explain(code, command, option, options));
  }
}

async function explain(code: string | undefined, command: string, option: string, options: Options): Promise<string> {
  const name = option.replace(/^-+/, "");
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") {
    return options[name] === "flag" || name === "h" ? `${option} takes no value` : `${option} needs a value`;
  }
  const names = Object.keys(options).map((one) => `--${one}`);
  if (names.length === 0) return `ojm ${command} has no option ${option}. It has none.`;
  return `ojm ${command} has no option ${option}.${await hint(option, names)} It has: ${names.join(", ")}`;
}

function readPair(word: string): [string, string] {
  const split = word.indexOf("=");
  if (split <= 0) throw new CommandError(`"${word}" is no argument for a job file: arguments are written key=value`);
  return [word.slice(0, split), word.slice(split + 1)];
}

/** Refuses words behind a command that takes none. */
export function expectNoMore(command: string, [first]: readonly string[]): void {
  if (first !== undefined) throw new CommandError(`ojm ${command} takes nothing more, but there is "${first}"`);
}
