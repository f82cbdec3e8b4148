import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { LINES, ojmCommand, optionWord, shellWord, visible } from "./text.js";

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i));

/** All characters that a terminal obeys, or that reorder text on it. */
const HIDDEN = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  "\u061c",
  "\u200e",
  "\u200f",
  ...range(0x2028, 0x202e),
  ...range(0x2066, 0x2069),
];

test("every character that a terminal would obey is shown as an escape", () => {
  for (const character of HIDDEN) expect(visible(`a${character}b`)).toMatch(/^a\\([nrt]|u[0-9a-f]{4})b$/);
  expect(visible("\u001b[2Ja\u009b\u202eb\nc\td\r")).toBe("\\u001b[2Ja\\u009b\\u202eb\\nc\\td\\r");
});

test("a text without control characters stays as it is", () => {
  for (const text of ["", "büro-7", "日本語", "C:\\new", "🙂", "a\u00a0b", "é"]) expect(visible(text)).toBe(text);
});

test("a text that was made visible is not changed a second time", () => {
  const once = visible(HIDDEN.join("x"));
  expect(visible(once)).toBe(once);
});

test("a text of several lines keeps its line breaks and tabs, and no other control characters", () => {
  expect(visible("a\n\tb\nc\u001b[31m\rd\u2028e", LINES)).toBe("a\n\tb\nc\\u001b[31m\\rd\\u2028e");
});

test("a JSON text that was made visible is still JSON and means the same", () => {
  const value = { text: HIDDEN.join("x") };
  const shown = visible(JSON.stringify(value));
  expect(JSON.parse(shown)).toEqual(value);
  for (const character of HIDDEN) expect(shown).not.toContain(character);
});

/** The text that a shell makes of a word. */
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
    // A table, a terminal and a folded text keep it as it is.
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
