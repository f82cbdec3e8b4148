import { describe, expect, test } from "vitest";
import { runText, script } from "../testing/run-file.js";

const job = (more: string): string => `jobs:\n  - name: Job\n${more}\ntodo: [Job]\n`;

describe("a script from a file", () => {
  test("a script from a file runs, and its errors are shown at the lines of that file", async () => {
    const yaml = job("    typeArgs: { file: lib/a.js }");
    const ran = await runText(yaml, { args: { n: 1 } }, { "lib/a.js": "log(args.n);\n\n  nothing();" });
    expect(ran.lines).toEqual(["1"]);
    expect(ran.err).toMatch(/nothing is not defined \(.*lib\/a\.js:3:3\)\n +3 \| {3}nothing\(\);/);
  });

  test.each([
    ["file: none.js", {}, /jobs\.yaml:3:23: error: there is no file none\.js beside/],
    ["file: a.js", { "a.js": "let a = ;" }, /a\.js:1:9: error: the script of "Job" has a syntax error/],
    ["{file: a.js, execRequire: a.js}", { "a.js": "" }, /has both file and execRequire/],
  ])("a wrong file or execRequire of a job is an error before anything runs: %s", async (typeArgs, files, message) => {
    const yaml = job(`    typeArgs: ${typeArgs.startsWith("{") ? typeArgs : `{ ${typeArgs} }`}`);
    await expect(runText(yaml, {}, files as Record<string, string>)).rejects.toThrow(message);
  });
});

test.each([
  ["exports.Job = (args, job) => log(args.n + job.name)", ["1Job"]],
  ["module.exports = async (args) => { await null; log(args.n) }", ["1"]],
  ["exports.exec = (args) => log(args.n)", ["1"]],
])("execRequire runs the function that a module exports: %s", async (module, lines) => {
  const yaml = job("    typeArgs: { execRequire: m.cjs }");
  expect((await runText(yaml, { args: { n: 1 } }, { "m.cjs": module })).lines).toEqual(lines);
});

test("execRequire of a module without a function to run fails the job, and says so", async () => {
  const yaml = job("    typeArgs: { execRequire: m.cjs }");
  expect((await runText(yaml, {}, { "m.cjs": "exports.other = 1" })).err).toMatch(/exports no function "Job"/);
});

test("the key code holds modules that scripts require by name, and that require each other", async () => {
  const yaml = `code:
  tool.js: |
    const { three } = require("three");
    exports.six = () => 2 * three;
  three: exports.three = 3
${script("log(require('tool.js').six()); log(typeof require('node:fs').readFileSync)")}`;
  expect((await runText(yaml)).lines).toEqual(["6", "function"]);
  const bad = yaml.replace("exports.three = 3", "exports.three = ;");
  await expect(runText(bad)).rejects.toThrow(/jobs\.yaml:5:\d+: error: the "code" of "three" has a syntax error/);
});

test("require finds a file beside the job file by its name alone, as in OpenAF, but a package first", async () => {
  const files = { "t.js": "exports.a = 1", "in/u.js": "exports.b = 2", "fs.js": "exports.c = 3" };
  const code = "log([require('t.js').a, require('in/u.js').b, typeof require('fs').readFileSync].join())";
  expect((await runText(script(code), {}, files)).lines).toEqual(["1,2,function"]);
  const { err } = await runText(script("require('none.js')"));
  expect(err).toMatch(/Cannot find module 'none\.js'/);
});

test("ojob.loads gives all threads the functions of files, relative to the job file, and of modules", async () => {
  const yaml = `ojob: { loads: [lib/a.js, tool] }
code: { tool: "exports.twice = (n) => 2 * n" }
jobs:
  - { name: A, exec: "log(add(1, 2)); for (;;) $job('B')" }
  - { name: B, exec: "log(twice(add(2, 2))); process.exit(1)" }
todo: [A]
`;
  expect((await runText(yaml, {}, { "lib/a.js": "function add(a, b) { return a + b }" })).lines).toEqual(["3", "8"]);
});

