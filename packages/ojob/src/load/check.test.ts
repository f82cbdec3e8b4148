import { describe, expect, test } from "vitest";
import { errorsOf, load, warningsOf } from "../testing/load.js";
import { fullValue, pathsOf } from "../testing/values.js";
import { jobFileShape } from "./schema.js";
import { isOpenAfKey } from "./unknown-keys.js";

describe("unknown keys, and keys in the wrong place", () => {
  const job = (more: string): string => `jobs:\n  - name: A\n    ${more}\ntodo: [A]\n`;

  test.each([
    [
      "cron on a job",
      job('cron: "* * * * *"'),
      '3:5 unknown key "cron" in this job: it has no effect. It belongs under "typeArgs".',
    ],
    [
      "daemon at the top",
      `daemon: true\n${job("exec: a")}`,
      '1:1 unknown key "daemon": it has no effect. It belongs under "ojob".',
    ],
    [
      "todo in a job",
      job("todo: [A]"),
      '3:5 unknown key "todo" in this job: it has no effect. It belongs at the top level of the file.',
    ],
    [
      "deps in typeArgs",
      job("typeArgs: {deps: A}"),
      '3:16 unknown key "deps" in "typeArgs": it has no effect. It belongs in a job.',
    ],
    ["exec at the top", `exec: a\n${job("exec: a")}`, '1:1 unknown key "exec": it has no effect. It belongs in a job.'],
    [
      "stopWhen at the top",
      `stopWhen: a\n${job("exec: a")}`,
      '1:1 unknown key "stopWhen": it has no effect. It belongs under "typeArgs" of a job.',
    ],
    [
      "logFolder in ojob",
      `ojob: {logFolder: a}\n${job("exec: a")}`,
      '1:8 unknown key "logFolder" in "ojob": it has no effect. It belongs under "logToFile".',
    ],
    [
      "chLocks on a job",
      job("chLocks: {}"),
      '3:5 unknown key "chLocks" in this job: it has no effect. It belongs under "args".',
    ],
    [
      "when in ojob",
      `ojob: {when: a}\n${job("exec: a")}`,
      '1:8 unknown key "when" in "ojob": it has no effect. It belongs in an item of "todo".',
    ],
    [
      "a misspelt one",
      `deamon: true\n${job("exec: a")}`,
      '1:1 unknown key "deamon": it has no effect. Did you mean "daemon" under "ojob"?',
    ],
    [
      "one of OpenAF",
      `ojob: {depsWait: true}\n${job("exec: a")}`,
      '1:8 unknown key "depsWait" in "ojob": it has no effect. OpenAF has it, but ojm does not.',
    ],
    [
      "one of OpenAF in a map",
      `ojob: {log: {level: info}}\n${job("exec: a")}`,
      '1:14 unknown key "level" in "log": it has no effect. OpenAF has it, but ojm does not.',
    ],
    ["none like it", `zzzzzzzzzz: true\n${job("exec: a")}`, '1:1 unknown key "zzzzzzzzzz": it has no effect.'],
  ])("an unknown or misplaced key is warned of, with a hint where there is one: %s", (_, yaml, expected) => {
    expect(warningsOf(yaml)).toEqual([expected]);
  });
});

describe("values of a job file", () => {
  const settings = (more: string): string => `ojob: {${more}}\njobs: [{name: A}]\ntodo: [A]\n`;

  test.each([
    [
      "a number in quotes",
      settings('numThreads: "4"'),
      '1:20 "numThreads" must be a whole number of threads, 1 or more, not the text "4". Write 4 without quotes.',
    ],
    [
      "a flag in quotes",
      settings('daemon: "true"'),
      '1:16 "daemon" must be true or false, not the text "true". Write true without quotes.',
    ],
    [
      "a number that is too small",
      settings("depsTimeout: -1"),
      '1:21 "depsTimeout" must be a whole number of milliseconds, 0 or more, not -1.',
    ],
    [
      "an unknown format",
      settings("log: {format: xml}"),
      '1:22 "format" must be one of human, json, not the text "xml".',
    ],
    [
      "a channel without a name",
      settings("channels: {create: [{type: db}]}"),
      '1:28 this item of "create" has no "name".',
    ],
    [
      "args that are no maps",
      "jobs: [{name: A, args: [1, {}]}]\ntodo: [A]",
      '1:25 each item of "args" must be a map, not 1.',
    ],
    [
      "a dependency without a name",
      "jobs: [{name: A, deps: [{onFail: x}]}]\ntodo: [A]",
      '1:25 this item of "deps" has no "name".',
    ],
    [
      "a module that is a list",
      "code: {a.js: []}\njobs: [{name: A}]\ntodo: [A]",
      '1:14 "a.js" must be a text, not a list.',
    ],
    [
      "a help that is a list",
      "help: []\njobs: [{name: A}]\ntodo: [A]",
      '1:7 "help" must be a text or a map, not a list.',
    ],
  ])("%s is an error", (_, yaml, expected) => {
    expect(errorsOf(() => load(yaml))).toEqual([expected]);
  });

  test("wrong values are left out of the loaded file: its readers find the right kind, or nothing", () => {
    const { file } = load(
      "ojob: {numThreads: x, daemon: true}\njobs: [{name: A, typeArgs: {cron: [1]}, from: [{}, A]}]\ntodo: [[], A]",
    );
    expect(file.settings.numThreads).toBeUndefined();
    expect(file.settings.daemon).toBe(true);
    expect(file.jobs.get("A")?.typeArgs.cron).toBeUndefined();
    expect(file.jobs.get("A")?.from).toEqual([expect.objectContaining({ job: "A" })]);
    expect(file.todo.map(({ job }) => job)).toEqual(["A"]);
  });
});

