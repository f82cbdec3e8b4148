import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { loadJobFile } from "../load/load.js";
import { plan } from "./plan.js";
import type { Plan } from "./planned.js";

function planText(yaml: string, commandLine: Record<string, unknown> = {}): { plan: Plan; errors: string[] } {
  const { file, problems } = loadJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"));
  const planned = plan(file, commandLine, problems);
  return { plan: planned, errors: problems.errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`) };
}

function managed(args: string, todo = "A"): string {
  return `include: oJobManager.yaml\njobs:\n  - name: A\n    from: oJobManager Job Start\n    args: ${args}\ntodo: [${todo}]\n`;
}

describe("names of jobs", () => {
  test("an unknown job in the todo is an error that names the nearest job", () => {
    expect(planText("jobs: [{name: Process Data}]\ntodo:\n  - Proces Data\n").errors).toEqual([
      '3:5 "todo" names the job "Proces Data", which does not exist. Did you mean "Process Data"?',
    ]);
  });

  test("a built-in job that is not included is an error that says how to include it", () => {
    expect(planText("jobs: [{name: A, from: oJobManager Job Start}]\ntodo: [A]\n").errors[0]).toMatch(
      /^1:24 "from" of "A" names .* It comes with oJobManager\.yaml: add "include: \[oJobManager\.yaml\]"\.$/,
    );
  });

  test("a job that comes with OpenAF is reported as such, not as a misspelling", () => {
    expect(planText("jobs: [{name: A, deps: oJob Sec Get}]\ntodo: [A, ojob questions]\n").errors).toEqual([
      '1:24 "deps" of "A" names the job "oJob Sec Get", which comes with OpenAF, and not with ojm. Write the shortcut (secget).',
      '2:11 "todo" names the job "ojob questions", which comes with OpenAF, and not with ojm.',
    ]);
  });

  test("a job of type jobs with a url that is none is one error", () => {
    expect(planText("jobs: [{name: A, type: jobs, typeArgs: {url: x}}]\ntodo: [A]\n").errors).toEqual([
      '1:46 "url" of "A" must begin with http:// or https://.',
    ]);
  });

  test("then beside to, which OpenAF leaves out without a word, is an error", () => {
    expect(planText("jobs: [{name: A, to: B, then: B}, {name: B}]\ntodo: [A]\n").errors).toEqual([
      '1:25 "A" has both "to" and "then", which mean the same. Write one of them.',
    ]);
  });

  test("a catch that names a job is that job, anything else is code", () => {
    const { plan, errors } = planText('jobs: [{name: A, catch: [B, "log(1)"]}, {name: B}]\ntodo: [A]\n');
    expect(errors).toEqual([]);
    expect(plan.jobs.get("A")?.onError).toMatchObject([{ job: "B" }, { code: { code: "log(1)" } }]);
  });

  test("a catch that is nearly the name of a job is not taken for code", () => {
    expect(
      planText("include: oJobManager.yaml\njobs: [{name: A, catch: oJobManager Eror}]\ntodo: [A]\n").errors,
    ).toEqual([
      '2:25 "oJobManager Eror" is not a job of this file, and not code. Did you mean the job "oJobManager Error"?',
    ]);
  });

  test("steps (from, to) in a cycle are an error", () => {
    expect(planText("jobs: [{name: A, from: B}, {name: B, to: A}]\ntodo: [A]\n").errors[0]).toMatch(/"A" → "B" → "A"/);
  });
});

describe("dependencies", () => {
  test("a dependency on a job that does not exist is an error that names the nearest job", () => {
    expect(planText("jobs: [{name: Extract}, {name: B, deps: [Extrakt]}]\ntodo: [B]\n").errors).toEqual([
      '1:42 "deps" of "B" names the job "Extrakt", which does not exist. Did you mean "Extract"?',
    ]);
  });

  test.each([
    ["of two", "{name: A, deps: B}, {name: B, deps: [{name: A, onFail: return true}]}", '"A" → "B" → "A"'],
    ["of one", "{name: A, deps: A}", '"A" → "A"'],
    ["through a step", "{name: A, deps: B}, {name: B, from: S}, {name: S, deps: A}", '"A" → "B" → "S" → "A"'],
    ["through each", "{name: A, each: B}, {name: B, deps: A}", '"A" → "B" → "A"'],
  ])("dependencies in a cycle %s are an error that names the cycle", (_, jobs, cycle) => {
    expect(planText(`jobs: [${jobs}]\ntodo: [A]\n`).errors).toEqual([
      `1:15 these jobs wait for each other in a cycle: ${cycle}.`,
    ]);
  });

  test("dependencies that meet again in one job are not a cycle", () => {
    const jobs =
      "{name: A}, {name: B, deps: A}, {name: C, deps: A}, {name: D, deps: [B, C], from: S}, {name: S, deps: A}";
    const { plan, errors } = planText(`jobs: [${jobs}]\ntodo: [D]\n`);
    expect(errors).toEqual([]);
    expect(plan.jobs.get("D")?.deps.map(({ job }) => job)).toEqual(["B", "C", "A"]);
  });
});

describe("scripts of a job file", () => {
  test.each([
    ["a wrong token", "if (x {", 13],
    ["the [...] of a template", "var x = [...];", 19],
    ["an await that goes wrong", "await foo(;", 17],
  ])("a syntax error in a script is shown at its line and column: %s", (_, code, column) => {
    const { errors } = planText(`jobs:\n  - name: A\n    exec: |\n      one();\n      ${code}\ntodo: [A]\n`);
    expect(errors).toEqual([expect.stringMatching(new RegExp(`^5:${column} the script of "A" has a syntax error: `))]);
  });

  test("a script that ends too early is an error at its last line, not in the next job", () => {
    const { errors } = planText(
      "jobs:\n  - name: A\n    exec: |\n      if (x) {\n        y();\n\n  - name: B\ntodo: [A]\n",
    );
    expect(errors).toEqual([expect.stringMatching(/^5:13 the script of "A" has a syntax error: /)]);
  });

  test.each([
    ["onFail", "jobs: [{name: A}, {name: B, deps: [{name: A, onFail: 'if ('}]}]\ntodo: [B]\n"],
    ["stopWhen", "jobs: [{name: B, typeArgs: {stopWhen: 'if ('}}]\ntodo: [B]\n"],
    ["when", "jobs: [{name: B}]\ntodo: [{name: B, when: 'if ('}]\n"],
  ])("the code of %s is checked for syntax errors too", (key, yaml) => {
    expect(planText(yaml).errors).toEqual([expect.stringContaining(`the "${key}" of "B" has a syntax error`)]);
  });

  test("await, return and import are allowed in a script", () => {
    const code = "await null; const fs = await import('node:fs'); if (fs) return 1;";
    expect(planText(`jobs:\n  - name: A\n    exec: |\n      ${code}\ntodo: [A]\n`).errors).toEqual([]);
  });
});

describe("arguments of managed jobs", () => {
  test.each([
    ['{name: a, timeout: "1h"}', '5:29 "timeout" must be a number of milliseconds, more than 0, not "1h".'],
    ["{name: a, timeout: -5}", '5:24 "timeout" must be a number of milliseconds, more than 0, not -5.'],
    ["{name: a, timeout: 0}", '5:24 "timeout" must be a number of milliseconds, more than 0, not 0.'],
    ["{timeout: 5}", '6:8 oJobManager Job Start needs "name" among the args: what the lock is called.'],
  ])("a managed job with args %s is refused before anything starts", (args, expected) => {
    const [error] = planText(managed(args)).errors;
    // The column of a quoted text is that of its quote.
    expect(error?.replace(/^\d+:\d+/, "")).toBe(expected.replace(/^\d+:\d+/, ""));
    expect(error?.split(":")[0]).toBe(expected.split(":")[0]);
  });

  test("a timeout that the command line gives to a managed job is checked too", () => {
    expect(planText(managed("{name: a}"), { timeout: "1h" }).errors[0]).toMatch(/"timeout" must be .* not "1h"/);
    expect(planText(managed("{name: a}"), { timeout: 5 }).errors).toEqual([]);
  });

  test("an argument named timeout of a job that is not managed is not checked", () => {
    expect(planText('jobs: [{name: A, args: {timeout: "1h"}}]\ntodo: [A]\n').errors).toEqual([]);
  });

  test("name and timeout of a managed job are not checked where a template or a script sets them", () => {
    expect(planText(managed('{name: "{{x}}", timeout: "{{ms}}"}')).errors).toEqual([]);
    const set = `include: oJobManager.yaml\njobs:\n  - {name: S, exec: "args.name = 'x'"}\n  - {name: A, from: [S, oJobManager Job Start]}\ntodo: [A]\n`;
    expect(planText(set).errors).toEqual([]);
  });
});

test("forty jobs, each of which has the next as a step twice, are planned at once", () => {
  const jobs = Array.from({ length: 40 }, (_, i) => `{name: "${i}", from: ["${i + 1}", "${i + 1}"], deps: D}`);
  const { plan, errors } = planText(`jobs: [${jobs.join(", ")}, {name: "40"}, {name: D}]\ntodo: ["0"]\n`);
  expect(errors).toEqual([]);
  expect(plan.jobs.get("0")?.deps.map(({ job }) => job)).toEqual(["D"]);
});
