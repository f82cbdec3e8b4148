import { spawnSync } from "node:child_process";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { commandOf, ojm } from "../testing/ojm.js";

test.each([
  ["exit(0)", 0],
  ["exit(7)", 7],
])("ojm run ends with the exit code that a script asks for: %s", async (code, wanted) => {
  const folder = folderWith({ "a.yaml": `jobs:\n  - { name: A, exec: ${code} }\ntodo: [A]\n` });
  expect((await ojm(folder, "run", "a.yaml")).code).toBe(wanted);
});

test("ojm brings @ojm/openaf with it, and check says when a file needs it", async () => {
  const text = 'jobs:\n  - { name: A, exec: "print(_$(args.n).default(5))" }\ntodo: [A]\n';
  const folder = folderWith({ "a.yaml": text, "b.yaml": `ojob: { loads: "@ojm/openaf" }\n${text}` });
  expect((await ojm(folder, "check", "a.yaml")).err).toContain('add loads: ["@ojm/openaf"] under "ojob"');
  expect(await ojm(folder, "check", "b.yaml")).toMatchObject({ code: 0, err: "" });
  expect(await ojm(folder, "run", "b.yaml")).toMatchObject({ code: 0, out: "5\n" });
});

test("a script of OpenAF asks for lines of the standard input, and fails at its end", async () => {
  const code =
    'print([askDef(1, "x? "), ask("name? "), askDef(args.none, "n? ", false, true), askN("> ")].join("|")); ask("more? ")';
  const folder = folderWith({
    "a.yaml": `ojob: { loads: "@ojm/openaf" }\njobs: [{ name: A, exec: '${code}' }]\ntodo: [A]\n`,
  });
  const [command = "", ...parameters] = commandOf(["run", "a.yaml"]);
  const input = "Zoé\n\none\ntwo\n\n\n";
  const { status, stdout, stderr } = spawnSync(command, parameters, { cwd: folder, input, encoding: "utf8" });
  expect([status, stdout]).toEqual([1, expect.stringContaining("1|Zoé||one\ntwo\n\n\n")]);
  expect(stderr).toMatch(/there is no answer to "more\? ": the standard input is at its end/);
});
