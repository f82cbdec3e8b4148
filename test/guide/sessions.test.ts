/**
 * The commands of docs/guide.md, and their output.
 * @module-tag full
 */
import { execFile } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { folderWith } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { commandOf } from "../../packages/cli/src/testing/ojm.js";

const GUIDE = fileURLToPath(new URL("../../docs/guide.md", import.meta.url));

/** A command of `docs/guide.md`, and its output. */
interface Command {
  readonly line: string;
  readonly prints: string;
}

const blocks = [...readFileSync(GUIDE, "utf8").matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
  ([, language = "", text = ""]) => ({ language, text }),
);

/** The files of the guide, by the names that stand in their first lines. */
const files = Object.fromEntries(
  blocks.flatMap(({ text }) => {
    const name = /^# ([\w-]+\.\w+)\n/.exec(text)?.[1];
    return name === undefined ? [] : [[name, text]];
  }),
);

const commands: readonly Command[] = blocks
  .filter(({ language, text }) => language === "sh" && text.startsWith("$ "))
  .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  .map((text) => {
    const end = text.indexOf("\n") + 1;
    return { line: text.slice(0, end - 1), prints: text.slice(end) };
  });

/** Times differ from run to run, and the banners of the jobs say how long each took. */
function comparable(text: string): string {
  return text.replace(/^(?:>>|<<|--) .*\n/gm, "").replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME");
}

/** The output of a shell for a command line, in a folder with the files of the guide. */
function typed(line: string): Promise<string> {
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

it("docs/guide.md has sessions, and every file of it is used in one", () => {
  const used = commands.map(({ line }) => line).join("\n") + Object.values(files).join("\n");
  expect(Object.keys(files).filter((name) => used.split(name).length < 3)).toEqual([]);
  expect(commands.length).toBeGreaterThan(7);
});

it.each(commands)("docs/guide.md says what this prints: $line", async ({ line, prints }) => {
  expect(comparable(await typed(line))).toBe(comparable(prints));
});
