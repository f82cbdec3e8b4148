import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { plan } from "../plan/plan.js";
import { errorsOf, load, warningsOf } from "../testing/load.js";
import { describe as describeProblem } from "../text/problem.js";
import { loadJobFile } from "./load.js";

describe("files that are not job files", () => {
  test("a missing job file is an error that names a similar file beside it", () => {
    const folder = folderWith({ "jobs.yaml": "" });
    expect(errorsOf(() => loadJobFile(join(folder, "jobs.yml")))[0]).toMatch(
      /there is no file .*jobs\.yml\. Did you mean jobs\.yaml\?/,
    );
  });

  test("a folder in the place of a job file is an error", () => {
    expect(errorsOf(() => loadJobFile(folderWith({})))[0]).toMatch(/is a folder\. Give the job file inside it\./);
  });

  test.each([
    ["zeros", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 0)],
    ["no UTF-8", Uint8Array.of(0xff, 0xfe, 0x41)],
  ])("a job file that is not text is one error: %s", (_, bytes) => {
    const [message, ...others] = errorsOf(() => load(bytes));
    expect(message).toMatch(/is not a text file/);
    expect(others).toEqual([]);
  });

  test("a file of more than 4 MB is an error, and so is a device that never ends", () => {
    expect(errorsOf(() => load(new Uint8Array(5 * 1024 * 1024).fill(35)))[0]).toMatch(/larger than 4 MB/);
    expect(errorsOf(() => loadJobFile("/dev/zero"))[0]).toMatch(/larger than 4 MB/);
  });

  test("an empty file, a list, and a file without a todo are errors", () => {
    expect(errorsOf(() => load("# nothing\n"))[0]).toMatch(/is empty/);
    expect(errorsOf(() => load("- a\n"))[0]).toMatch(/^1:1 .* must be a map, not a list/);
    expect(errorsOf(() => load("jobs: []\n"))[0]).toMatch(/has no "todo": nothing would run\.$/);
  });

  test("jobs without a todo are a library, and the error says what to do with it", () => {
    expect(errorsOf(() => load("jobs: [{ name: Clean up }]\n"))[0]).toMatch(
      /^1:1 .*jobs\.yaml has no "todo": nothing would run\. It is a library of jobs: include it in another file, add a "todo", or run one of its jobs: ojm run .*jobs\.yaml --job 'Clean up'$/,
    );
  });
});

describe("YAML of a job file", () => {
  test.each([
    ["a tab", "jobs:\n\t- name: A\n", "2:1 a tab is used for indentation. YAML allows spaces only."],
    [
      "two documents",
      "todo: [A]\n---\ntodo: [B]\n",
      "2:1 a second YAML document starts here (---). A job file is one document.",
    ],
    ["an open bracket", "todo: [A\n", /^2:1 this is not valid YAML: /],
    ["an alias without an anchor", "todo: *none\n", /alias/],
    ["an alias of itself", "todo: &a [*a]\n", /alias/],
  ])("wrong YAML is one error at its place: %s", (_, yaml, expected) => {
    const errors = errorsOf(() => load(yaml));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      expected instanceof RegExp ? expected : new RegExp(`^${expected.replace(/[.()[\]]/g, "\\$&")}$`),
    );
  });

  test("a file that declares YAML 1.1 is read by the same rules as any other", () => {
    const { file } = load(
      "%YAML 1.1\n---\ninit: {date: 2026-01-31, yes: yes, set: !!set {a, b}}\njobs: [{name: A}]\ntodo: [A]\n",
    );
    expect(file.init).toEqual({ date: "2026-01-31", yes: "yes", set: { a: null, b: null } });
  });

  test("control characters of a job file are escaped in messages, and never reach the terminal", () => {
    const yaml = 'jobs: [{name: A}]\ntodo: ["\\e[31mred\\a"]\n"\\e[2J": 1\n';
    const { file, problems } = load(yaml);
    plan(file, {}, problems);
    const shown = problems.list.map(describeProblem).join();
    for (const name of ['"\\u001b[31mred\\u0007"', '"\\u001b[2J"']) expect(shown).toContain(name);
    expect([...shown].filter((character) => character < " " && character !== "\n")).toEqual([]);
  });

  test("YAML nested ten thousand deep is an error, not a crash", () => {
    // In a map, the parser reports a stack overflow as an error of the file.
    for (const yaml of ["[".repeat(10_000), `jobs: ${"[".repeat(2_000)}`]) {
      expect(errorsOf(() => load(yaml))).toEqual([expect.stringMatching(/nested too deeply/)]);
    }
    expect(errorsOf(() => load(`${"a: [".repeat(300)}${"]".repeat(300)}`))[0]).toMatch(/nested too deeply/);
  });

  test("aliases of aliases are refused before they fill the memory", () => {
    const lines = ["a0: &a0 [x, x]"];
    for (let i = 1; i < 40; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
    expect(errorsOf(() => load(`${lines.join("\n")}\n`))[0]).toMatch(/too large/);
  });

  test("a problem of a job file is shown with its line and a caret", () => {
    const folder = folderWith({ "jobs.yaml": "jobs:\n  - name: A\n    each: {}\ntodo: [A]\n" });
    const path = join(folder, "jobs.yaml");
    expect(() => loadJobFile(path).problems.throwErrors()).toThrow(
      `${path}:3:11: error: "each" must be a text or a list of them, not a map.\n    3 |     each: {}\n      |           ^`,
    );
  });
});

