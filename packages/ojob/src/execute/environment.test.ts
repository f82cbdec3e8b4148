import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile } from "../index.js";
import { type Ran, runText } from "../testing/run-file.js";
import { JobFileError } from "../text/problem.js";

process.env["OJM_TEST_OUTSIDE"] = "outside";

/** Shows the value of a variable at each place that can read the environment. */
const SHOW = `
  - name: JS
    exec: |
      print([getEnv("V"), $env("V"), process.env.V, sh("echo $V", { quiet: true }).stdout.trim()].join(" "));
`;

function run(yaml: string, files: Record<string, string> = {}, args = {}): Promise<Ran> {
  return runText(yaml, { args }, files);
}

async function outOf(yaml: string, files: Record<string, string> = {}, args = {}): Promise<string[]> {
  const { out, err, well } = await run(yaml, files, args);
  expect(well, err).toBe(true);
  return out.trimEnd().split("\n");
}

describe("env in a job file", () => {
  test("env reaches JavaScript by getEnv, $env, process.env and sh", async () => {
    expect(await outOf(`ojob: { env: { V: a b } }\njobs:${SHOW}todo: [JS]\n`)).toEqual(["a b a b a b a b"]);
  });

  test.each([
    ["shell", 'echo "$V"'],
    ["node", "console.log(process.env.V)"],
    ["python", "import os\nprint(os.environ['V'])"],
  ])("env reaches a script in %s", async (lang, code) => {
    const exec = code.split("\n").map((line) => `      ${line}`);
    const job = ["  - name: A", `    lang: ${lang}`, "    env: { V: job }", "    exec: |", ...exec].join("\n");
    expect(await outOf(`jobs:\n${job}\ntodo: [A]\n`)).toEqual(["job"]);
  });

  test("env reaches ${x} in args of the job and of the todo, $env in their templates, and getEnv in check", async () => {
    const yaml = `ojob: { env: { V: file } }
jobs:
  - name: A
    env: { V: job }
    args: { own: "\${V}", helper: '{{$env "V"}}' }
    check: { in: { checked: 'default(getEnv("V"))' } }
    exec: print([args.own, args.given, args.helper, args.checked].join(" "))
todo: [{ name: A, args: { given: "\${V}" } }]
`;
    expect(await outOf(yaml)).toEqual(["job file job job"]);
  });

  test("numbers, true and false are texts, and an empty text is one", async () => {
    const yaml = `jobs:
  - name: A
    env: { N: 1.50, B: true, E: "" }
    exec: print(JSON.stringify([process.env.N, process.env.B, process.env.E]))
todo: [A]
`;
    expect(await outOf(yaml)).toEqual(['["1.5","true",""]']);
  });

  test("env of the job wins over its envFile, that over env and envFile of the file, that over the process", async () => {
    const yaml = `ojob: { env: { B: file, C: file, D: file }, envFile: a.env }
jobs:
  - name: A
    env: { D: job }
    envFile: b.env
    exec: print(["OJM_TEST_OUTSIDE", "A", "B", "C", "D"].map((name) => process.env[name]).join(" "))
  - { name: B, exec: "print([process.env.A, process.env.C, process.env.D].join(' '))" }
todo: [A, B]
`;
    const files = { "a.env": "A=fileFile\nB=fileFile\nOJM_TEST_OUTSIDE=fileFile\n", "b.env": "C=jobFile\nD=jobFile\n" };
    expect(await outOf(yaml, files)).toEqual(["fileFile fileFile file jobFile job", "fileFile file file"]);
  });

  test("${x} in env is a variable from below: of the process, of the file, of an envFile", async () => {
    const yaml = `ojob: { env: { A: "<\${OJM_TEST_OUTSIDE}>" } }
jobs:
  - name: A
    envFile: { path: a.env }
    env: { B: "\${A}\${F}", C: "$\${A}", D: "\${OJM_TEST_NONE:-other}", E: "{{A}}" }
    exec: print([process.env.B, process.env.C, process.env.D, process.env.E].join(" "))
todo: [A]
`;
    expect(await outOf(yaml, { "a.env": "F=f" })).toEqual(["<outside>f ${A} other {{A}}"]);
  });

  test("a ${x} in env without a value is a warning, and with a message an error that starts nothing", async () => {
    const yaml = (text: string): string =>
      `jobs:\n  - name: A\n    env: { V: "${text}" }\n    exec: print("[" + process.env.V + "]")\ntodo: [A]\n`;
    const { out, err } = await run(yaml("a${OJM_TEST_NONE}"));
    expect(out).toBe("[a]\n");
    expect(err).toMatch(/jobs\.yaml:3:15: warning: nothing fills \$\{OJM_TEST_NONE\} in the variable "V"\./);
    await expect(run(yaml("${OJM_TEST_NONE:?where is it}"))).rejects.toThrow(
      /jobs\.yaml:3:15: error: where is it\. Set OJM_TEST_NONE in the environment\.\n/,
    );
  });

  test("a variable of one job is gone for the next job, though it may run in the same thread", async () => {
    const yaml = `ojob: { env: { F: file } }
jobs:
  - { name: A, env: { V: a, F: job, OJM_TEST_OUTSIDE: inside }, exec: "process.env.SET = 1; delete process.env.PATH; process.loadEnvFile(args.file); print(process.env.V)" }
  - name: B
    exec: print(JSON.stringify([process.env.V, process.env.SET, process.env.F, process.env.OJM_TEST_OUTSIDE, process.env.LOADED, typeof process.env.PATH]))
todo: [A, B, A, B]
`;
    const b = '[null,null,"file","outside",null,"string"]';
    const args = { file: join(folderWith({ "a.env": "LOADED=1\n" }), "a.env") };
    expect(await outOf(yaml, {}, args)).toEqual(["a", b, "a", b]);
    expect(process.env["V"]).toBeUndefined();
  });

  test("what a step sets in process.env stays for the next step of its job", async () => {
    const yaml = `jobs:
  - { name: A, from: S, env: { V: a }, exec: "print(process.env.SET + process.env.V)" }
  - { name: S, exec: "process.env.SET = 's'; process.env.V = 'b'" }
todo: [A]
`;
    expect(await outOf(yaml)).toEqual(["sb"]);
  });

  test("a job that is a step has the env of the job around it, and its own wins for that step alone", async () => {
    const yaml = `jobs:
  - { name: A, from: [S, T], env: { V: a, W: a }, exec: "print(process.env.V + process.env.W)" }
  - { name: S, env: { V: s }, args: { x: "\${W}" }, exec: "print(process.env.V + process.env.W + args.x)" }
  - { name: T, lang: shell, exec: 'echo "$V$W"' }
todo: [A]
`;
    expect(await outOf(yaml)).toEqual(["saa", "aa", "aa"]);
  });

  test("a job of type jobs runs the other file in its environment", async () => {
    const yaml = `jobs:\n  - { name: A, type: jobs, env: { V: outer, W: outer }, typeArgs: { file: b.yaml } }\ntodo: [A]\n`;
    const inner = `ojob: { env: { W: "<\${W}>" } }\njobs:\n  - { name: B, exec: "print(getEnv('V') + getEnv('W'))" }\ntodo: [B]\n`;
    expect(await outOf(yaml, { "b.yaml": inner })).toEqual(["outer<outer>"]);
  });

  test("an included file's variables are added, and those of the file itself win", async () => {
    const yaml = `include: b.yaml\nojob: { env: { B: own } }\njobs:\n  - { name: A, exec: "print(getEnv('A') + getEnv('B') + getEnv('C'))" }\ntodo: [A]\n`;
    const files = { "b.yaml": "ojob: { env: { A: a, B: b }, envFile: sub/c.env }\njobs: [{ name: B }]\n" };
    expect(await outOf(yaml, { ...files, "sub/c.env": "C=c\n" })).toEqual(["aownc"]);
  });

  test("argsFromEnvs takes the variables of the file, and not those of a job", async () => {
    const yaml = `ojob: { argsFromEnvs: true, env: { N: 5 } }\njobs:\n  - { name: A, env: { J: j }, exec: "print(args.N + 1); print(String(args.J))" }\ntodo: [A]\n`;
    expect(await outOf(yaml)).toEqual(["6", "undefined"]);
  });

  test("files under loads find the variables of the file, and what they set stays", async () => {
    const yaml = `ojob: { env: { V: file }, loads: a.js }
jobs:
  - { name: A, env: { V: job }, exec: "print([v, process.env.L, process.env.V].join(' '))" }
  - { name: B, exec: "print([v, process.env.L, process.env.V].join(' '))" }
todo: [A, B]
`;
    const files = { "a.js": "const v = process.env.V; process.env.L = 'loaded'; global.v = v;" };
    expect(await outOf(yaml, files)).toEqual(["file loaded job", "file loaded file"]);
  });

  test("in shell, an argument wins over a variable of its name", async () => {
    const yaml = `jobs:\n  - { name: A, lang: shell, env: { V: env }, exec: 'echo "$V"' }\ntodo: [A]\n`;
    expect(await outOf(yaml, {}, { V: "arg" })).toEqual(["arg"]);
  });
});

