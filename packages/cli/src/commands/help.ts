import { partsOf, unknownCommand } from "../command-line/parse.js";
import type { CommandGroups, CommandSpec, Given } from "../command-line/spec.js";
import { print } from "../output/print.js";
import { fold, outputWidth } from "../output/width/width.js";
import { blocksOf, exitCodesInBrief, optionTerm, synopsis } from "../reference/facts.js";

const WIDTH = 100;
const INDENT = 24;

/** Below this width, a description is on its own lines below its term. */
const NARROW = 60;
const NARROW_INDENT = 6;
const LEAST = 20;

const width = (): number => Math.max(LEAST, Math.min(WIDTH, outputWidth()));

const WHICH =
  "How a command is used: ojm help COMMAND. Which store: --store, OJM_STORE or ojm.config.json; see ojm help ps.";
/** Prints the help of the program, or of one command. */
export async function execute({ operands }: Given, groups: CommandGroups): Promise<number> {
  if (operands.length === 0) print(general(groups));
  else print(await known(operands.join(" "), groups));
  return 0;
}

async function known(words: string, groups: CommandGroups): Promise<string> {
  const all = groups.flatMap(([, commands]) => commands);
  const names = all.map((one) => one.name);
  const spec = all.find((one) => one.name === words);
  if (spec !== undefined) return helpOf(spec);
  if (partsOf(words, names).length === 0) throw await unknownCommand(words, names);
  return `${list(all.filter((one) => one.name.startsWith(`${words} `)))}
${wrap(`How one of them is used: ojm help ${words} COMMAND.`, 0)}`;
}

/** Commands, each with its operands and its summary. */
const list = (all: readonly CommandSpec[]): string =>
  all.map(({ name, operands, summary }) => row(`${name} ${operands}`.trim(), summary)).join("");

function general(groups: CommandGroups): string {
  const lists = groups.map(([title, all]) => `${title}:\n${list(all)}`);
  return `${wrap("ojm runs job files and any command, and never runs a job of the same name twice at once.", 0)}
${lists.join("\n")}
${wrap(WHICH, 0)}
${wrap(exitCodesInBrief(), 0)}`;
}

function helpOf(spec: CommandSpec): string {
  const { name, options, summary, about } = spec;
  const first = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  const rows = Object.entries(options).map(([option, one]) => row(optionTerm(option, one), one.text));
  const own = name === "run" ? [] : [row("-h, --help", "show this")];
  const parts = [
    wrap(synopsis(spec), 4),
    wrap(first, 0),
    ...(about === undefined ? [] : [aboutText(about)]),
    [...rows, ...own].join(""),
  ];
  return parts.join("\n");
}

/** The text of a command about itself. Indented lines are examples to copy, and stay as they are. */
function aboutText(about: string): string {
  const indented = (text: string): string => `${text.replace(/^/gm, "  ")}\n`;
  return blocksOf(about)
    .map(({ isCode, text }) => (isCode ? indented(text) : wrap(text, 0)))
    .join("\n");
}

/** A term with its description beside it. */
function row(term: string, text: string): string {
  if (width() < NARROW) {
    const indent = " ".repeat(NARROW_INDENT);
    const below = fold(text, width() - NARROW_INDENT).map((line) => `${indent}${line}\n`);
    return [...fold(term, width() - 2).map((line) => `  ${line}\n`), ...below].join("");
  }
  const [first = "", ...more] = fold(text, width() - INDENT);
  const begin = `  ${term}`.padEnd(INDENT - 1);
  const lines = begin.length >= INDENT ? [begin, `${" ".repeat(INDENT)}${first}`] : [`${begin} ${first}`];
  return [...lines, ...more.map((line) => `${" ".repeat(INDENT)}${line}`)]
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

function wrap(text: string, indent: number): string {
  return fold(text, width() - indent)
    .map((line, i) => `${i === 0 ? "" : " ".repeat(indent)}${line}\n`)
    .join("");
}
