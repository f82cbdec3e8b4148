import { expect, test } from "vitest";
import { applyChecks, readChecks } from "./checks.js";

function checked(chain: string, value: unknown): unknown {
  return applyChecks(readChecks({ x: chain }), value === undefined ? {} : { x: value }, "argument")["x"];
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
  ["toString", 5, "5"],
  ["isString.oneOf(['ok', 'nok']).default('nok')", "ok", "ok"],
  ["isNumber.greater(1).lessEquals(5)", 5, 5],
  ["isNumber.between(1, 3)", 2, 2],
  ["isString.starts('a').ends('c').contains('b')", "abc", "abc"],
  ["isArray.contains('a')", ["a"], ["a"]],
  ["isString.regexp('^a+$')", "aaa", "aaa"],
  ["isString . isUUID", "6f9619ff-8b86-4011-b42d-00cf4fc964ff", "6f9619ff-8b86-4011-b42d-00cf4fc964ff"],
  ["isDate", new Date(0), new Date(0)],
])("the check %s of the value %j gives %j", (chain, value, result) => {
  expect(checked(chain, value)).toEqual(result);
});

test.each([
  ["isString", undefined, 'the argument "x" is missing'],
  ["isString", 5, 'the argument "x" must be a text: 5'],
  ["toNumber", "five", 'the argument "x" cannot be made a number: "five"'],
  ["oneOf(['a', 'b'])", "c", 'the argument "x" must be one of "a", "b": "c"'],
  ["greater(1)", 1, 'the argument "x" must be more than 1: 1'],
  ["isNumber.default(1)", "1", 'the argument "x" must be a number: "1"'],
  ["notEquals('')", "", 'the argument "x" must not be "": ""'],
])("the check %s refuses the value %j", (chain, value, message) => {
  expect(() => checked(chain, value)).toThrow(message);
});

test.each([
  [{ x: "isStrng" }, /"x": there is no check "isStrng"\. Did you mean isString\? There are: default, isString,/],
  [{ x: "isString(" }, /a parenthesis of "isString\(" is not closed/],
  [{ x: "oneOf([)" }, /cannot be read/],
  [{ x: "5" }, /"5" is no check/],
  [{ x: 5 }, /what "x" must look like is a text/],
  ["isString", /must be a map of arguments/],
])("a check that cannot be read is an error: %j", (written, message) => {
  expect(() => readChecks(written)).toThrow(message);
});

test("a check of a path, such as config.port, leads into maps, and leaves those of the job file unchanged", () => {
  const args = { config: { host: "h" } };
  expect(applyChecks(readChecks({ "config.port": "isNumber.default(80)" }), args, "argument")).toEqual({
    config: { host: "h", port: 80 },
  });
  expect(args).toEqual({ config: { host: "h" } });
});
