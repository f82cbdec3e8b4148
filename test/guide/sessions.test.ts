/**
 * The commands of the pages about job files, and their output.
 * @module-tag full
 */
import { execFile } from "node:child_process";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { commandOf } from "../../packages/cli/src/testing/ojm.js";

const DOCS = fileURLToPath(new URL("../../docs", import.meta.url));

const JOB_FILE = "reference/job-file";

const names = [
  ...readdirSync(join(DOCS, JOB_FILE)).map((page) => `${JOB_FILE}/${page}`),
  "reference/openaf-functions.md",
];

/** A command of a page, and its output. */
interface Command {
  readonly line: string;
  readonly prints: string;
}

/** What a page shows: the files whose names stand in the first lines of their blocks, and the commands. */
interface Page {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly commands: readonly Command[];
}

function readPage(name: string): Page {
  const blocks = [...readFileSync(join(DOCS, name), "utf8").matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
    ([, language = "", text = ""]) => ({ language, text }),
  );
  const files = Object.fromEntries(
    blocks.flatMap(({ text }) => {
      const file = /^# ([\w-]+\.\w+)\n/.exec(text)?.[1];
      return file === undefined ? [] : [[file, text]];
    }),
  );
  const commands = blocks
    .filter(({ language, text }) => language === "sh" && text.startsWith("$ "))
    .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
    .map((text) => {
      const end = text.indexOf("\n") + 1;
      return { line: text.slice(0, end - 1), prints: text.slice(end) };
    });
  return { name, files, commands };
}

const pages = names.map(readPage).filter(({ commands }) => commands.length > 0);

/** Times differ from run to run, and the banners of the jobs say how long each took. */
function comparable(text: string): string {
  return text.replace(/^(?:>>|<<|--) .*\n/gm, "").replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME");
}

/** The output of a shell for a command line, in a folder with the files of a page. */
function typed({ files }: Page, line: string): Promise<string> {
  const main = commandOf([])
    .map((word) => `"${word}"`)
    .join(" ");
  const bin = folderWith({ ojm: `#!/bin/sh\nexec ${main} "$@"\n` });
  chmodSync(`${bin}/ojm`, 0o755);
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  return new Promise((resolve) => {
    execFile("sh", ["-c", `exec 2>&1; ${line}`], { cwd: folderWith(files), env }, (_error, stdout) => resolve(stdout));
  });
}

it("the pages about job files have sessions, and every file of such a page is used in one", () => {
  const unused = pages.flatMap(({ name, files, commands }) => {
    const used = commands.map(({ line }) => line).join("\n") + Object.values(files).join("\n");
    return Object.keys(files).flatMap((file) => (used.split(file).length < 3 ? [`${name}: ${file}`] : []));
  });
  expect(unused).toEqual([]);
  expect(pages.flatMap(({ commands }) => commands).length).toBeGreaterThan(12);
});

describe.each(pages)("the sessions of docs/$name", (page) => {
  it.each(page.commands)(`docs/${page.name} says what this prints: $line`, async ({ line, prints }) => {
    expect(comparable(await typed(page, line))).toBe(comparable(prints));
  });
});
