import type { CommandGroups, CommandSpec } from "../command-line/spec.js";
import {
  CONFIG,
  commonOptions,
  ENVIRONMENT,
  EXIT_CODES,
  JSON_ERRORS,
  optionTerm,
  PASSWORDS,
  PLACEHOLDERS,
  pageOf,
  RELATIVE,
  sentence,
  TITLE,
} from "./facts.js";

/** The page ojm(1), in the macros of man(7). */
export function manPage(groups: CommandGroups): string {
  const lines = [
    '.\\" Made from the table of commands by: npx vitest run packages/cli/src/reference \\-\\-update',
    '.TH OJM 1 "" "ojm" "ojm"',
    ".SH NAME",
    `ojm \\- ${plain(TITLE)}`,
    ".SH SYNOPSIS",
    ".B ojm",
    "\\fICOMMAND\\fR [\\fIWORD\\fR ...] [\\fIOPTION\\fR ...]",
    ".SH DESCRIPTION",
    plain("To see how a command is used: ojm help COMMAND."),
    ...paragraph(PLACEHOLDERS),
    ...groups.flatMap(([title, all]) => [`.SH ${quoted(title.toUpperCase())}`, ...all.flatMap(command)]),
    ".SH OPTIONS OF MANY COMMANDS",
    ...terms(commonOptions(groups).map(([name, option]) => [optionTerm(name, option), sentence(option.text)])),
    ".SH EXIT STATUS",
    ...terms(EXIT_CODES.map(({ code, text }) => [code, text])),
    ...paragraph(JSON_ERRORS),
    ".SH ENVIRONMENT",
    ...terms(ENVIRONMENT),
    ".SH FILES",
    plain(CONFIG),
    ...paragraph(RELATIVE),
    ...paragraph(PASSWORDS),
  ];
  return `${lines.join("\n")}\n`;
}

function command(spec: CommandSpec): string[] {
  const { title, synopsis, summary, blocks, options, common, codes, examples } = pageOf(spec);
  return [
    `.SS ${quoted(title)}`,
    // No hyphenation: the synopsis breaks only between its words.
    ".nh",
    `\\fB${plain(synopsis)}\\fR`,
    ".hy",
    ...paragraph(summary),
    ...blocks.flatMap(({ isCode, text }) => (isCode ? verbatim(text) : paragraph(text))),
    ...terms(options),
    ...(common.length === 0 ? [] : paragraph(`Also ${common.join(", ")}.`)),
    ...paragraph(codes),
    ...(examples.length === 0 ? [] : verbatim(examples.join("\n"))),
  ];
}

const paragraph = (text: string): string[] => [".PP", plain(text)];

const terms = (items: readonly (readonly [string, string])[]): string[] =>
  items.flatMap(([term, text]) => [".TP", `\\fB${plain(term)}\\fR`, plain(text)]);

/** Lines that stay as they are. */
const verbatim = (text: string): string[] => [".PP", ".RS 4", ".nf", ...text.split("\n").map(plain), ".fi", ".RE"];

const quoted = (text: string): string => `"${plain(text).replaceAll('"', "\\(dq")}"`;

/** Escapes a text for the formatter: a line that starts with a dot would be a macro. */
function plain(text: string): string {
  const escaped = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...").replace(/^['.]/, "\\&$&");
  const other = /[^\n -~]/.exec(escaped);
  if (other === null) return escaped;
  throw new Error(`the man page is ASCII, for every terminal: "${other[0]}" in "${text}" is not`);
}
