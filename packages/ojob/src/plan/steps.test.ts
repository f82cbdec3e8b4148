import { describe, expect, test } from "vitest";
import { load } from "../testing/load.js";
import { plan } from "./plan.js";

function problemsOf(yaml: string): string[] {
  const { file, problems } = load(yaml);
  plan(file, {}, problems);
  return problems.list.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

const errorsOfItem = (item: string, jobs = "[{ name: A }, { name: Load }]"): string[] =>
  problemsOf(`todo:\n  - ${item}\njobs: ${jobs}\n`);

describe("shortcuts are checked before anything starts", () => {
  test.each([
    [
      "an unknown job in then",
      "{ (if): 1 == 1, ((then)): [A, Lod] }",
      '2:35 "((then))" of "(if)" names the job "Lod", which does not exist. Did you mean "Load"?',
    ],
    [
      "an unknown job in a shortcut in a shortcut",
      "{ (todo): [{ (parallel): [C] }] }",
      '2:31 "(parallel)" names the job "C", which does not exist.',
    ],
    [
      "an unknown job of a map of lists",
      "{ (optionOn): x, ((todos)): { a: [{ name: C }] } }",
      '2:47 "((todos))" of "(optionOn)" names the job "C", which does not exist.',
    ],
    [
      "code of a condition",
      "{ (if): args.a ===, ((then)): A }",
      /^2:\d+ the "\(if\)" of "todo" has a syntax error: Unexpected token/,
    ],
    ["a number that is none", "{ (wait): soon }", '2:15 this must be a number of milliseconds, not "soon".'],
    [
      "a format that there is not",
      "{ (output): x, ((format)): xml }",
      /^2:32 "\(\(format\)\)" must be one of json, .*, not "xml"\.$/,
    ],
    [
      "an operation that there is not",
      "{ (ch): x, ((op)): put }",
      /^2:24 "\(\(op\)\)" must be one of get, .*, not "put"\.$/,
    ],
    ["an address", "{ (run): ojob.io/envs }", "2:14 only files can be run: fetch ojob.io/envs, and name the copy."],
    [
      "a job where a file must be",
      "{ (run): A }",
      '2:14 "A" is a job of this file: write its name alone, without the shortcut.',
    ],
    ["a query", "{ (query): limt(5) }", '2:16 the query cannot be read: there is no call "limt". Did you mean limit?'],
    [
      "code in a query",
      "{ (query): filter(x => 1) }",
      "2:23 the query cannot be read: only texts, numbers, true, false, null and lists are read here.",
    ],
    ["a template", "{ (log): '{{#if x}}a' }", /^2:14 the template in "\(log\)" cannot be filled: in line 1/],
    [
      "an unknown helper in a value",
      "{ (pass): { a: '{{#each x}}{{$gt 1}}{{/each}}' } }",
      /^2:15 the template in "\(pass\)" cannot be filled: there is no helper "\$gt"/,
    ],
    [
      "an exit without a failure",
      "{ (fail): 0 }",
      /^2:15 \(fail\) ends the run as failed: give it a code other than 0/,
    ],
    [
      "a file that is neither YAML nor JSON",
      "{ (fileget): a.csv }",
      /^2:18 \(fileget\) reads files whose names end with/,
    ],
    [
      "replacements without a text",
      "{ (findReplace): { a: b } }",
      /^2:22 \(findReplace\) needs \(\(inputKey\)\) or \(\(inputFile\)\)\.$/,
    ],
    ["code for the name of a function", "{ (fn): 'a()' }", /^2:13 \(fn\) takes the name of a function/],
    [
      "a shortcut that is a text",
      '"(debug)"',
      '2:5 "todo" names the job "(debug)", which does not exist. A shortcut needs a colon after it: "(debug):".',
    ],
    [
      "a job of OpenAF",
      "ojob report",
      '2:5 "todo" names the job "ojob report", which comes with OpenAF, and not with ojm.',
    ],
  ])("%s is an error at its place", (_, item, message) => {
    expect(errorsOfItem(item)).toEqual([typeof message === "string" ? message : expect.stringMatching(message)]);
  });

  test.each([
    ["a name that a template decides", "{ (todo): ['{{job}}'] }"],
    ["a number that a template decides", "{ (wait): '{{ms}}' }"],
    ["a condition with templates", `{ (if): "'{{a}}' == 'b' && {{n}} > 1", ((then)): A }`],
    ["a condition with blocks", "{ (if): '{{#if a}}true{{else}}false{{/if}}', ((then)): A }"],
    ["a condition with a comment behind it", '{ (if): "args.a // why", ((then)): A }'],
    ["the helpers of shortcuts", "{ (pass): { a: \"{{$get 'k'}}\", b: \"{{$path ($get 'k') '[0].x'}}\" } }"],
    ["a query of words and texts", "{ (query): \"equals(holder.host, 'a').greater(n, -1).limit(5)\" }"],
  ])("%s is not an error", (_, item) => {
    expect(errorsOfItem(item)).toEqual([]);
  });

  test("the condition of several lines has its error in the right one", () => {
    const yaml = "todo:\n  - (if): |\n      args.a ||\n      args.b c\n    ((then)): A\njobs: [{ name: A }]\n";
    expect(problemsOf(yaml)).toEqual([expect.stringMatching(/^4:14 the "\(if\)" of "todo" has a syntax error/)]);
  });

  test.each([
    ["periodic", "typeArgs: { timeInterval: 5 }", /its schedule begins in "todo" only/],
    ["subscribe", "type: subscribe, typeArgs: { chSubscribe: c }", /its subscription begins in "todo" only/],
    ["shutdown", "type: shutdown", /runs at the end: name it in "todo", with a "when"/],
  ])("a job of type %s cannot be run by a shortcut: it would not begin", (_, more, message) => {
    const errors = errorsOfItem("{ (if): 1, ((then)): [A] }", `[{ name: A, ${more} }]`);
    expect(errors).toEqual([expect.stringMatching(message)]);
  });

  test("jobs that a shortcut runs count for cycles", () => {
    expect(
      problemsOf("jobs: [{ name: A, to: { (if): x, ((then)): [B] } }, { name: B, from: A }]\ntodo: [A]\n"),
    ).toEqual([expect.stringMatching(/these jobs are steps of each other in a cycle: "A" → "B" → "A"/)]);
    expect(problemsOf("jobs: [{ name: A, to: { (todo): B } }, { name: B, deps: A }]\ntodo: [A]\n")).toEqual([
      expect.stringMatching(/these jobs wait for each other in a cycle: "A" → "B" → "A"/),
    ]);
  });

  test("the arguments of a step that takes or releases the lock are those of its job", () => {
    const yaml =
      "include: oJobManager.yaml\njobs:\n  - name: A\n    from: { name: oJobManager Job Start, args: { name: x } }\ntodo: [A]\n";
    expect(problemsOf(yaml)).toEqual([
      '4:56 "oJobManager Job Start" uses the args of the job that has it as a step: write these args in that job.',
    ]);
  });
});
