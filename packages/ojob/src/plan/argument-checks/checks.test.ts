import { describe, expect, test } from "vitest";
import { load } from "../../testing/load.js";
import { runText } from "../../testing/run-file.js";
import { plan } from "../plan.js";
import { applyChecks, readCheck } from "./checks.js";

function checked(chain: string, value: unknown): unknown {
  return applyChecks([readCheck("x", chain)], value === undefined ? {} : { x: value }, { what: "argument" })["x"];
}

test.each([
  ["isString", "a", "a"],
  ["isString.default('x')", undefined, "x"],
  ['isString.default("a, (b) \\"c\\"")', undefined, 'a, (b) "c"'],
  ["isString.default(__)", undefined, undefined],
  ["isNumber.default(-1)", null, -1],
  ["isMap.default({a: [1]})", undefined, { a: [1] }],
  ["toNumber.isNumber.default(-1)", "5", 5],
  ["toBoolean.isBoolean.default(false)", "true", true],
  ["toArray.isArray", "a, b", ["a", "b"]],
  ["toArray", [1], [1]],
  ["toMap.isMap", "{ a: 1, 'b': [2] }", { a: 1, b: [2] }],
  ["toMap", { a: 1 }, { a: 1 }],
  ["toDate.isDate", "2026-01-31T00:00:00Z", new Date("2026-01-31T00:00:00Z")],
  ["toString", 5, "5"],
  ["isString.oneOf(['ok', 'nok']).default('nok')", "ok", "ok"],
  ["isNumber.greater(1).lessEquals(5)", 5, 5],
  ["isNumber.between(1, 3)", 2, 2],
  ["isString.starts('a').ends('c').contains('b')", "abc", "abc"],
  ["isArray.contains('a')", ["a"], ["a"]],
  ["isString.regexp('^a+$')", "aaa", "aaa"],
  ["isString . isUUID", "6f9619ff-8b86-4011-b42d-00cf4fc964ff", "6f9619ff-8b86-4011-b42d-00cf4fc964ff"],
  ["isDate", new Date(0), new Date(0)],
  ["isNumber.greater(1).between(1, 10)", "5", "5"],
])("the check %s of the value %j gives %j", (chain, value, result) => {
  expect(checked(chain, value)).toEqual(result);
});

test.each([
  ["isString", undefined, 'the argument "x" is missing'],
  ["isString", 5, 'the argument "x" must be a text: 5'],
  ["toNumber", "five", 'the argument "x" cannot be made a number: "five"'],
  ["toMap", "[1]", 'the argument "x" cannot be made a map: "[1]"'],
  ["toDate", "never", 'the argument "x" cannot be made a date: "never"'],
  ["oneOf(['a', 'b'])", "c", 'the argument "x" must be one of "a", "b": "c"'],
  ["greater(1)", 1, 'the argument "x" must be more than 1: 1'],
  ["isNumber.default(1)", "one", 'the argument "x" must be a number: "one"'],
  ["isTNumber", "1", 'the argument "x" must be a number: "1"'],
  ["greater(1)", "one", 'the argument "x" must be more than 1: "one"'],
  ["notEquals('')", "", 'the argument "x" must not be "": ""'],
])("the check %s refuses the value %j", (chain, value, message) => {
  expect(() => checked(chain, value)).toThrow(message);
});