test("a name of 100,000 characters is cut short in the message", () => {
  const { file, problems } = load(`jobs: [{name: A}]\ntodo: [${"x".repeat(100_000)}]`);
  plan(file, {}, problems);
  expect(problems.list.map(describeProblem).join().length).toBeLessThan(2_000);
});

describe("values of jobs and of the todo", () => {
  test.each([
    ["a job without a name", "jobs:\n  - exec: log(1)\ntodo: [A]", '2:5 this job has no "name".'],
    ["an empty name", "jobs:\n  - name:\n    exec: log(1)\ntodo: [A]", '2:5 this job has no "name".'],
    [
      "a word for a flag",
      "ojob: {templateArgs: maybe}\ntodo: [A]",
      '1:22 "templateArgs" must be true or false, not the text "maybe".',
    ],
    [
      "an unknown type",
      "jobs: [{name: A, type: daemon}]\ntodo: [A]",
      '1:24 "type" must be one of simple, periodic, shutdown, subscribe, jobs, not the text "daemon".',
    ],
    [
      "args as a number",
      "jobs: [{name: A, args: 5}]\ntodo: [A]",
      '1:24 "args" must be a map, a list of maps or code, not 5.',
    ],
    ["an empty item", "jobs: [{name: A}]\ntodo: [A, ]\ninclude: [~]", '3:11 "include" has an item with nothing in it.'],
    ["a todo without a name", "jobs: [{name: A}]\ntodo: [{args: {}}]", '2:8 this item of "todo" has no "name".'],
  ])("%s is an error at its place", (_, yaml, expected) => {
    expect(errorsOf(() => load(yaml))).toEqual([expected]);
  });

  test("all problems of a job file are reported at once", () => {
    expect(errorsOf(() => load("jobs: [{exec: a}, {name: B, from: [[]]}]\ntodo: [B]"))).toHaveLength(2);
  });
});

describe("unknown keys", () => {
  test("unknown keys are warned of, with the nearest known key", () => {
    expect(warningsOf("jobs:\n  - name: A\n    exce: log(1)\ntodo: [A]\ntodos: 1\n")).toEqual([
      '3:5 unknown key "exce" in this job: it has no effect. Did you mean "exec"?',
      '5:1 unknown key "todos": it has no effect. Did you mean "todo"?',
    ]);
  });

  test("args take any key, __proto__ too, without touching a prototype", () => {
    const { file, problems } = load(
      "jobs:\n  - name: A\n    args: {anything: 1, __proto__: {polluted: true}}\ntodo: [A]\n",
    );
    expect(problems.warnings).toEqual([]);
    expect(Object.keys(file.jobs.get("A")?.args[0] ?? {})).toEqual(["anything", "__proto__"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

test("YAML anchors, aliases and merges work, and a map's own keys win over merged ones", () => {
  const { file } = load(
    "jobs:\n  - &base\n    name: A\n    args: &args {x: 1, y: 1}\n  - <<: *base\n    name: B\n    args: {<<: *args, y: 2}\ntodo: [A, B]\n",
  );
  expect(file.jobs.get("B")?.args).toEqual([{ y: 2, x: 1 }]);
  expect(file.jobs.get("A")?.args).toEqual([{ x: 1, y: 1 }]);
});

test("a script knows the line and the indentation at which it stands in the job file", () => {
  const { file } = load(
    "jobs:\n  - name: A\n    exec: | # js\n\n      one();\n      two();\n  - name: B\n    exec: one()\ntodo: [A]\n",
  );
  expect(file.jobs.get("A")?.exec).toMatchObject({ code: "\none();\ntwo();\n", line: 4, indent: 6, exact: true });
  expect(file.jobs.get("B")?.exec).toMatchObject({ code: "one()", line: 8, indent: 10, exact: true });
});

describe("the commonest mistakes of YAML say what to do", () => {
  const cron = (value: string): string => `jobs:\n  - name: A\n    typeArgs:\n      cron: ${value}\ntodo: [A]\n`;

  test.each([
    [
      "a colon and a blank in a text",
      'jobs:\n  - name: A\n    exec: log("status: ok")\n',
      /^3:11 .*colon.*Quote the text.*exec: \|/,
    ],
    ["the same in a map of code", "jobs:\n  - name: A\n    exec: throw { code: 7 }\n", /^3:11 .*colon/],
    ["a schedule that begins with a star", cron("*/5 * * * *"), /^4:13 .*alias.*Quote it: "\*\/5 \* \* \* \*"/],
    ["a schedule of stars", cron("* * * * *   # always"), /^4:13 .*Quote it: "\* \* \* \* \*"/],
    [
      "a schedule in a flow map",
      "jobs:\n  - { name: A, typeArgs: { cron: */5 * * * * } }\n",
      /^2:34 .*Quote it: "\*\/5 \* \* \* \*"/,
    ],
    ["an alias without an anchor", cron("*/5"), /^4:13 .*Quote it: "\*\/5"/],
  ])("%s", (_, yaml, message) => {
    expect(errorsOf(() => load(yaml))).toEqual([expect.stringMatching(message)]);
  });

  test("a key that is indented too far is not a colon in a text", () => {
    expect(errorsOf(() => load("a: b\n  c: d\n"))).toEqual([expect.stringMatching(/^1:4 this is not valid YAML: /)]);
  });
});