test("a file of ojob.loads that is missing or does not load is an error before anything runs", async () => {
  const yaml = (name: string): string => `ojob:\n  loads: ${name}\n${script("log(1)")}`;
  await expect(runText(yaml("none.js"))).rejects.toThrow(/jobs\.yaml:2:10: error: there is no file none\.js beside/);
  await expect(runText(yaml("bad.js"), {}, { "bad.js": "nothing()" })).rejects.toThrow(
    /cannot load .*bad\.js: ReferenceError: nothing is not defined/,
  );
});

test("init of a job file is a value of all scripts, and fills templates", async () => {
  const yaml = `init: { host: h, port: 1 }
jobs:
  - { name: A, args: { url: "{{init.host}}:{{init.port}}" }, exec: "log(init.host + args.init.port + args.url)" }
todo: [A]
`;
  expect((await runText(yaml)).lines).toEqual(["h1h:1"]);
});

test("ojob.argsFromEnvs makes environment variables arguments; those of the command line win", async () => {
  process.env["OJM_TEST_N"] = "5";
  process.env["OJM_TEST_M"] = "6";
  const yaml = `ojob: { argsFromEnvs: true }\n${script("log(args.OJM_TEST_N + 1); log(args.OJM_TEST_M)")}`;
  expect((await runText(yaml, { args: { OJM_TEST_M: 7 } })).lines).toEqual(["6", "7"]);
  const without = await runText(script("log(typeof args.OJM_TEST_N)"));
  expect(without.lines).toEqual(["undefined"]);
});

describe("check of a job", () => {
  const checking = (more: string, code: string): string =>
    `jobs:\n  - name: Job\n    check: ${more}\n    exec: ${code}\ntodo: [Job]\n`;

  test("check.in fills in defaults and converts arguments before the first step", async () => {
    const yaml = checking(
      "{ in: { n: 'toNumber.isNumber', s: \"isString.default('x')\" } }",
      "log(args.n + 1 + args.s)",
    );
    expect((await runText(yaml, { args: { n: "5" } })).lines).toEqual(["6x"]);
  });

  test("check.in refuses wrong arguments before anything of the job runs", async () => {
    const { well, lines, err } = await runText(checking("{ in: { n: isNumber } }", "log(1)"));
    expect({ well, lines }).toEqual({ well: false, lines: [] });
    expect(err).toMatch(/job "Job" failed: the argument "n" is missing \(.*jobs\.yaml:2:11\)/);
  });

  test("check.out fails a job that leaves a wrong result behind", async () => {
    const yaml = checking("{ out: { n: isNumber } }", "args.n = 'x'");
    expect((await runText(yaml)).err).toMatch(/the result "n" must be a number: "x"/);
  });

  test("a check that does not exist is an error before anything runs", async () => {
    await expect(runText(checking("{ in: { n: isNumbr } }", "log(1)"))).rejects.toThrow(
      /"check\.in" of "Job": "n": there is no check "isNumbr"\. Did you mean isNumber\? There are: default,/,
    );
  });
});

test("functions in args are there for the next step of the job, as in OpenAF, and for no other job", async () => {
  const yaml = `jobs:
  - { name: Load, exec: "args.tests = { one: () => 1, list: [() => 2], n: 5 }; args.f = () => args.n" }
  - { name: Take, exec: "log([args.tests.one(), args.tests.list[0](), args.tests.n].join()); delete args.tests.one" }
  - { name: Last, exec: "log(typeof args.tests.one + typeof args.tests.list[0] + args.f)" }
  - { name: Job, from: Load, exec: "args.func = args.tests.one; args.f = 'mine'", to: [Take, { (pass): { x: 1 } }, Last] }
  - { name: Other, exec: "log(typeof args.tests + typeof args.func)" }
todo: [Job, Other]
`;
  const { lines, err } = await runText(yaml);
  expect(lines, err).toEqual(["1,2,5", "undefinedfunctionmine", "undefinedundefined"]);
});