/** The errors of a job file with one job that has this check. */
function errorsOf(check: string): string[] {
  const { file, problems } = load(`jobs:\n  - name: A\n    check:\n      in:\n        x: ${check}\ntodo: [A]\n`);
  plan(file, {}, problems);
  return problems.errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

test.each([
  ["isStrng", /^5:12 .*"x": there is no check "isStrng"\. Did you mean isString\? There are: default, isString,/],
  ["isString.isNmber", /^5:21 .*there is no check "isNmber"\. Did you mean isNumber\?/],
  ["isString(", /^5:21 .*"isString\(" cannot be read: its end is missing\. Write parameters as in JavaScript/],
  ['"oneOf([)"', /^5:20 .*"oneOf\(\[\)" cannot be read: Unexpected token/],
  ['"5"', /^5:13 .*"5" is not a check/],
  ["5", /the check of "x" must be a text/],
  ["oneOf([ok, nok])", /^5:19 .*ok is not known here\. A text stands in quotes: "ok"\./],
  ["default(!y)", /^5:21 .*y is not known here\..* Compute anything else in the script\.$/],
  ["default(1 + 2)", /^5:20 .*a computation is not evaluated here\. Write a value/],
  ["default(sh('rm x'))", /^5:20 .*sh\(\) is not evaluated here\./],
  ["default(args.x.constructor('x')())", /^5:20 .*this call is not evaluated here\./],
  ["default((() => 1)())", /^5:20 .*this call is not evaluated here\./],
  ["default(process.env)", /^5:20 .*only fields of args are known here/],
])("a check that cannot be read is an error with its place: %s", (check, message) => {
  expect(errorsOf(check)).toEqual([expect.stringMatching(message)]);
});

test("a check that is a text instead of a map is an error", () => {
  const { file, problems } = load("jobs: [{name: A, check: {in: isString}}]\ntodo: [A]\n");
  plan(file, {}, problems);
  expect(problems.errors[0]?.message).toMatch(/must be a map of arguments/);
});

describe("as OpenAF: the default of a check is evaluated", () => {
  test.each([
    ["default({ a: 1, 'b c': [true] })", { a: 1, "b c": [true] }],
    ["default({})", {}],
    ["default([1, 2])", [1, 2]],
    ["default(-1.5)", -1.5],
    ["default(!true)", false],
    ["default(null)", null],
    ["default(`plain`)", "plain"],
    ["default(getEnv('CHECK_TEST'))", "from outside"],
    ["default($env('CHECK_TEST_NOT_SET', 'other'))", "other"],
    ["default([getEnv('CHECK_TEST')])", ["from outside"]],
    ["default(getEnv('CHECK_TEST_NOT_SET'))", undefined],
    ["regexp(/^a\\(+/).default('a')", "a"],
  ])("%s", (chain, value) => {
    process.env["CHECK_TEST"] = "from outside";
    try {
      expect(checked(chain, undefined)).toEqual(value);
    } finally {
      delete process.env["CHECK_TEST"];
    }
  });

  test("default(now()) and default(nowUTC()) are the time of the run", () => {
    const before = Date.now();
    for (const chain of ["default(now())", "default(nowUTC())"]) {
      expect(checked(chain, undefined)).toBeGreaterThanOrEqual(before);
    }
  });

  test("default(args.other) is another argument, also one that a check before it has filled in", () => {
    const checks = [
      readCheck("a", "default('x')"),
      readCheck("b", "default(args.a)"),
      readCheck("c", "default(args['b'])"),
    ];
    expect(applyChecks(checks, {}, { what: "argument" })).toEqual({ a: "x", b: "x", c: "x" });
    expect(applyChecks([readCheck("c", "default(args.constructor)")], {}, { what: "argument" })).toEqual({});
  });

  test("each run gets a map of its own", () => {
    const checks = [readCheck("x", "default({})")];
    expect(applyChecks(checks, {}, { what: "argument" })["x"]).not.toBe(
      applyChecks(checks, {}, { what: "argument" })["x"],
    );
  });

  test("in a job file", async () => {
    const yaml = `jobs:
  - name: A
    check:
      in:
        map: "default({ a: 1 })"
        at: isNumber.default(now())
    exec: log(args.map.a + " " + typeof args.at)
todo: [A]
`;
    expect((await runText(yaml)).lines).toEqual(["1 number"]);
  });
});

test("a regexp between slashes is one, parentheses and all", () => {
  expect(checked("regexp(/^a\\(+$/)", "a((")).toBe("a((");
  expect(() => checked("regexp(/^a\\(+$/)", "b")).toThrow('must match /^a\\(+$/: "b"');
});

test("a check of a path, such as config.port, leads into maps, and leaves those of the job file unchanged", () => {
  const args = { config: { host: "h" } };
  expect(applyChecks([readCheck("config.port", "isNumber.default(80)")], args, { what: "argument" })).toEqual({
    config: { host: "h", port: 80 },
  });
  expect(args).toEqual({ config: { host: "h" } });
});

const STEPS = `jobs:
  - name: Find
    exec: if (args.found !== undefined) args.file = args.found
  - name: Tell
    exec: log("found " + args.file + " " + args.size + " " + args.days)
  - name: Job
    from: Find
    to: Tell
    check: { in: { file: isString, days: toNumber.default(7) }, out: { size: toNumber.default(3) } }
    exec: args.days = args.days + 1
todo: [Job]
`;

test("check.in is asked after from and check.out before to, as in OpenAF", async () => {
  const { well, lines, err } = await runText(STEPS, { args: { found: "a.txt", days: "1" } });
  expect(lines, err).toEqual(["found a.txt 3 2"]);
  expect(well).toBe(true);
});

test("an argument that no step of from sets is missing", async () => {
  const { well, err } = await runText(STEPS);
  expect(err).toMatch(/job "Job" failed: the argument "file" is missing \(.*jobs\.yaml:6:11\)/);
  expect(well).toBe(false);
});

test("what is wrong before from starts nothing, and what is missing takes no lock", async () => {
  const wrong = await runText(STEPS, { args: { file: 5, found: "a.txt" } });
  expect(wrong.err).toMatch(/the argument "file" must be a text: 5/);
  const locked = STEPS.replace("from: Find", "from: oJobManager Job Start\n    args: { name: a }");
  const { err } = await runText(`include: [oJobManager.yaml]\n${locked}`);
  expect(err).toMatch(/the argument "file" is missing/);
  expect(err).not.toMatch(/took the lock|Job Start needs/);
});
