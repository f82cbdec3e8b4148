import { parseArgs } from "node:util";
import { CommandError } from "../errors.js";
import type { CommandSpec, Given, OptionSpecs } from "./spec.js";

const HELP: readonly string[] = ["--help", "-h"];

/** The command that the words name, and the words after it. */
export async function readCommand(
  words: readonly string[],
  known: readonly string[],
): Promise<{ readonly name: string; readonly rest: readonly string[] }> {
  const [first, ...rest] = words;
  if (first === undefined || HELP.includes(first)) return { name: "help", rest: [] };
  if (first === "--version" || first === "-v") return { name: "version", rest: [] };
  if (known.includes(first)) return asksForHelp(first, rest) ? { name: "help", rest: [first] } : { name: first, rest };
  const parts = partsOf(first, known);
  if (parts.length > 0) return readPart(first, parts, rest);
  if (/\.(ya?ml|json)$/.test(first)) {
    // Imported here: a known command does not wait for it.
    const { ojmCommand } = await import("@ojm/core/internal");
    throw new CommandError(`"${first}" is not a command. Did you mean: ${ojmCommand("run", first)}`);
  }
  throw await unknownCommand(first, known);
}

/** The second words of the commands whose names begin with this word, such as those of `ojm queue`. */
export function partsOf(first: string, known: readonly string[]): readonly string[] {
  return known.flatMap((name) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : []));
}

async function readPart(
  first: string,
  parts: readonly string[],
  [second, ...rest]: readonly string[],
): Promise<{ readonly name: string; readonly rest: readonly string[] }> {
  if (second === undefined || HELP.includes(second)) return { name: "help", rest: [first] };
  if (!parts.includes(second)) {
    const text = `ojm ${first} has no command "${second}".${await hint(second, parts)} It has: ${parts.join(", ")}`;
    throw new CommandError(`${text}. More: ojm help ${first}`);
  }
  const name = `${first} ${second}`;
  return asksForHelp(name, rest) ? { name: "help", rest: [first, second] } : { name, rest };
}

/** The error for an unknown command. */
export async function unknownCommand(name: string, known: readonly string[]): Promise<CommandError> {
  const shown = known.filter((one) => !one.startsWith("_"));
  const text = `there is no command "${name}".${await hint(name, shown)} Commands: ${shown.join(", ")}. More: ojm --help`;
  return new CommandError(text);
}

/**
 * Whether the words ask for the help of the command. `ojm run FILE --help` asks for the help of the file, and
 * words after `--` are for another program.
 */
function asksForHelp(command: string, rest: readonly string[]): boolean {
  const end = rest.indexOf("--");
  const own = end < 0 ? rest : rest.slice(0, end);
  if (!own.some((word) => HELP.includes(word))) return false;
  return command !== "run" || own.every((word) => word.startsWith("-"));
}

/** A suggestion for a misspelt word. Loaded only now: a correct command line does not need it. */
export async function hint(word: string, known: Iterable<string>): Promise<string> {
  const { nearest } = await import("@ojm/core/internal");
  const near = nearest(word, known);
  return near === undefined ? "" : ` Did you mean ${near}?`;
}

/** Reads the words after the name of a command. */
export async function parse(
  { name, operands, options }: Pick<CommandSpec, "name" | "operands" | "options">,
  words: readonly string[],
): Promise<Given> {
  const end = words.indexOf("--");
  const own = joined(end < 0 ? words : words.slice(0, end), options);
  const known = Object.entries(options).map(([option, { value, short }]) => {
    const type = value === undefined ? ("boolean" as const) : ("string" as const);
    return [option, { type, multiple: true, ...(short !== undefined && { short }) }] as const;
  });
  const { values, positionals } = await parseWords(name, own, options, Object.fromEntries(known));
  await checkChoices(values, options);
  const last = end < 0 ? [] : words.slice(end + 1);
  // After the two dashes comes a command, or else operands that start with a dash.
  const hasCommand = operands.includes(" -- ");
  const isFlag = (option: string): boolean => options[option]?.value === undefined;
  const given = Object.entries(values) as [string, string[]][];
  return {
    command: name,
    operands: hasCommand ? positionals : [...positionals, ...last],
    behind: hasCommand ? last : [],
    values: Object.fromEntries(given.filter(([option]) => !isFlag(option))),
    flags: new Set(given.map(([option]) => option).filter(isFlag)),
  };
}

