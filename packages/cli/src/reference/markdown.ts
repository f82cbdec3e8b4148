import type { CommandGroups, CommandSpec } from "../command-line/spec.js";
import {
  CONFIG,
  commonOptions,
  ENVIRONMENT,
  optionTerm,
  PASSWORDS,
  PLACEHOLDERS,
  pageOf,
  RELATIVE,
  sentence,
  TITLE,
} from "./facts.js";

/** The page docs/command-line.md. */
export function markdown(groups: CommandGroups): string {
  const parts = [
    "# Command line",
    "<!-- Made from the table of commands by: npx vitest run packages/cli/src/reference --update -->",
    `\`ojm\`: ${TITLE}. How to choose a store, and which commands help during an incident, is in the [README](../packages/cli/README.md) and in [On call](on-call/README.md).`,
    PLACEHOLDERS,
    ...groups.flatMap(([title, all]) => [`## ${title}`, ...all.flatMap(command)]),
    "## Options of many commands",
    list(commonOptions(groups).map(([name, option]) => [optionTerm(name, option), sentence(option.text)])),
    "## Exit codes",
    "What each code means, and errors as JSON: [Exit codes](reference/exit-codes.md).",
    "## Environment",
    list(ENVIRONMENT),
    CONFIG,
    RELATIVE,
    PASSWORDS.replace(/(export default \{.*?\})/, "`$1`"),
  ];
  return `${parts.join("\n\n")}\n`;
}

function command(spec: CommandSpec): string[] {
  const { title, synopsis, summary, blocks, options, common, codes, examples } = pageOf(spec);
  const more = common.map((option) => `\`${option}\``).join(", ");
  return [
    `### ${title}`,
    code(synopsis),
    summary,
    ...blocks.map(({ isCode, text }) => (isCode ? code(text) : text)),
    ...(options.length === 0 ? [] : [list(options)]),
    ...(more === "" ? [] : [`Also ${more}: see [Options of many commands](#options-of-many-commands).`]),
    codes,
    ...examples.map((line) => code(line, "sh")),
  ];
}

const code = (text: string, language = ""): string => `\`\`\`${language}\n${text}\n\`\`\``;

const list = (items: readonly (readonly [string, string])[]): string =>
  items.map(([term, text]) => `- \`${term}\`: ${text}`).join("\n");
