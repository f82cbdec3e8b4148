import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it, vi } from "vitest";
import { prepareType } from "../packages/cli/src/backends.js";
import { commands } from "../packages/cli/src/command-line/commands.js";
import { expectNoMore, parse, readCommand } from "../packages/cli/src/command-line/parse.js";
import type { CommandSpec } from "../packages/cli/src/command-line/spec.js";
import { fileOperands } from "../packages/cli/src/store/job-file.js";
import { Ojm } from "../packages/cli/src/testing/ojm.js";
import { checkJobFile } from "../packages/ojob/src/index.js";
import { type CommandLine, commandLines } from "./support/command-lines.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The files of a folder of the repository, by their paths from its root. */
const filesOf = (folder: string, recursive = false): string[] =>
  readdirSync(join(ROOT, folder), { recursive, encoding: "utf8" }).map((name) => join(folder, name));

const documents = [
  ...filesOf(""),
  ...filesOf("docs", true),
  ...["examples", "examples/init", "examples/guide"].flatMap((folder) => filesOf(folder)),
  ...filesOf("packages").map((name) => join(name, "README.md")),
].filter((name) => /\.(md|yaml)$/.test(name) && existsSync(join(ROOT, name)));

const all = documents.flatMap((name) => commandLines(name, readFileSync(join(ROOT, name), "utf8")));

/** A placeholder for the value of an option with few values, such as WHAT, is not one of these values. */
function withChoices({ options }: CommandSpec, words: readonly string[]): string[] {
  return words.map((word, i) => {
    const { value, choices } = options[words[i - 1]?.replace(/^--/, "") ?? ""] ?? {};
    return word === value ? (choices?.[0] ?? word) : word;
  });
}

/** Reads a command line as the program does. A text may name a command alone. */
async function read(words: readonly string[]): Promise<void> {
  const { name, rest } = await readCommand(words, [...commands.keys()]);
  const spec = commands.get(name);
  if (spec === undefined) throw new Error(`there is no command ${name}`);
  const given = await parse(spec, withChoices(spec, rest));
  if (rest.length > 0 && ["run", "check"].includes(name)) fileOperands(given);
  if (spec.operands === "") expectNoMore(given);
}

describe("a command line in a document", () => {
  const shown = [...new Set(all.map(({ document, words }) => `${document}: ojm ${words.join(" ")}`))];

  it("a command line is found in blocks, code, tables and comments, and no sentence is taken for one", () => {
    const markdown = [
      "`ojm check FILE [key=value …] [--strict]` ojm is; `ojm` | `ojm run a.yaml \\| tee log`",
      "```sh",
      "$ npx @ojm/cli run a.yaml 'who=you and me'   (exit code 1)",
      "ojm schema > file && ojm --version # a remark",
      "etcdctl grant ojm readwrite",
      "```",
    ].join("\n");
    expect(commandLines("a.md", markdown).map(({ words, code }) => [code, ...words])).toEqual([
      [0, "check", "jobs.yaml", "key=value", "--strict"],
      [0, "run", "a.yaml"],
      [1, "run", "a.yaml", "who=you and me"],
      [0, "schema"],
      [0, "--version"],
    ]);
    const comments = commandLines("a.yaml", "#   npx @ojm/cli run a.yaml   (Ctrl-C ends it)\n# ojm\n");
    expect(comments.map(({ words }) => words)).toEqual([["run", "a.yaml"]]);
    expect(shown.length).toBeGreaterThan(15);
  });

  it.each([
    ["ru", "a.yaml"],
    ["history", "a.yaml", "--limt", "3"],
    ["locks", "a.yaml", "--strict"],
    ["top", "a"],
  ])("a wrong command line in a document would be found: ojm %s %s %s", async (...words) => {
    await expect(read(words)).rejects.toMatchObject({ name: "CommandError" });
  });

  it.each(all.map(({ document, words }) => [document, words.join(" "), words] as const))(
    "a command line in a document is understood: %s: ojm %s",
    async (_document, _line, words) => {
      vi.spyOn(process.stdout, "write").mockReturnValue(true);
      await read(words);
    },
  );
});

/** Whether it runs a file of the repository that ends by itself and needs no server. */
async function canRun({ words: [, file = "", ...more] }: CommandLine): Promise<boolean> {
  const path = join(ROOT, file);
  if (!/\.ya?ml$/.test(file) || !existsSync(path)) return false;
  const text = readFileSync(path, "utf8");
  if (/^ *daemon: *true|type: *(redis|etcd)\b/m.test(text)) return false;
  const args = Object.fromEntries(more.map((word) => word.split("=", 2)));
  return (await checkJobFile(path, { args, prepare: prepareType })).periodic === 0;
}

/** Without the examples of the guide and the quick start: tests of their own run them. */
const byDocument = documents
  .filter((name) => !/^examples\/(guide\/|init\/|quick-start)/.test(name))
  .map((name) => [name, all.filter(({ document }) => document === name)] as const)
  .filter(([, lines]) => lines.length > 0);

it("a command that a message prints for a name is built by ojmCommand, which knows names that begin with a dash", () => {
  const sources = readdirSync(join(ROOT, "packages"), { recursive: true, encoding: "utf8" })
    .filter((file) => /^[^/]+\/src\/.*(?<!\.test)\.ts$/.test(file))
    .map((file) => [file, readFileSync(join(ROOT, "packages", file), "utf8")] as const);
  // The name of `ojm exec` stands before its two dashes, and cannot begin with one.
  const byHand = /ojm (?!exec )[a-z-]+ \$\{(?:shellWord\(|name\}|word\})/;
  expect(sources.flatMap(([file, text]) => (byHand.test(text) ? [file] : []))).toEqual([]);
});

describe("the command lines of each document", () => {
  it.each(byDocument)("command lines of %s that end by themselves do what it says", async (_document, lines) => {
    const runnable: CommandLine[] = [];
    for (const line of lines) if (await canRun(line)) runnable.push(line);
    if (runnable.length === 0) return;
    const folder = temporaryFolder();
    cpSync(join(ROOT, "examples"), join(folder, "examples"), {
      recursive: true,
      filter: (path) => !path.includes("backend-"),
    });
    for (const { words, code } of runnable) {
      const ended = await new Ojm(folder, words).ended;
      expect({ words, ...ended }).toMatchObject({ words, code });
    }
  });
});
