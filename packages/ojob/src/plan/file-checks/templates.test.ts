import { expect, test } from "vitest";
import { load } from "../../testing/load.js";
import { plan } from "../plan.js";

function errorsOf(yaml: string): string[] {
  const { file, problems } = load(yaml);
  plan(file, {}, problems);
  return problems.errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

const MESSAGE = (at: string): string =>
  `${at} the template in "x" would be filled, and "noTemplateArgs" or "templateArgs" says that it stays. Set it in a script: args.x = "{{…}}".`;

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
])("%s is no error", (_, yaml) => {
  expect(errorsOf(yaml)).toEqual([]);
});