describe("envFile in a job file", () => {
  const withFile = (written: string): string =>
    `jobs:\n  - name: A\n    envFile: ${written}\n    exec: print(JSON.stringify([process.env.A, process.env.B]))\ntodo: [A]\n`;

  test("envFile is read as Node reads it: quotes, export, comments, several lines", async () => {
    const text = "# a comment\nexport A=\"a # b\"\r\nB='one\ntwo'\n";
    expect(await outOf(withFile("x/a.env"), { "x/a.env": text })).toEqual(['["a # b","one\\ntwo"]']);
  });

  test("of several files the later one wins, and one that is not required may be missing", async () => {
    const list = "[a.env, { path: b.env }, { path: none.env, required: false }]";
    expect(await outOf(withFile(list), { "a.env": "A=1\nB=1\n", "b.env": "B=2\n" })).toEqual(['["1","2"]']);
  });

  test("an envFile that is missing is an error at its line, with the place where it is looked for", async () => {
    await expect(run(withFile("none.env"))).rejects.toThrow(
      /jobs\.yaml:3:14: error: there is no file none\.env beside .*: \/.*none\.env is missing\. If it may be missing: \{ path: …, required: false \}\./,
    );
  });

  test("a name that is none is an error with its line, and no line of the file is shown", async () => {
    const failed = run(withFile("a.env"), { "a.env": "A=1\nfoo-bar=hunter2\n" });
    await expect(failed).rejects.toThrow(
      /jobs\.yaml:3:14: error: a\.env, line 2: "foo-bar" cannot be the name of a variable/,
    );
    await expect(failed).rejects.not.toThrow(/hunter2/);
  });

  test("a line that is left out is a warning; one within a value is none", async () => {
    const { err } = await run(withFile("a.env"), { "a.env": 'A="x\ninside\ny"\nhunter2\n' });
    expect(err).toMatch(/warning: a\.env, line 4, is left out/);
    expect(err.match(/warning/g)).toHaveLength(1);
    expect(err).not.toMatch(/hunter2/);
  });
});

