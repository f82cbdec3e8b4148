import { describe, expect, test } from "vitest";
import { plan } from "../plan/plan.js";
import { load } from "../testing/load.js";
import { runText } from "../testing/run-file.js";

const QUIET = "ojob: { logToConsole: false }\n";
const SHOW = `exec: 'print(stringify(args, undefined, ""))'`;

/** The output of a file that must complete. */
async function printed(yaml: string, args = {}, files = {}): Promise<string> {
  const ran = await runText(QUIET + yaml, { args }, files);
  expect(ran.err).toBe("");
  expect(ran.well).toBe(true);
  return ran.out;
}

/** All problems of a file, with their lines and columns. */
function problemsOf(yaml: string): string[] {
  const { file, problems } = load(yaml);
  plan(file, {}, problems);
  return problems.list.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

describe("args that are a text are code, which is evaluated when the job starts", () => {
  test("of an item of the todo: the command line wins, as in OpenAF", async () => {
    const yaml = `jobs: [{ name: A, ${SHOW} }]\ntodo: [{ name: A, args: "({ a: args.x + 1, b: 2, c: 3 })" }]\n`;
    expect(await printed(yaml, { x: 1, c: 4 })).toBe('{"x":1,"c":4,"a":2,"b":2}\n');
  });

  test("of a job: they win, as its args do", async () => {
    const yaml = `jobs: [{ name: A, args: "({ a: args.x + 1, x: 5 });", ${SHOW} }]\ntodo: [A]\n`;
    expect(await printed(yaml, { x: 1 })).toBe('{"x":5,"a":2}\n');
  });

  test("a list of maps makes a run for each, and an empty one makes none", async () => {
    const job = `{ name: A, typeArgs: { single: true }, exec: 'print(args.n + " " + args.m)', args: "[{ m: 1 }, { m: 2 }]" }`;
    const yaml = `jobs: [${job}]\ntodo: [{ name: A, args: "[1, 2].map(n => ({ n }))" }, { name: A, args: "[]" }]\n`;
    expect((await printed(yaml)).split("\n").sort()).toEqual(["", "1 1", "1 2", "2 1", "2 2"]);
  });

  test("what earlier jobs left in global, and the functions under loads, are there", async () => {
    const yaml = `jobs: [{ name: Set, exec: global.n = 3 }, { name: A, exec: print(args.a) }]
todo: [Set, { name: A, args: "({ a: twice(global.n) })" }]
`;
    const ran = await runText(
      yaml.replace(/^/, "ojob: { logToConsole: false, loads: lib.js }\n"),
      {},
      { "lib.js": "function twice(n) { return 2 * n }" },
    );
    expect(ran).toMatchObject({ well: true, out: "6\n", err: "" });
  });

  test("of a job that is a step, that a script calls, or that runs for items", async () => {
    const yaml = `jobs:
  - { name: Part, args: "({ p: args.x + 1 })", exec: 'print("part " + args.p)' }
  - { name: Main, from: Part, each: Part, args: { x: 1 }, exec: 'print("main " + args.p); $job("Part", { x: 5 }); return [{ x: 8 }]' }
todo: [Main]
`;
    expect(await printed(yaml)).toBe("part 2\nmain 2\npart 6\npart 9\n");
  });

  test("templates in its value are data", async () => {
    const yaml = `jobs:
  - { name: A, args: "({ a: '{' + '{x}}' })", exec: print(args.a + " " + args.b) }
  - { name: B, from: A, each: A, exec: "return [{ b: 2 }]" }
todo: [{ name: A, args: "({ b: '{' + '{x}}' })" }, B]
`;
    expect(await printed(yaml, { x: 1 })).toBe("{{x}} {{x}}\n{{x}} undefined\n{{x}} 2\n");
  });

  test("the name of a lock may come from it", async () => {
    const yaml = `include: oJobManager.yaml
jobs:
  - { name: A, from: oJobManager Job Start, to: oJobManager Job End, args: "({ name: 'lock-' + args.x })", exec: print(args.name) }
  - { name: B, from: oJobManager Job Start, to: oJobManager Job End, exec: print(args.name) }
  - { name: C, from: oJobManager Job Start, to: oJobManager Job End, args: { name: "c-{{n}}" }, exec: print(args.name) }
  - { name: D, from: A }
todo: [A, { name: B, args: "({ name: 'other' })" }, { name: C, args: "({ n: 1 })" }, D]
`;
    const ran = await runText(QUIET + yaml, { args: { x: 1 } });
    expect(ran).toMatchObject({ well: true, out: "lock-1\nother\nc-1\nlock-1\n" });
  });

  test("an option of a job of OpenAF may come from it", async () => {
    const yaml = `jobs: [{ name: A, args: "({ n: 1, __key: 'args', __format: 'json' })", to: ojob output }]\ntodo: [A]\n`;
    expect(await printed(yaml)).toBe('{"n":1}\n');
  });
});

describe("args as code that go wrong", () => {
  test.each([
    [
      "a syntax error of a job",
      'jobs: [{ name: A, args: "({ a: )" }]\ntodo: [A]\n',
      '1:32 the "args" of "A" has a syntax error: Unexpected token \')\'.',
    ],
    [
      "a syntax error of an item of the todo",
      'jobs: [{ name: A }]\ntodo: [{ name: A, args: "a b" }]\n',
      /^2:28 the "args" of "A" has a syntax error/,
    ],
    [
      "a number",
      "jobs: [{ name: A, args: 5 }]\ntodo: [A]\n",
      '1:25 "args" must be a map, a list of maps or code, not 5.',
    ],
    [
      "code beside a matrix",
      'jobs: [{ name: A, matrix: { a: [1] }, args: "({})" }]\ntodo: [A]\n',
      '1:46 "A" has a matrix, and "args" that are code: write a map.',
    ],
    [
      "code for a step",
      'jobs: [{ name: A, to: { name: B, args: "({})" } }, { name: B }]\ntodo: [A]\n',
      '1:40 "args" must be a map, not the text "({})".',
    ],
  ])("%s is an error before the start", (_, yaml, message) => {
    expect(problemsOf(yaml)).toEqual([typeof message === "string" ? message : expect.stringMatching(message)]);
  });

  test.each([
    ["has an unknown name", "nope", /nope is not defined \(.*jobs\.yaml:5:/],
    ["throws", "({ a: [args.x.y] })", /jobs\.yaml:5:\d+/],
    ["is no map", "1 + 1", /the "args" of "A" must be a map or a list of maps, not 2 \(.*jobs\.yaml:5:7\)/],
  ])("code that %s fails the job", async (_, code, message) => {
    const yaml = `jobs: [{ name: A, exec: print("never") }]\ntodo:\n  - name: A\n    args: |\n      ${code}\n`;
    const ran = await runText(yaml);
    expect(ran).toMatchObject({ well: false, out: "" });
    expect(ran.err).toMatch(message);
  });
});
