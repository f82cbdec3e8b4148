import { partsOf } from "../../command-line/parse.js";
import type { CommandGroups, CommandSpec, OptionSpec } from "../../command-line/spec.js";

/** What completes a position of the command line: words of a list, files, or names from the store. */
export type Place = readonly string[] | "file" | "NAME" | "RUN" | "QUEUE" | "nothing";

/** An option, with the completion of its value if it is not a flag. */
export interface OptionWord {
  readonly name: string;
  readonly short?: string;
  readonly text: string;
  readonly value?: Place;
}

/** A command, with the completion of its operand. */
export interface CommandWord {
  /** Two words for one of the commands of a subject, such as `queue add`. */
  readonly name: string;
  readonly summary: string;
  readonly operand: Place;
  readonly options: readonly OptionWord[];
}

/** All that the shells complete, from the table of commands. */
export function words(groups: CommandGroups): readonly CommandWord[] {
  const all = groups.flatMap(([, commands]) => commands);
  const names = all.map((one) => one.name);
  const firsts = [...new Set(names.map((name) => name.replace(/ .*/, "")))];
  const subjects = firsts.flatMap((name): CommandWord[] => {
    const operand = partsOf(name, names);
    return operand.length === 0 ? [] : [{ name, summary: `${operand.join(", ")}`, operand, options: [HELP] }];
  });
  const commands = all.map(({ name, summary, operands, options }) => ({
    name,
    summary,
    operand: name === "help" ? firsts : placeOf(operands),
    options: [...Object.entries(options).map(([option, spec]) => optionWord(option, spec)), HELP].filter(
      (option, i, them) => them.findIndex((one) => one.name === option.name) === i,
    ),
  }));
  return [...subjects, ...commands];
}

const HELP: OptionWord = { name: "help", text: "show how it is used" };

/** The first words of the commands that have two: the second one is part of the name. */
export function subjectsOf(commands: readonly CommandWord[]): readonly string[] {
  return commands.flatMap(({ name }) => (commands.some((one) => one.name.startsWith(`${name} `)) ? [name] : []));
}

/** The commands that the first word of a line can be. */
export function firstWords(commands: readonly CommandWord[]): readonly CommandWord[] {
  return commands.filter(({ name }) => !name.includes(" "));
}

function optionWord(name: string, { value, short, choices, text }: OptionSpec): OptionWord {
  const place = choices ?? (name === "store" ? "file" : placeOf(value ?? ""));
  return {
    name,
    text: text.split(/[.:;] /)[0]?.replace(/\.$/, "") ?? "",
    ...(short !== undefined && { short }),
    ...(value !== undefined && { value: name === "profile" ? "nothing" : place }),
  };
}

/** The completion for operands, or for the value of an option, from the placeholder in the help. */
function placeOf(text: CommandSpec["operands"]): Place {
  const [first = ""] = text.replace(/[[\]]/g, "").split(" ");
  if (first === "QUEUE") return first;
  const [place = ""] = first.split("|");
  if (place === "NAME" || place === "RUN") return place;
  if (first === "FILE") return "file";
  return /^[a-z]+(\|[a-z]+)+$/.test(first) ? first.split("|") : "nothing";
}

/** Each option that takes a value, once: an option means the same in every command. */
export function valuedOptions(commands: readonly CommandWord[]): ReadonlyMap<string, Place> {
  const valued = new Map<string, Place>();
  for (const { options } of commands)
    for (const { name, short, value } of options) {
      if (value === undefined) continue;
      valued.set(`--${name}`, value);
      if (short !== undefined) valued.set(`-${short}`, value);
    }
  return valued;
}

/** A text as a word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
