import { parseArgs } from "node:util";
import { CommandError } from "./errors.js";

/** A command and the words behind it. */
export interface Command {
  readonly name: string;
  readonly rest: readonly string[];
}

/** Which command the words ask for. */
export function readCommand(words: readonly string[], known: readonly string[]): Command {
  const [first, ...rest] = words;
  if (first === undefined || first === "--help" || first === "-h") return { name: "help", rest: [] };
  if (first === "--version" || first === "-v") return { name: "version", rest: [] };
  if (rest.includes("--help") && known.includes(first)) return { name: "help", rest: [first] };
  if (known.includes(first)) return { name: first, rest };
  if (/\.(ya?ml|json)$/.test(first)) throw new CommandError(`"${first}" is no command. Did you mean: ojm run ${first}`);
  throw new CommandError(`there is no command "${first}". Commands: ${known.join(", ")}. More: ojm --help`);
}

/** The job file, the arguments for it, and the options that a command takes. */
export interface FileCommand {
  readonly file: string;
  readonly pairs: readonly (readonly [key: string, value: string])[];
  readonly options: Readonly<Record<string, readonly string[]>>;
}

/** Reads `FILE [key=value …] [--option VALUE …]`, in any order. */
export function readFileCommand(command: string, words: readonly string[], options: readonly string[]): FileCommand {
  const { values, positionals } = parse(command, words, options);
  const [file, ...pairs] = positionals;
  if (file === undefined) throw new CommandError(`ojm ${command} needs a job file: ojm ${command} FILE`);
  return { file, pairs: pairs.map(readPair), options: values };
}

function parse(command: string, words: readonly string[], names: readonly string[]) {
  const options = Object.fromEntries(names.map((name) => [name, { type: "string", multiple: true } as const]));
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true });
    return { values: values as Record<string, string[]>, positionals };
  } catch (error) {
    const option = /'(-[^' =]*)/.exec((error as Error).message)?.[1] ?? "";
    const known = names.map((name) => `--${name}`).join(", ");
    const isKnown = names.includes(option.slice(2));
    throw new CommandError(
      isKnown
        ? `${option} needs a value`
        : `ojm ${command} has no option ${option}. ${known === "" ? "It has none." : `It has: ${known}`}`,
    );
  }
}

function readPair(word: string): [string, string] {
  const split = word.indexOf("=");
  if (split <= 0) throw new CommandError(`"${word}" is no argument for a job file: arguments are written key=value`);
  return [word.slice(0, split), word.slice(split + 1)];
}
