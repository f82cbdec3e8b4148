import type { CommandSpec } from "../command-line/spec.js";
import { synopsis } from "../commands/help.js";
import {
  blocksOf,
  CONFIG,
  codesOf,
  commonOptions,
  ENVIRONMENT,
  EXIT_CODES,
  examplesOf,
  groups,
  JSON_ERRORS,
  optionsOf,
  optionTerm,
  PLACEHOLDERS,
  sentence,
  TITLE,
} from "./facts.js";

/** The page ojm(1), in the macros of man(7). */
export function manPage(): string {
  const lines = [
    '.\\" Made from the table of commands by: npx vitest run packages/cli/src/reference \\-\\-update',
    '.TH OJM 1 "" "ojm" "ojm"',
    ".SH NAME",
    `ojm \\- ${plain(TITLE)}`,
    ".SH SYNOPSIS",
    ".B ojm",
    "\\fICOMMAND\\fR [\\fIWORD\\fR ...] [\\fIOPTION\\fR ...]",
    ".SH DESCRIPTION",
    plain("A command says by itself how it is used: ojm help COMMAND."),
    ...paragraph(PLACEHOLDERS),
    ...groups.flatMap(([title, all]) => [`.SH ${quoted(title.toUpperCase())}`, ...all.flatMap(command)]),
    ".SH OPTIONS OF MANY COMMANDS",
    ...terms(commonOptions().map(([name, option]) => [optionTerm(name, option), sentence(option.text)])),
    ".SH EXIT STATUS",
    ...terms(EXIT_CODES),
    ...paragraph(JSON_ERRORS),
    ".SH ENVIRONMENT",
    ...terms(ENVIRONMENT),
    ".SH FILES",
    plain(CONFIG),
  ];
  return `${lines.join("\n")}\n`;
}

function command(spec: CommandSpec): string[] {
  const { own, common } = optionsOf(spec);
  const more = common.map(([name]) => `--${name}`).join(", ");
  const examples = examplesOf(spec);
  return [
    `.SS ${quoted(`ojm ${spec.name}`)}`,
    // No line is filled here: a synopsis is broken by hand, between its words.
    ".nh",
    `\\fB${plain(synopsis(spec))}\\fR`,
    ".hy",
    ...paragraph(sentence(spec.summary)),
    ...blocksOf(spec.about ?? "").flatMap(({ isCode, text }) =>
      isCode ? verbatim(text) : text === "" ? [] : paragraph(text),
    ),
    ...terms(own.map(([name, option]) => [optionTerm(name, option), sentence(option.text)])),
    ...(more === "" ? [] : paragraph(`Also ${more}.`)),
    ...paragraph(`Exit codes: ${codesOf(spec).join(", ")}.`),
    ...(examples.length === 0 ? [] : verbatim(examples.join("\n"))),
  ];
}

const paragraph = (text: string): string[] => [".PP", plain(text)];

const terms = (items: readonly (readonly [string, string])[]): string[] =>
  items.flatMap(([term, text]) => [".TP", `\\fB${plain(term)}\\fR`, plain(text)]);

/** Lines that stand as they are. */
const verbatim = (text: string): string[] => [".PP", ".RS 4", ".nf", ...text.split("\n").map(plain), ".fi", ".RE"];

const quoted = (text: string): string => `"${plain(text).replaceAll('"', "\\(dq")}"`;

/** A text that the formatter takes as it is: without an escape, a line that begins with a dot is a macro. */
function plain(text: string): string {
  const escaped = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...").replace(/^['.]/, "\\&$&");
  const other = /[^\n -~]/.exec(escaped);
  if (other === null) return escaped;
  throw new Error(`the man page is ASCII, for every terminal: "${other[0]}" in "${text}" is not`);
}