test("a duplicate key is an error at its second place, and is found at once among 100,000 keys", () => {
  expect(errorsOf(() => load("jobs: [{name: A, exec: a, exec: b, args: []}]\ntodo: [A]\ntodo: [B]"))).toEqual([
    '1:27 the key "exec" is already there, in line 1.',
    '3:1 the key "todo" is already there, in line 2.',
  ]);
  const many = Array.from({ length: 100_000 }, (_, i) => `k${i}: 1`).join(", ");
  expect(errorsOf(() => load(`init: {${many}, k0: 1}\njobs: [{name: A}]\ntodo: [A]`))).toHaveLength(1);
});

test("no key of ojm's job files is taken for a key that only OpenAF has", () => {
  for (const path of pathsOf(fullValue(jobFileShape, 1))) {
    const keys = path.filter((key) => typeof key === "string");
    const key = keys.at(-1);
    if (key !== undefined) expect([path, isOpenAfKey(key, keys.slice(0, -1))]).toEqual([path, false]);
  }
});

describe("what only OpenAF has", () => {
  const job = (more: string): string => `jobs:\n  - name: A\n    ${more}\ntodo: [A]\n`;

  test("earlier, then and onerror mean from, to and catch", () => {
    const { file } = load(
      "ojob: { onerror: a() }\njobs: [{ name: A, earlier: B, then: [C, D], onerror: log(1) }]\ntodo: [A]\n",
    );
    const { from, to, catch: onError } = file.jobs.get("A") ?? {};
    expect([from, to].map((list) => list?.map((one) => "job" in one && one.job))).toEqual([["B"], ["C", "D"]]);
    expect(onError?.map(({ block }) => block.code)).toEqual(["log(1)"]);
    expect(file.settings.catch?.code).toBe("a()");
  });

  test.each([
    [
      "a state in typeArgs",
      job("typeArgs: { when: x }"),
      '3:17 "when" belongs to OpenAF: ojm has no states: set one by $set("state", "ready") in a script, and write "when" in the item of "todo": return $get("state") == "ready".',
    ],
    [
      "states in todo",
      "jobs: [{ name: A }]\ntodo: [{ name: A, when: [x, y] }]\n",
      '2:25 "when" must be a text, not a list. It is code, which returns true. ojm has no states: set one by $set("state", "ready") in a script, and write "when" in the item of "todo": return $get("state") == "ready".',
    ],
  ])("%s is an error that says what to write instead", (_, yaml, message) => {
    expect(errorsOf(() => load(yaml))).toEqual([message]);
  });

  test("an argument right under check belongs under in", () => {
    expect(warningsOf(job("check: { file: isString }"))).toEqual([
      '3:14 unknown key "file" in "check": it has no effect. Checks of arguments belong under "in": check: { in: { file: … } }.',
    ]);
  });

  test("opacks is not an unknown key: five hundred files have it, and it changes nothing", () => {
    expect(warningsOf(`ojob: { opacks: [{ OpenAF: ">=20250101" }, S3] }\n${job("exec: log(1)")}`)).toEqual([]);
    expect(warningsOf(`ojob: { channels: { log: 1 } }\n${job("exec: log(1)")}`)).toEqual([
      '1:21 unknown key "log" in "channels": it has no effect. OpenAF has it, but ojm does not.',
    ]);
  });
});

