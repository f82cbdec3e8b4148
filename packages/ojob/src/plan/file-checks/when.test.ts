import { expect, test } from "vitest";
import { load } from "../../testing/load.js";
import { plan } from "../plan.js";

function errorsOf(when: string, typeArgs = "{}"): string[] {
  const { file, problems } = load(
    `jobs:\n  - name: A\n    typeArgs: ${typeArgs}\ntodo:\n  - name: A\n    when: ${when}\n`,
  );
  plan(file, {}, problems);
  return problems.list.map(({ severity, at, message }) => `${at?.line}:${at?.column} ${severity}: ${message}`);
}

const INSTEAD =
  'set one by $set("state", "ready") in a script, and write "when" in the item of "todo": return $get("state") == "ready"';

test("unlike OpenAF: a list of states in when is refused with its place and what to write instead", () => {
  expect(errorsOf("[init, ready]")).toEqual([
    `6:11 error: "when" must be a text, not a list. It is code, which returns true. ojm has no states: ${INSTEAD}.`,
  ]);
});

test("unlike OpenAF: a state in when is refused, and is no ReferenceError at run time", () => {
  expect(errorsOf("ready")).toEqual([
    '6:11 error: "ready" is a state of OpenAF, and ojm has none: set one by $set("state", "ready") in a script, and ' +
      'write when: return $get("state") == "ready".',
  ]);
});

test("unlike OpenAF: states in typeArgs.when are refused with their place and what to write instead", () => {
  expect(errorsOf("return true", "{ when: [ready] }")).toEqual([
    `3:17 error: "when" is of OpenAF: ojm has no states: ${INSTEAD}.`,
  ]);
});

test("a when that returns nothing would never let its job run, and is refused", () => {
  expect(errorsOf("args.day == 1")).toEqual([
    '6:11 error: "when" returns nothing, so "A" would never run: write "return" before what decides.',
  ]);
  expect(errorsOf("true")).toEqual([expect.stringMatching(/^6:11 error: "when" returns nothing/)]);
});

test.each(["return args.day == 1", "false", "if (args.day) return true"])("a when may be: %s", (when) => {
  expect(errorsOf(when)).toEqual([]);
});
