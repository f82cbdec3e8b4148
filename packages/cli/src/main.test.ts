import { folderWith } from "@ojm/testing/folder";
import { describe, expect, onTestFinished, test } from "vitest";
import { called } from "./testing/called.js";
import { Ojm, ojm } from "./testing/ojm.js";

const HELLO = "jobs: [{name: A, exec: \"log('hello ' + args.who)\"}]\ntodo: [A]\n";

describe("the command ojm", () => {
  test.each([
    ["--help", 0, /run FILE \[key=value/],
    ["--version", 0, /^\d+\.\d+\.\d+\n$/],
    ["version", 0, /^\d+\.\d+\.\d+\n$/],
    ["help run", 0, /^ojm run FILE [\s\S]*--strict/],
    ["run --help", 0, /^ojm run FILE [\s\S]*--strict/],
    ["run -h", 0, /^ojm run FILE [\s\S]*--strict/],
    ["help check", 0, /^ojm check FILE/],
    ["check a.yaml -h", 0, /^ojm check FILE/],
    ["help history", 0, /^ojm history \[FILE\]/],
    ["help locks", 0, /^ojm locks \[NAME\|FILE\]/],
    ["help schema", 0, /yaml-language-server: \$schema=/],
  ])("ojm %s prints what was requested, and ends with 0", async (words, code, out) => {
    expect(await called(folderWith({}), words.split(" "))).toMatchObject({
      code,
      out: expect.stringMatching(out),
      err: "",
    });
  });

  test.each([
    [["rnu", "a.yaml"], /there is no command "rnu"\. Did you mean run\?/],
    [["help", "rnu"], /there is no command "rnu"\. Did you mean run\? Commands: /],
    [["help", "frob"], /there is no command "frob"\. Commands: run, .*\. More: ojm --help\n$/],
    [
      ["frob", "--json"],
      /^\{"error":\{"code":"usage","exit":2,"message":"there is no command \\"frob\\"\. Commands: .*"\}\}\n$/,
    ],
    [["schema", "postgres", "x"], /ojm schema takes no further operands: "x" is one too many/],
    [["schema", "--role", "x"], /--schema and --role are for the SQL of a store/],
    [["check"], /ojm check needs a job file/],
    [["check", "a.yaml", "--job", "x"], /ojm check has no option --job\. It has: --load, --strict/],
    [["run", "a.yaml", "--strit"], /has no option --strit\. Did you mean --strict\?/],
    [["run", "a.yaml", "--strict=1"], /--strict takes no value/],
    [["run", "a.yaml", "--jobhelp"], /--jobhelp needs a value/],
    [["run", "a.yaml", "--jobhelp", "B"], /a\.yaml has no job "B"/],
    [["a.yaml"], /Did you mean: ojm run a\.yaml/],
    [["run"], /ojm run needs a job file/],
    [["run", "a.yaml", "word"], /"word" is not an argument: .*key=value/],
    [["run", "a.yaml", "--lod", "x"], /has no option --lod\. Did you mean --load\? It has: --job, --dry-run, --load/],
    [["run", "a.yaml", "--load"], /--load needs a value/],
    [["run", "a.yaml", "--load", "none.js"], /--load none\.js: there is no such file/],
    [["history", "a.yaml", "--limit", "x"], /--limit takes a whole number/],
    [["locks", "a.yaml"], /keeps its runs in memory/],
  ])("the wrong command line %j gets one message and exit code 2", async (words, message) => {
    const { code, out, err } = await called(folderWith({ "a.yaml": HELLO }), words);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe("ojm run", () => {
  test("ojm run ends with 2 if a file of --load cannot be loaded", async () => {
    const folder = folderWith({ "a.yaml": HELLO, "bad.js": "function (" });
    const { code, out, err } = await ojm(folder, "run", "a.yaml", "--load", "bad.js");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/cannot load .*bad\.js: SyntaxError/);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test("ojm run logs in lines TIME | LEVEL | message, and ends with 0", async () => {
    const { code, out } = await ojm(folderWith({ "a.yaml": HELLO }), "run", "a.yaml", "who=you");
    expect(code).toBe(0);
    expect(out).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \| INFO {2}\| hello you\n$/);
  });

  test("ojm run gives scripts the functions of --load files, and numbers of the command line as numbers", async () => {
    const files = {
      "a.yaml": 'jobs: [{name: A, exec: "print(add(args.n, 1) + twice(args.n))"}]\ntodo: [A]\n',
      "one.js": "function add(a, b) { return a + b }",
      "two.js": "exports.twice = (a) => 2 * a",
    };
    expect(await ojm(folderWith(files), "run", "--load", "one.js", "a.yaml", "n=5", "--load", "two.js")).toMatchObject({
      code: 0,
      out: "16\n",
    });
  });

  test("ojm run ends with 1 when a job failed", async () => {
    expect(
      await ojm(folderWith({ "a.yaml": "jobs: [{name: A, exec: nothing()}]\ntodo: [A]\n" }), "run", "a.yaml"),
    ).toMatchObject({
      code: 1,
      err: expect.stringMatching(/nothing is not defined \(a\.yaml:1:24\)/),
    });
  });

  const started = "jobs: [{name: A, exec: 'print(1)'}";
  test.each([
    ["a missing file", "none.yaml", {}],
    ["a folder", ".", {}],
    ["binary rubbish", "a.yaml", { "a.yaml": Uint8Array.from({ length: 2048 }, (_, i) => (i * 7919) % 256) }],
    ["YAML with a tab", "a.yaml", { "a.yaml": `${started}]\ntodo:\n\t- A\n` }],
    ["an unknown job in the todo", "a.yaml", { "a.yaml": `${started}]\ntodo: [A, B]\n` }],
    ["a job without a name", "a.yaml", { "a.yaml": `${started}, {exec: x}]\ntodo: [A]\n` }],
    [
      'timeout: "1h"',
      "a.yaml",
      {
        "a.yaml": `include: oJobManager.yaml\n${started}, {name: M, from: oJobManager Job Start, args: {name: m, timeout: "1h"}}]\ntodo: [A, M]\n`,
      },
    ],
    [
      "a negative timeout",
      "a.yaml",
      {
        "a.yaml": `include: oJobManager.yaml\n${started}, {name: M, from: oJobManager Job Start, args: {name: m, timeout: -1}}]\ntodo: [A, M]\n`,
      },
    ],
  ])("ojm run gives one clear message, ends with 2 and starts nothing: %s", async (_, file, files) => {
    const { code, out, err } = await ojm(folderWith(files as Record<string, string>), "run", file);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.match(/error: /g)).toHaveLength(1);
    expect(err).not.toMatch(/\n\s+at |>> /);
  });

  test("ojm run warns of an unknown key with its line, and runs the job file", async () => {
    const yaml = "jobs:\n  - name: A\n    exec: print(1)\n    agrs: {}\ntodo: [A]\n";
    expect(await ojm(folderWith({ "a.yaml": yaml }), "run", "a.yaml")).toMatchObject({
      code: 0,
      out: "1\n",
      err: expect.stringMatching(
        /^a\.yaml:4:5: warning: unknown key "agrs" .* Did you mean "args"\?\n +4 \| {5}agrs: \{\}\n/,
      ),
    });
  });

  test("ojm run loses no line when a script prints much and the process ends", async () => {
    const yaml =
      "jobs: [{name: A, exec: 'for (let i = 0; i < 5000; i++) print(\"x\".repeat(100) + i); process.exit()'}]\ntodo: [A]\n";
    const { out } = await ojm(folderWith({ "a.yaml": yaml }), "run", "a.yaml");
    expect(out.split("\n").length).toBe(5001);
    expect(out).toMatch(/x4999\n$/);
  });
});

test("a user without a home folder, as in a container, can run a job file", async () => {
  const code = `import os from "node:os";
    import { syncBuiltinESMExports } from "node:module";
    os.homedir = () => { throw new Error("no home"); };
    syncBuiltinESMExports();`;
  const { XDG_CACHE_HOME: _, ...env } = process.env;
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(code)}`;
  const run = new Ojm(folderWith({ "a.yaml": HELLO }), ["run", "a.yaml", "who=Ann"], { ...env, NODE_OPTIONS });
  onTestFinished(() => void run.process.kill("SIGKILL"));
  expect(await run.ended).toMatchObject({ code: 0, out: expect.stringContaining("hello Ann") });
});
