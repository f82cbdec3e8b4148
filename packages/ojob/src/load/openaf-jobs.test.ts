import { describe, expect, test } from "vitest";
import { plan } from "../plan/plan.js";
import { errorsOf, load } from "../testing/load.js";
import type { Shortcut } from "./job-file.js";

/** All problems of a file, with their lines and columns. */
function problemsOf(yaml: string): string[] {
  const { file, problems } = load(yaml);
  plan(file, {}, problems);
  return problems.list.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

const todoOf = (item: string): string => `todo:\n  - ${item}\njobs: [{ name: A }, { name: B }]\n`;

/** The shortcut into which an item of the todo is converted. */
function shortcutOf(item: string): Shortcut {
  const { file, problems } = load(todoOf(item));
  expect(problems.list).toEqual([]);
  return file.todo[0]?.shortcut ?? expect.fail("no shortcut");
}

/** The contents of a shortcut, without its place. */
function contentOf({ name, values, lists, args }: Shortcut): unknown {
  const jobs = Object.entries(lists).map(([list, items]) => {
    return [list, items.map((one) => ("job" in one ? one.job : contentOf(one.shortcut)))];
  });
  return { name, values, lists: Object.fromEntries(jobs), args };
}

describe("a job of OpenAF that a shortcut stands for is read as that shortcut", () => {
  test.each([
    [
      "{ name: ojob options, args: { __optionOn: op, __lowerCase: true, __todos: { a: [A], b: B }, __default: A } }",
      "{ (optionOn): op, ((lowerCase)): true, ((todos)): { a: [A], b: B }, ((default)): A }",
    ],
    [
      "{ name: ojob output, args: { __key: k, __path: a, __format: json, __title: t, __internal: true } }",
      "{ (output): k, ((path)): a, ((format)): json, ((title)): t, ((internal)): true }",
    ],
    ["{ job: ojob output, args: { key: k, format: json } }", "{ (output): k, ((format)): json }"],
    [
      "{ name: ojob if, args: { __condition: 1 == 1, __then: A, __else: [B], __debug: true } }",
      "{ (if): 1 == 1, ((then)): A, ((else)): [B], ((debug)): true }",
    ],
    ["{ name: ojob get, args: { __key: k, __path: a } }", "{ (get): k, ((path)): a }"],
    ["{ name: ojob set, args: { __key: k, __path: a } }", "{ (set): k, ((path)): a }"],
    ["{ name: ojob repeat, args: { __times: 2, __jobs: [A, B] } }", "{ (repeat): 2, ((todo)): [A, B] }"],
    [
      "{ name: ojob repeat with each, args: { __key: args, __path: list, __jobs: A } }",
      "{ (each): list, ((key)): args, ((todo)): A }",
    ],
    [
      "{ name: ojob file get, args: { __file: a.yaml, __key: k, __cache: false, __ttl: 5, __out: o } }",
      "{ (fileget): a.yaml, ((key)): k, ((cache)): false, ((ttl)): 5, ((out)): o }",
    ],
    [
      "{ name: ojob query, args: { __query: limit(1), __from: a, __to: b, __key: args } }",
      "{ (query): limit(1), ((from)): a, ((to)): b, ((key)): args }",
    ],
    [
      "{ name: ojob function, args: { __key: k, __fn: f, __path: a, __fnPath: b } }",
      "{ (fn): f, ((key)): k, ((path)): a, ((fnPath)): b }",
    ],
    ["{ name: ojob job, args: { _checks: A, _actions: { none: B } } }", "{ (check): A, ((actions)): { none: B } }"],
    ["{ name: ojob wait, args: { time: 5 } }", "{ (wait): 5 }"],
    ["{ name: ojob print, args: { msg: hi, level: error } }", "{ (print): hi, ((level)): error }"],
    ["ojob debug", "{ (debug): }"],
    ["oJob Output", "{ (output): }"],
  ])("%s", (job, shortcut) => {
    expect(contentOf(shortcutOf(job))).toEqual(contentOf(shortcutOf(shortcut)));
  });

  test("other args of the reference are the args of the shortcut", () => {
    expect(shortcutOf("{ name: ojob output, args: { __key: args, who: me } }").args).toEqual({ who: "me" });
  });

  test("in the lists of jobs and of shortcuts, even of those that are such jobs", () => {
    const nested = "{ name: ojob options, args: { __optionOn: x, __todos: { a: [{ (todo): [ojob debug] }] } } }";
    expect(contentOf(shortcutOf(nested))).toEqual(
      contentOf(shortcutOf("{ (optionOn): x, ((todos)): { a: [{ (todo): [{ (debug): }] }] } }")),
    );
  });

  test.each(["from", "to", "earlier", "then"])(
    "in %s of a job, whose args are its options and no longer args",
    (key) => {
      const args = "{ __optionOn: op, __todos: { a: B }, op: a }";
      const { file, problems } = load(
        `jobs: [{ name: A, ${key}: ojob options, args: ${args} }, { name: B }]\ntodo: [A]\n`,
      );
      expect(problems.list).toEqual([]);
      const { from, to, args: left } = file.jobs.get("A") ?? expect.fail("no job");
      const [step] = [...from, ...to];
      expect(step).toMatchObject({ shortcut: { name: "optionOn", values: { value: "op" } } });
      expect(left).toEqual([{ op: "a" }]);
    },
  );

  test("all steps of a job share its args, and those of the reference win", () => {
    const steps = "to: [ojob output, { name: ojob output, args: { __format: json } }]";
    const { file } = load(`jobs: [{ name: A, ${steps}, args: { __key: k, __format: yaml } }]\ntodo: [A]\n`);
    const values = file.jobs.get("A")?.to.map((step) => "shortcut" in step && step.shortcut.values);
    expect(values).toEqual([
      { value: "k", format: "yaml" },
      { value: "k", format: "json" },
    ]);
  });
});

describe("a mistake in such a job is an error at its place", () => {
  test.each([
    [
      "a job in its list that does not exist",
      "{ name: ojob options, args: { __optionOn: x, __todos: { a: [Aa] } } }",
      '2:65 "((todos))" of "(optionOn)" names the job "Aa", which does not exist. Did you mean "A"?',
    ],
    [
      "a missing value",
      "{ name: ojob options, args: { __todos: {} } }",
      '2:13 "ojob options" needs "__optionOn" among its args.',
    ],
    ["a missing option", "ojob repeat with each", '2:5 "ojob repeat with each" needs "__key" among its args.'],
    [
      "an option that its shortcut lacks",
      "{ name: ojob output, args: { __csv: {} } }",
      /^2:34 the shortcut "\(output\)" has no option "\(\(csv\)\)"\. It has \(\(path\)\)/,
    ],
    [
      "an option of OpenAF that is refused",
      "{ name: ojob output, args: { __function: log } }",
      '2:34 "((function))" of "(output)" is not supported here: write (print) or (log).',
    ],
    ["a wrong value", "{ name: ojob repeat, args: { __times: x, __jobs: A } }", /^2:43 this must be a number of times/],
    [
      "args for several runs",
      "{ name: ojob output, args: [{ __key: a }, { __key: b }] }",
      '2:13 "todo" names the job "ojob output", which comes with OpenAF, and not with ojm. Write the shortcut (output).',
    ],
    [
      "a job without a shortcut",
      "ojob report",
      '2:5 "todo" names the job "ojob report", which comes with OpenAF, and not with ojm.',
    ],
  ])("%s", (_, item, message) => {
    const found = problemsOf(todoOf(item));
    expect(found[0]).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
  });

  test("in a list of args of the job around, which would be several options", () => {
    const yaml = "jobs: [{ name: A, to: ojob output, args: [{ __key: a }, { __key: b }] }]\ntodo: [A]\n";
    expect(problemsOf(yaml)).toEqual([expect.stringMatching(/^1:23 "to" of "A" names the job "ojob output"/)]);
  });

  test("a wrong job in the args of the job around has its line and column", () => {
    const yaml =
      "todo: [A]\njobs:\n  - name: A\n    to: ojob if\n    args:\n      __condition: 1\n      __then:\n        - Bb\n";
    expect(problemsOf(yaml)).toEqual(['8:11 "((then))" of "(if)" names the job "Bb", which does not exist.']);
  });
});

describe("such a job needs no include, and none is in the way", () => {
  test.each([
    ["include: [ojob.yaml]", ""],
    ["jobsInclude: ojob.yaml", ""],
    ["ojob: { includeOJob: true }", ""],
    ["ojob: { opacks: { oJob-common: 20240101 } }", ""],
    ["ojob: { opacks: [oJob-common] }", ""],
  ])("%s", (line) => {
    expect(problemsOf(`${line}\n${todoOf("ojob debug")}`)).toEqual([]);
  });

  test("a job of that name in the file, or in one that it includes, is that job", () => {
    const own = load("jobs: [{ name: ojob debug }]\ntodo: [ojob debug]\n");
    expect(own.file.todo[0]?.shortcut).toBeUndefined();
    const files = { "more.yaml": "jobs: [{ name: ojob debug }]\n" };
    const included = load("include: more.yaml\ntodo: [ojob debug]\n", files);
    expect(included.file.todo[0]?.shortcut).toBeUndefined();
    const files2 = { "more.yaml": "jobs: [{ name: A, to: ojob debug }]\n" };
    const above = load("include: more.yaml\njobs: [{ name: ojob debug }]\ntodo: [A]\n", files2);
    expect(above.file.jobs.get("A")?.to).toEqual([expect.objectContaining({ job: "ojob debug" })]);
  });

  test("a wrong include is still an error at its place", () => {
    expect(errorsOf(() => load("include: [{ a: 1 }]\ntodo: [ojob debug]\n"))).toEqual([
      expect.stringMatching(/^1:11 each item of "include" must be a text/),
    ]);
  });
});