test.each(["depends", "needs", "dependsOn", "depends_on", "requires", "dep", "dependencies"])(
  "a job with %s instead of deps is an error: its order would be lost",
  (key) => {
    const yaml = `jobs:\n  - { name: A, exec: log(1) }\n  - { name: B, ${key}: [A], exec: log(2) }\ntodo: [B, A]\n`;
    expect(errorsOf(() => load(yaml))).toEqual([
      `3:16 unknown key "${key}" in this job: it would not wait for other jobs. Write them under "deps".`,
    ]);
  },
);

describe("a job whose work stands under a key that is none", () => {
  const job = (more: string): string => `jobs:\n  - name: A\n    ${more}\ntodo: [A]\n`;

  test.each(["script", "run", "command", "cmd", "shell", "bash"])("%s as its only work is an error", (key) => {
    const nothing = new RegExp(
      `^3:5 unknown key "${key}" in this job, which has nothing else to do\\. .*under "exec".*lang: shell`,
    );
    expect(errorsOf(() => load(job(`${key}: ls`)))).toEqual([expect.stringMatching(nothing)]);
    expect(errorsOf(() => load(job(`lang: shell\n    ${key}: ls`)))).toEqual([
      expect.stringMatching(/^4:5 .*under "exec"/),
    ]);
    const both = job(`${key}: ls\n    exec: print(1)`);
    expect(errorsOf(() => load(both))).toEqual([]);
    expect(warningsOf(both)).toEqual([expect.stringMatching(/ it has no effect\. .*"exec"/)]);
  });

  test.each([
    ["to: B", "to"],
    ["typeArgs: { file: a.js }", "file"],
  ])("beside other work it is a warning: %s", (work) => {
    const yaml = `${job(`run: ls\n    ${work}`)}`.replace("todo:", "  - { name: B, exec: print(1) }\ntodo:");
    expect(errorsOf(() => load(yaml))).toEqual([]);
  });
});

describe("hints for keys that other programs have", () => {
  test.each([
    ["tz: UTC", ' Did you mean "timeZone" under "typeArgs"?'],
    ["typeArgs: { tz: UTC }", ' Did you mean "timeZone"?'],
    ['schedule: "* * * * *"', ' Did you mean "cron" under "typeArgs"?'],
    ["typeArgs: { xyz: 1 }", ""],
    ["qq: 1", ""],
    ["arg: { a: 1 }", ' Did you mean "args"?'],
  ])("%s", (line, hint) => {
    const yaml = `jobs:\n  - name: A\n    exec: a\n    ${line}\ntodo: [A]\n`;
    expect(warningsOf(yaml)).toEqual([expect.stringMatching(/ it has no effect\./)]);
    expect(warningsOf(yaml)[0]?.split("it has no effect.")[1]).toBe(hint);
  });

  test.each(["crn", "schedule", "chron", "timeIntervall"])(
    "a job that has %s in the place of its schedule is refused: it would run at once",
    (word) => {
      const yaml = `jobs: [{ name: A, exec: a, typeArgs: { ${word}: "0 2 * * *" } }]\ntodo: [A]\n`;
      expect(errorsOf(() => load(yaml))).toEqual([
        expect.stringMatching(/ Did you mean "(cron|timeInterval)"\? Without it, the job has no schedule/),
      ]);
      expect(warningsOf(yaml.replace("typeArgs: {", 'typeArgs: { cron: "@daily",'))).toHaveLength(1);
    },
  );

  test.each([
    [
      "once: { key: a, keep: 1d }",
      /^\d+:\d+ a job file has no "once": to run a job once for an id, .*oJob Director checkin/,
    ],
    ["trigger: { after: 2s }", /^\d+:\d+ a job file has no "trigger": .*"oJob Queue Add" with unique/],
  ])("a job with %s is refused: it would run more often", (setting, message) => {
    for (const yaml of [`typeArgs: { ${setting} }`, setting]) {
      const file = `jobs:\n  - name: A\n    exec: a\n    ${yaml}\ntodo: [A]\n`;
      expect(errorsOf(() => load(file))).toEqual([expect.stringMatching(message)]);
    }
  });

  test("job at the top, and arg in an item of the todo", () => {
    expect(warningsOf("jobs: [{ name: A, exec: a }]\njob: []\ntodo: [{ name: A, arg: { a: 1 } }]\n")).toEqual([
      expect.stringMatching(/"job": it has no effect\. Did you mean "jobs"\?/),
      expect.stringMatching(/"arg" .* Did you mean "args"\?/),
    ]);
  });
});