/** Rejects a value that is not among the choices of an option, even if the command would not read it. */
async function checkChoices(values: object, options: OptionSpecs): Promise<void> {
  for (const [option, given] of Object.entries(values)) {
    const choices = options[option]?.choices;
    const wrong = choices && (given as readonly string[]).find((one) => !choices.includes(one));
    if (choices === undefined || wrong === undefined) continue;
    const near = await hint(wrong, choices);
    const text = `--${option} is one of ${choices.join(", ")}, not "${wrong}"`;
    throw new CommandError(near === "" ? text : `${text}.${near}`);
  }
}

/** Joins an option and a negative number after it, so that the error is about the value. */
function joined(words: readonly string[], options: OptionSpecs): string[] {
  const isValued = (word: string | undefined): boolean =>
    Object.entries(options).some(([name, { value, short }]) => {
      return value !== undefined && (word === `--${name}` || (short !== undefined && word === `-${short}`));
    });
  const all: string[] = [];
  for (const word of words) {
    const before = all.at(-1);
    if (/^-\d/.test(word) && isValued(before))
      all[all.length - 1] = `${before}${before?.startsWith("--") ? "=" : ""}${word}`;
    else all.push(word);
  }
  return all;
}

async function parseWords(
  command: string,
  args: readonly string[],
  options: OptionSpecs,
  known: NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>,
): Promise<{ readonly values: object; readonly positionals: readonly string[] }> {
  try {
    return parseArgs({ args: [...args], options: known, allowPositionals: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const option = /--?[^' =]+/.exec(message.slice(message.indexOf("'")))?.[0] ?? "";
    throw new CommandError(await explain(code, command, option, options));
  }
}

async function explain(
  code: string | undefined,
  command: string,
  option: string,
  options: OptionSpecs,
): Promise<string> {
  const name = option.replace(/^-+/, "");
  const long = Object.hasOwn(options, name) ? name : Object.keys(options).find((one) => options[one]?.short === name);
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" && long !== undefined) {
    return options[long]?.value === undefined
      ? `${option} takes no value`
      : `${option} needs a value. One that begins with a dash is written ${long.length === 1 ? `-${long}` : `--${long}`}=-…`;
  }
  const names = Object.keys(options).map((one) => `--${one}`);
  if (names.length === 0) return `ojm ${command} has no option ${option}. It has none.`;
  return `ojm ${command} has no option ${option}.${await hint(option, names)} It has: ${names.join(", ")}`;
}

/** The value of an option; the last one wins. */
export function lastValue({ values }: Given, option: string): string | undefined {
  return values[option]?.at(-1);
}

/** Rejects operands that a command does not take. */
export function expectNoMore({ command, operands }: Given, taken = 0): void {
  const more = operands[taken];
  if (more !== undefined) throw new CommandError(`ojm ${command} takes no further operands: "${more}" is one too many`);
}

/** The only operand of a command, if it was given. */
export function optionalOperand(given: Given): string | undefined {
  expectNoMore(given, 1);
  return given.operands[0];
}

/** The only operand of a command, which is required. */
export function operandOf(given: Given, what: string): string {
  expectNoMore(given, 1);
  return firstOperand(given, what);
}

/** The first operand of a command, which is required. */
export function firstOperand({ command, operands: [operand] }: Given, what: string): string {
  if (operand !== undefined) return operand;
  throw new CommandError(`ojm ${command} needs ${what}. See: ojm help ${command}`);
}

/**
 * Rejects a name for something new that a user could not see or type again.
 *
 * @throws CommandError
 */
export function checkNewName(name: string, of = "a job"): void {
  if (name.trim() === "") throw new CommandError(`the name of ${of} must not be blank`);
  if (name !== name.trim())
    throw new CommandError(`the name of ${of} must not begin or end with a blank, as "${name}"`);
}
