import { existsSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { called } from "../testing/called.js";
import { ojm } from "../testing/ojm.js";

const JOB = "  - name: A\n    exec: require('fs').writeFileSync('ran', '')\n";
const FINE = `include: oJobManager.yaml\njobs:\n${JOB}  - {name: B, from: A}\ntodo: [A]\n`;
const ODD = `jobs:\n${JOB}    agrs: {}\ntodo: [A]\n`;

describe("ojm check", () => {
  test("ojm check of a file that can be run lists what is in the file, ends with 0, and runs nothing", async () => {
    const folder = folderWith({ "a.yaml": FINE });
    expect(await called(folder, ["check", "a.yaml"])).toEqual({
      code: 0,
      out: "a.yaml is fine: 2 jobs, 1 in todo, includes oJobManager.yaml.\n",
      err: "",
    });
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });

  test("ojm check of jobs without a todo says that the file is a library, and ends with 0", async () => {
    const folder = folderWith({ "a.yaml": `jobs:\n${JOB}`, "b.yaml": `jobs:\n${JOB}    agrs: {}\n` });
    const rest = 'it has no "todo". Include it in another file, or run one of its jobs: ojm run';
    expect(await called(folder, ["check", "a.yaml"])).toEqual({
      code: 0,
      out: `a.yaml is a library of 1 job: ${rest} a.yaml --job NAME\n`,
      err: "",
    });
    const { out, code } = await called(folder, ["check", "b.yaml"]);
    expect({ out, code }).toEqual({
      code: 0,
      out: `b.yaml is a library of 1 job, with 1 warning: ${rest} b.yaml --job NAME\n`,
    });
  });

  test("ojm check of a file without jobs is an error", async () => {
    const { code, err } = await called(folderWith({ "a.yaml": "include: oJobManager.yaml\n" }), ["check", "a.yaml"]);
    expect(code).toBe(2);
    expect(err).toMatch(/error: a\.yaml has neither jobs nor a "todo"\.\n/);
  });

  test("ojm run of a library says what to do, and ends with 2", async () => {
    const folder = folderWith({ "a.yaml": `jobs:\n${JOB}` });
    const { code, err } = await ojm(folder, "run", "a.yaml");
    expect(code).toBe(2);
    expect(err).toMatch(/a\.yaml has no "todo": nothing would run\. It is a library .* ojm run a\.yaml --job A$/m);
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });

  test("a file of OpenAF runs and is checked without a change: --load, or loads in the config, names the package", async () => {
    const text = `jobs: [{ name: A, exec: "print(ow.format.toHex(255) + helper() + isString(args.n))" }]\ntodo: [A]\n`;
    const files = { "a.yaml": text, "b.js": "function helper() { return '!'; }" };
    const folder = folderWith(files);
    const load = ["--load", "@ojm/openaf", "--load", "b.js"];
    expect(await ojm(folder, "run", "a.yaml", "n=1", ...load)).toMatchObject({ code: 0, out: "ff!true\n" });
    expect(await ojm(folder, "run", "a.yaml", "n=1", "--dry-run", ...load)).toMatchObject({
      out: expect.stringContaining('{"n":"1"}'),
    });
    expect(await ojm(folder, "check", "a.yaml", ...load)).toMatchObject({ code: 0, err: "" });
    expect((await ojm(folder, "check", "a.yaml")).err).toMatch(/ow.*helper|helper.*ow/s);
    const inConfig = folderWith({ ...files, "ojm.config.json": '{ "loads": ["@ojm/openaf"] }' });
    expect(await ojm(inConfig, "run", "a.yaml", "n=1", "--load", "b.js")).toMatchObject({ code: 0, out: "ff!true\n" });
    expect(await ojm(inConfig, "check", "a.yaml", "--load", "b.js")).toMatchObject({ code: 0, err: "" });
  });

  test.each([
    [["run", "a.yaml", "--load", "no-such-package"], /there is neither a file nor a package "no-such-package"/],
    [["check", "a.yaml", "--load", "no-such-package"], /there is neither a file nor a package "no-such-package"/],
    [["check", "a.yaml", "--load", "./none"], /--load \.\/none: there is no such file/],
  ])("ojm %j ends with 2", async (words, message) => {
    const { code, err } = await ojm(folderWith({ "a.yaml": FINE }), ...words);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });

  test.each([
    ['{ "loads": "./b.js" }', /"loads" .*names of packages/],
    ['{ "loads": [1] }', /"loads" .*names of packages/],
  ])("a config with %s is refused", async (config, message) => {
    const { code, err } = await ojm(folderWith({ "a.yaml": FINE, "ojm.config.json": config }), "run", "a.yaml");
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });

  test("ojm check shows warnings, and ends with 0", async () => {
    expect(await called(folderWith({ "a.yaml": ODD }), ["check", "a.yaml"])).toEqual({
      code: 0,
      out: "a.yaml can be run, with 1 warning: 1 job, 1 in todo.\n",
      err: expect.stringMatching(/^a\.yaml:4:5: warning: unknown key "agrs" .* Did you mean "args"\?\n/),
    });
  });

  test("ojm check shows all problems of all files at once, in the order of files and lines, and ends with 2", async () => {
    const files = {
      "a.yaml": `include: [b.yaml, none.yaml]
ojob: {templateArgs: maybe}
jobs:
  - exec: log(1)
  - name: A
    exec: |
      if (
todo: [A]
`,
      "b.yaml": "jobs: [{name: B, tpye: simple, exec: 'a b'}]\ntodo: [Not known here]\n",
    };
    const { code, out, err } = await called(folderWith(files), ["check", "a.yaml"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.split("\n").filter((line) => /^\S/.test(line))).toEqual([
      expect.stringMatching(/^a\.yaml:1:19: error: there is no file none\.yaml/),
      expect.stringMatching(/^a\.yaml:2:22: error: "templateArgs" must be true or false/),
      expect.stringMatching(/^a\.yaml:4:5: error: this job has no "name"/),
      expect.stringMatching(/^a\.yaml:7:11: error: the script of "A" has a syntax error/),
      expect.stringMatching(/^b\.yaml:1:18: warning: unknown key "tpye"/),
      expect.stringMatching(/^b\.yaml:1:41: error: the script of "B" has a syntax error/),
      "a.yaml cannot be run: 5 errors, 1 warning.",
    ]);
  });
});

describe("the option --strict", () => {
  test.each(["check", "run"])("ojm %s --strict makes warnings errors: exit code 2, nothing is run", async (command) => {
    const folder = folderWith({ "a.yaml": ODD });
    const { code, out, err } = await ojm(folder, command, "a.yaml", "--strict");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^a\.yaml:4:5: error: unknown key "agrs"/);
    expect(existsSync(join(folder, "ran"))).toBe(false);
    expect((await ojm(folderWith({ "a.yaml": FINE }), command, "a.yaml", "--strict")).code).toBe(0);
  });
});

test("ojm schema prints the JSON Schema", async () => {
  const { code, out } = await called(folderWith({}), ["schema"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    type: "object",
    properties: { jobs: {}, todo: {} },
    additionalProperties: false,
  });
});

test("ojm locks reports that the store is not reachable, without a stack trace", async () => {
  const at = '{type: redis, args: {url: "redis://127.0.0.1:1", connectTimeout: 50}}';
  const yaml = `include: oJobManager.yaml\njobs: [{name: I, to: oJobManager Init, args: {chJobs: ${at}, chLocks: ${at}}}]\ntodo: [I]\n`;
  const { code, out, err } = await called(folderWith({ "a.yaml": yaml }), ["locks", "a.yaml"]);
  expect({ code, out }).toEqual({ code: 5, out: "" });
  expect(err).toMatch(/^ojm: Redis at 127\.0\.0\.1:1 is not reachable/);
  expect(err).not.toMatch(/\n\s+at /);
});
