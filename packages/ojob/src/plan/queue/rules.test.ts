import { describe, expect, test } from "vitest";
import { readRule, rulesOf, VALUES, valuesOf } from "./rules.js";

/** The value of a rule for this data. */
function evaluate(rule: string, data: Record<string, unknown>, args: Record<string, unknown> = {}): unknown {
  const read = readRule(rule);
  return new Function(VALUES, "args", `return (${read.code}\n);`)(valuesOf(read, data, args), args);
}

describe("a rule", () => {
  test.each<[string, Record<string, unknown>, unknown]>([
    ["{{temperature}} > 80", { temperature: 85 }, true],
    ["{{pressure}} > 100 && {{alert}}", { pressure: 120, alert: true }, true],
    ["{{temperature}} > 100 || {{pressure}} > 150", { temperature: 85, pressure: 120 }, false],
    ["{{items}}.length > 1", { items: [1, 2] }, true],
    ["{{ order.total }}>=5", { order: { total: 5 } }, true],
    ["{{{name}}} == 'a\\'b'", { name: "a'b" }, true],
    ["'{{status}}' == 'open'", { status: "open" }, true],
    ["`{{n}}` === '5'", { n: 5 }, true],
    ["{{missing}} > 1", {}, false],
    ["Object.keys({{@}}).length == 0", {}, true],
    ["true", {}, true],
  ])("%s", (rule, data, value) => {
    expect(evaluate(rule, data)).toBe(value);
  });

  test("data is a value, whatever it looks like: it is never read as code", () => {
    const evil = '"); globalThis.broken = true; ("';
    expect(evaluate("{{name}} == 1", { name: evil })).toBe(false);
    expect(evaluate("'{{name}}' == 1", { name: evil })).toBe(false);
    expect(Object.hasOwn(globalThis, "broken")).toBe(false);
  });

  test("a field of the data wins over an argument of the same name", () => {
    expect(evaluate("{{a}} + {{b}}", { a: 1 }, { a: 10, b: 2 })).toBe(3);
  });

  test("quotes around a {{x}} are noted, and a {{x}} within a longer text is an error", () => {
    expect([readRule("'{{x}}' == 'a'").isQuoted, readRule("{{x}} == 'a'").isQuoted]).toEqual([true, false]);
    expect(() => readRule("'a {{x}}' == 'a b'")).toThrow("{{x}} is within the text 'a {{x}}': write + between");
  });

  test("a rule that is no expression is an error", () => {
    expect(() => readRule("{{x}} >")).toThrow(SyntaxError);
  });
});

test("rules are maps with an expression and a job", () => {
  expect(rulesOf([{ rule: true, job: "A" }])).toEqual([{ rule: "true", job: "A" }]);
  expect(rulesOf(undefined)).toEqual([]);
  for (const wrong of ["x", [1], [{ rule: "x" }], [{ job: "A" }]]) expect(() => rulesOf(wrong)).toThrow(/"rule"/);
});
