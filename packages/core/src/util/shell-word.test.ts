import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { ojmCommand, optionWord, shellWord } from "./shell-word.js";
import { visible } from "./visible.js";

/** What a shell reads for a word. */
const readBy = (shell: string, word: string): string =>
  spawnSync(shell, ["-c", `printf %s ${word}`], { encoding: "utf8" }).stdout;

const has = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;

test("a plain name stands in a hint as it is", () => {
  for (const name of ["nightly-report", "a@2026-11-25T02:00:00.000Z", "a/b.c"]) expect(shellWord(name)).toBe(name);
});

test.each(["a job $(id)", "it's", "`id`", "a;b", "", "~", "*", "a\\nb", "é"])(
  "a shell reads the word of a hint as the name: %j",
  (name) => {
    expect(readBy("sh", shellWord(name))).toBe(name);
  },
);

test.each(["two\nlines", "a\rb", "a\tb\\n 'c'", "\u001b[2J", "\u202eabc", "a\u00a0b", "1\n2", "two  spaces", " a"])(
  "a name that a line cannot show is quoted so that nothing changes it on its way: %j",
  (name) => {
    const word = shellWord(name);
    // A table, a terminal and a folded text leave it alone.
    expect(visible(word)).toBe(word);
    expect(word.replace(/\s+/g, " ").trim()).toBe(word);
    expect(word).toMatch(/^\$?'.*'$/);
    for (const shell of ["bash", "zsh"].filter(has)) expect([shell, readBy(shell, word)]).toEqual([shell, name]);
  },
);

test("a printed command has a name that begins with a dash behind two dashes, after its options", () => {
  expect(ojmCommand("unlock", "report", "--reason …")).toBe("ojm unlock report --reason …");
  expect(ojmCommand("unlock", "-x y", "--reason …")).toBe("ojm unlock --reason … -- '-x y'");
  expect(ojmCommand("resume", "--all")).toBe("ojm resume -- --all");
  expect(ojmCommand("why", "-a\nb")).toBe("ojm why -- $'-a\\nb'");
});

test("a printed option with a value that begins with a dash is one word", () => {
  expect(optionWord("--job", "a b")).toBe("--job 'a b'");
  expect(optionWord("--job", "-a b")).toBe("--job='-a b'");
});
