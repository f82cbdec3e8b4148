import { describe, expect, test } from "vitest";
import { commandLineValue, mergeArgs } from "./args.js";

const merge = (own: object, given: object = {}, commandLine: object = {}): unknown => {
  const missing: string[] = [];
  const args = mergeArgs({ own: { ...own }, given: { ...given }, commandLine: { ...commandLine } }, (argument, path) =>
    missing.push(`${argument}: ${path}`),
  );
  return missing.length === 0 ? args : { args, missing };
};

describe("arguments of a job", () => {
  test("arguments of the job win over those of the todo, and those over the command line", () => {
    expect(merge({ a: 1 }, { a: 2, b: 2 }, { a: 3, b: 3, c: 3 })).toEqual({ a: 1, b: 2, c: 3 });
  });

  test("templates in arguments are filled from other arguments, at any depth", () => {
    expect(
      merge({ name: "batch-{{batchId}}", list: [{ at: "{{ order.id }}" }] }, { batchId: "001", order: { id: 7 } }),
    ).toEqual({
      name: "batch-001",
      list: [{ at: 7 }],
      batchId: "001",
      order: { id: 7 },
    });
  });

  test("a template that is the whole text of an argument keeps the type of its value", () => {
    expect(merge({ timeout: "{{ms}}" }, {}, { ms: 5 })).toEqual({ timeout: 5, ms: 5 });
  });

  test("a job's own arguments may build on each other, and on an outer value of the same name", () => {
    expect(merge({ base: "/tmp/{{id}}", file: "{{base}}/x" }, { id: 1 })).toMatchObject({
      base: "/tmp/1",
      file: "/tmp/1/x",
    });
    expect(merge({ name: "x-{{name}}" }, { name: "y" })).toEqual({ name: "x-y" });
  });

  test("an argument from outside is data: braces in it are not filled", () => {
    expect(merge({ text: "{{note}}" }, { note: "see {{a}}", a: 1 })).toEqual({
      text: "see {{a}}",
      note: "see {{a}}",
      a: 1,
    });
  });

  test("a template that nothing fills stays as it is, and is reported", () => {
    expect(merge({ name: "batch-{{batchId}}" })).toEqual({
      args: { name: "batch-{{batchId}}" },
      missing: ["name: {{batchId}}"],
    });
  });
});

test.each([
  ["5000", 5000],
  ["-1.5", -1.5],
  ["true", true],
  ["false", false],
  ["1h", "1h"],
  ["007", "007"],
  ["12345678901234567890", "12345678901234567890"],
  ["1e3", "1e3"],
  ["", ""],
])("the argument %j of the command line is read as %j", (text, value) => {
  expect(commandLineValue(text)).toBe(value);
});
