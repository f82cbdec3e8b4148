import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { checkJobFile } from "../index.js";
import { load } from "../testing/load.js";
import { plan } from "./plan.js";

function errorsOf(yaml: string): string[] {
  const { file, problems } = load(yaml);
  plan(file, {}, problems);
  return problems.errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

const MESSAGE = (at: string): string =>
  `${at} ojm would fill the template in "x", although "noTemplateArgs" or "templateArgs" says not to. Set it in a script: args.x = "{{…}}".`;

test.each([
  [
    "noTemplateArgs, in a job",
    'jobs: [{ name: A, typeArgs: { noTemplateArgs: true }, args: { x: "{{y}}" } }]\ntodo: [A]\n',
    "1:66",
  ],
  [
    "noTemplateArgs, in the todo",
    'jobs: [{ name: A, typeArgs: { noTemplateArgs: true } }]\ntodo: [{ name: A, args: { x: "{{y}}" } }]\n',
    "2:30",
  ],
  [
    "templateArgs of the file",
    'ojob: { templateArgs: false }\njobs: [{ name: A, args: { x: ["{{y}}"] } }]\ntodo: [A]\n',
    "2:30",
  ],
])("a template that OpenAF would leave as it is, by %s, is refused", (_, yaml, at) => {
  expect(errorsOf(yaml)).toEqual([MESSAGE(at)]);
});

test.each([
  [
    "a job whose args hold none",
    "jobs: [{ name: A, typeArgs: { noTemplateArgs: true }, args: { x: 1 } }]\ntodo: [A]\n",
  ],
  [
    "a job that wants them filled",
    'ojob: { templateArgs: false }\njobs: [{ name: A, typeArgs: { noTemplateArgs: false }, args: { x: "{{y}}" } }]\ntodo: [A]\n',
  ],
  ["templateArgs: true", 'ojob: { templateArgs: true }\njobs: [{ name: A, args: { x: "{{y}}" } }]\ntodo: [A]\n'],
])("%s is not an error", (_, yaml) => {
  expect(errorsOf(yaml)).toEqual([]);
});

function whenErrorsOf(when: string, typeArgs = "{}"): string[] {
  const { file, problems } = load(
    `jobs:\n  - name: A\n    typeArgs: ${typeArgs}\ntodo:\n  - name: A\n    when: ${when}\n`,
  );
  plan(file, {}, problems);
  return problems.list.map(({ severity, at, message }) => `${at?.line}:${at?.column} ${severity}: ${message}`);
}

const INSTEAD =
  'set one by $set("state", "ready") in a script, and write "when" in the item of "todo": return $get("state") == "ready"';

test("unlike OpenAF: a list of states in when is refused with its place and what to write instead", () => {
  expect(whenErrorsOf("[init, ready]")).toEqual([
    `6:11 error: "when" must be a text, not a list. It is code, which returns true. ojm has no states: ${INSTEAD}.`,
  ]);
});

test("unlike OpenAF: a state in when is refused, and is not a ReferenceError at run time", () => {
  expect(whenErrorsOf("ready")).toEqual([
    '6:11 error: "ready" is a state of OpenAF, and ojm has none: set one by $set("state", "ready") in a script, and ' +
      'write when: return $get("state") == "ready".',
  ]);
});

test("unlike OpenAF: states in typeArgs.when are refused with their place and what to write instead", () => {
  expect(whenErrorsOf("return true", "{ when: [ready] }")).toEqual([
    `3:17 error: "when" belongs to OpenAF: ojm has no states: ${INSTEAD}.`,
  ]);
});

test("a when that returns nothing would never let its job run, and is refused", () => {
  expect(whenErrorsOf("args.day == 1")).toEqual([
    '6:11 error: "when" returns nothing, so "A" would never run: write "return" before the condition.',
  ]);
  expect(whenErrorsOf("true")).toEqual([expect.stringMatching(/^6:11 error: "when" returns nothing/)]);
});

test.each(["return args.day == 1", "false", "if (args.day) return true"])("a when may be: %s", (when) => {
  expect(whenErrorsOf(when)).toEqual([]);
});

async function warningsOf(exec: string, todo: string): Promise<string[]> {
  const yaml = `jobs:\n  - { name: A, deps: [Bee], exec: '${exec}' }\n  - { name: Bee, exec: print(1) }\ntodo: [${todo}]\n`;
  const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"));
  return warnings.map(({ at, message }) => `${at?.line} ${message}`);
}

test("a dependency that nothing requests is warned of at its place, unless a script names it", async () => {
  expect(await warningsOf("print(2)", "A")).toEqual([
    '2 "A" depends on "Bee", which is not in "todo": "A" would be skipped. Add it there.',
  ]);
  expect(await warningsOf("print(2)", "Bee, A")).toEqual([]);
  expect(await warningsOf('$job("Bee")', "A")).toEqual([]);
});

test.each(["bash", "sh"])("the language %s is refused with the word for it", async (lang) => {
  const folder = folderWith({ "jobs.yaml": `jobs: [{ name: A, lang: ${lang}, exec: ls }]\ntodo: [A]\n` });
  await expect(checkJobFile(join(folder, "jobs.yaml"))).rejects.toThrow('Write "lang: shell"');
});