describe("what is wrong with env", () => {
  async function errorsOf(yaml: string): Promise<string[]> {
    try {
      await checkJobFile(`${folderWith({ "jobs.yaml": yaml })}/jobs.yaml`);
      return [];
    } catch (error) {
      if (!(error instanceof JobFileError)) throw error;
      return error.problems.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
    }
  }
  const job = (more: string): string => `jobs:\n  - name: A\n    ${more}\n    exec: print(1)\ntodo: [A]\n`;

  test.each([
    [
      "a name that is none",
      "env: { a-b: 1 }",
      /^3:12 "a-b" cannot be the name of a variable: it takes letters, digits and _/,
    ],
    ["a digit first", "env: { 1a: 1 }", /^3:12 "1a" cannot be the name/],
    ["no value", "env: { A: }", /^3:12 "A" has no value\. Write "" for an empty one\.$/],
    ["a map as value", "env: { A: { b: 1 } }", /^3:15 "A" must be a text, not a map\.$/],
    [
      "a list, as compose allows",
      "env: [A=1]",
      /^3:10 "env" must be a map, not a list\. Write each variable as NAME: value\.$/,
    ],
    ["an envFile without a path", "envFile: [{ required: false }]", /^3:15 this item of "envFile" has no "path"\.$/],
  ])("%s is an error", async (_, more, message) => {
    expect(await errorsOf(job(more))).toEqual([expect.stringMatching(message)]);
  });

  test("the names of compose files, and env in the wrong place, are warned of with the right key", async () => {
    const warnings = async (yaml: string): Promise<string[]> =>
      (await checkJobFile(`${folderWith({ "jobs.yaml": yaml })}/jobs.yaml`)).warnings.map(({ message }) => message);
    expect(await warnings(job("environment: { A: 1 }"))).toEqual([expect.stringMatching(/Did you mean "env"\?$/)]);
    expect(await warnings(job("env_file: a.env"))).toEqual([expect.stringMatching(/Did you mean "envFile"\?$/)]);
    const file = "ojob: { environment: { A: 1 }, secrets: {} }\n";
    expect(await warnings(file + job("args: {}"))).toEqual([expect.stringMatching(/Did you mean "env"\?$/)]);
    expect(await warnings(job("typeArgs: { env: { A: 1 } }"))).toEqual([
      expect.stringMatching(/It belongs in a job\.$/),
    ]);
  });
});
