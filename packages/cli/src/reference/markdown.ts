import type { CommandGroups, CommandSpec } from "../command-line/spec.js";
import { commonOptions, optionTerm, PLACEHOLDERS, pageOf, sentence, TITLE } from "./facts.js";

/** What commands print, and what they need: the texts that are in no table. */
const OUTPUT: readonly string[] = [
  "- **A reason.** A command that affects others needs `--reason`, and asks for it on a terminal.",
  "- **JSON.** With `--json` there are no notes on stderr, and an error [is JSON](exit-codes.md#errors-as-json). `schemas/` of `@ojm/cli` has the schema of each command's output.",
  "- **Tables.** On a terminal, minor columns are dropped and text is truncated, names last; output to a file or a pipe is complete. Lists leave out the runs of ojm itself (such as 'ojm alerts'), unless you name them.",
  "- **Streams.** The output of scripts and the log go to stdout, errors and the banners of the jobs to stderr. Colours appear only on a terminal, and not with `NO_COLOR`.",
  "- **Control characters** in names, hosts and errors from a store, a driver or a job file are printed as escapes such as `\\u001b`; the output and log of scripts are printed as they are.",
  "- **Stores.** Commands that only read do not create a missing store; `exec`, `hold`, `import`, `queue define`, `queue add` and `queue work` do.",
];

/** The page docs/reference/commands.md. */
export function markdown(groups: CommandGroups): string {
  const parts = [
    "# Commands",
    "<!-- Made from the table of commands by: npx vitest run packages/cli/src/reference --update -->",
    `Every command and option of \`ojm\`: ${TITLE}. Which store a command uses: [config file](config-file.md). Which commands help during an incident: [on call](../on-call/README.md).`,
    index(groups),
    PLACEHOLDERS,
    ...groups.flatMap(([title, all]) => [`## ${title}`, ...all.flatMap(command)]),
    "## Options of many commands",
    list(commonOptions(groups).map(([name, option]) => [optionTerm(name, option), sentence(option.text)])),
    "## Output",
    OUTPUT.join("\n"),
    "## Exit codes",
    "What each code means, and errors as JSON: [Exit codes](exit-codes.md).",
    "## Environment",
    "`OJM_STORE`, `OJM_CONFIG` and the other variables: [Config file and environment](config-file.md#environment).",
  ];
  return `${parts.join("\n\n")}\n`;
}

/** What each command does, in a table with links. */
function index(groups: CommandGroups): string {
  const rows = groups.flatMap(([, all]) =>
    all.map(({ name, summary }) => `| [\`ojm ${name}\`](#ojm-${name.replaceAll(" ", "-")}) | ${summary} |`),
  );
  return ["| command | |", "|---|---|", ...rows].join("\n");
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
