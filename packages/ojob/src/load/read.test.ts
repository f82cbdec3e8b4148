import { expect, test } from "vitest";
import { load } from "../testing/load.js";
import { builtinFile, builtinFiles } from "./builtin.js";

test("every job that comes with ojm has help", () => {
  const jobs = builtinFiles().flatMap((name) => builtinFile(name)?.jobs ?? []);
  expect(jobs.filter(({ help }) => help?.text === undefined).map(({ name }) => name)).toEqual([]);
});

test("help is a text, or a map as in OpenAF", () => {
  const { file, problems } = load(`help: Short.
jobs:
  - name: A
    help:
      text: |
        Two
        lines.
      expects:
        - { name: a, required: true, example: { b: 1 } }
        - { name: c, moptions: [1, x], secret: true }
todo: [A]
`);
  expect(problems.list).toEqual([]);
  expect(file.help).toEqual({ text: "Short.", expects: [], returns: [] });
  expect(file.jobs.get("A")?.help).toMatchObject({
    text: "Two\nlines.",
    expects: [
      { name: "a", mandatory: true, secret: false, example: '{"b":1}' },
      { name: "c", mandatory: false, secret: true, options: ["1", "x"] },
    ],
  });
});
