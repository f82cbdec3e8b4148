import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

/** A job whose script throws this value, and whose `catch` logs the exception as JSON. */
function throwing(expression: string, lang = "js"): string {
  return `jobs:
  - name: Job
    lang: ${lang}
    exec: |
      throw ${expression};
    catch: "log(typeof exception + ' ' + JSON.stringify(exception))"
todo: [Job]
`;
}

describe.each(["js", "node"])("what a script in %s throws reaches catch as it is", (lang) => {
  test.each([
    ["a text", '"not \\"today\\""', 'string "not \\"today\\""'],
    ["a map", '{ code: 7, message: "far", path: ["a"] }', 'object {"code":7,"message":"far","path":["a"]}'],
    ["a list", "[1, 2]", "object [1,2]"],
    ["a number", "3", "number 3"],
    ["nothing", "null", "object null"],
  ])("a thrown value stays what it is: %s", async (_, expression, seen) => {
    const { lines, well } = await runText(throwing(expression, lang));
    expect({ lines, well }).toEqual({ lines: [seen], well: false });
  });

  test("a thrown error stays an error, with its name and its message", async () => {
    const yaml = throwing("new RangeError('far')", lang).replace("typeof exception", "(exception instanceof Error)");
    const { lines } = await runText(yaml.replace("JSON.stringify(exception)", "exception.name + exception.message"));
    expect(lines).toEqual(["true RangeErrorfar"]);
  });
});

test.each(["js", "node"])(
  "the error of a script in %s names its cause, and a script that catches it sees its own message",
  async (lang) => {
    const cause = `{ cause: Object.assign(new AggregateError([new Error("refused by :1")]), { code: "ECONNREFUSED" }) }`;
    const yaml = throwing(`new TypeError("fetch failed", ${cause})`, lang).replace(
      "JSON.stringify(exception)",
      "exception.message",
    );
    const { lines, err } = await runText(yaml);
    expect(lines).toEqual(["object fetch failed"]);
    expect(err).toContain('job "Job" failed: TypeError: fetch failed: refused by :1 (');
    const long = await runText(throwing(`new Error("a", { cause: new Error("x".repeat(1000)) })`, lang));
    expect(long.err).toMatch(/failed: a: x{300} \(/);
    const repeated = await runText(throwing(`new Error("no: why", { cause: new Error("why") })`, lang));
    expect(repeated.err).toContain("failed: no: why (");
  },
);

test("a map with a function in it reaches catch without the function", async () => {
  const { lines, err } = await runText(throwing('{ why: "late", retry() {} }'));
  expect(lines).toEqual(['object {"why":"late"}']);
  expect(err).toMatch(/job "Job" failed: \{"why":"late"\}/);
});

test("a text that is thrown in a step reaches the catch of its job and ojob.catch as that text", async () => {
  const yaml = `ojob: { catch: log('any ' + exception.toUpperCase()) }
jobs:
  - { name: Step, exec: throw "late" }
  - { name: Job, from: Step, catch: log('own ' + exception.toUpperCase()) }
todo: [Job]
`;
  const { lines, err } = await runText(yaml);
  expect(lines).toEqual(["own LATE", "any LATE"]);
  expect(err).toMatch(/job "Job" failed: late \(.*jobs\.yaml:3:/);
});
