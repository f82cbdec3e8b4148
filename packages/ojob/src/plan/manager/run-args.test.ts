import { expect, test } from "vitest";
import { load } from "../../testing/load.js";
import { plan } from "../plan.js";

const START = "oJobManager Job Start";

/** What is wrong with a file of these jobs, one a line from the third line on. */
function errorsOf(jobs: readonly string[], todo: string): string[] {
  const yaml = ["include: oJobManager.yaml", "jobs:", ...jobs.map((job) => `  - ${job}`), `todo: ${todo}`, ""].join(
    "\n",
  );
  const { file, problems } = load(yaml);
  plan(file, {}, problems);
  return problems.errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

test.each([
  [
    "of the step that takes the lock",
    ["{ name: Work, from: Lock }", `{ name: Lock, to: ${START}, args: { name: x } }`],
    "[Work]",
  ],
  [
    "of a step of a step",
    ["{ name: A, from: B }", "{ name: B, from: C }", `{ name: C, to: ${START}, args: { name: x } }`],
    "[A]",
  ],
  ["of a step before", [`{ name: A, from: [Set, ${START}] }`, "{ name: Set, args: { name: x } }"], "[A]"],
  ["given to the step", ["{ name: A, from: { name: B, args: { name: x } } }", `{ name: B, to: ${START} }`], "[A]"],
  ["that a check sets", [`{ name: A, from: ${START}, check: { in: { name: "default('x')" } } }`], "[A]"],
  ["that a shortcut sets", [`{ name: A, from: [{ (pass): { name: x } }, ${START}] }`], "[A]"],
])("a lock name in the args %s is enough", (_, jobs, todo) => {
  expect(errorsOf(jobs, todo)).toEqual([]);
});

test.each([
  [
    "no name at all",
    ["{ name: Work, from: Lock }", `{ name: Lock, to: ${START}, args: { x: 1 } }`],
    "[Work]",
    /^5:8 .* needs "name" among the args/,
  ],
  [
    "a wrong timeout of the step",
    [
      "{ name: Work, from: Lock, args: { timeout: 5 } }",
      `{ name: Lock, to: ${START}, args: { name: x, timeout: soon } }`,
    ],
    "[Work]",
    /^4:\d+ "timeout" must be a number of milliseconds/,
  ],
  [
    "a wrong timeout of the second run, behind a script of the first",
    [`{ name: Work, from: ${START}, exec: "print(1)", args: [{ name: x }, { name: y, timeout: soon }] }`],
    "[Work]",
    /^3:\d+ "timeout" must be a number of milliseconds/,
  ],
])("%s is an error before anything starts", (_, jobs, todo, message) => {
  expect(errorsOf(jobs, todo)).toEqual([expect.stringMatching(message)]);
});

test("a start behind forty steps, each of which has the next one twice, is found at once", () => {
  const jobs = Array.from({ length: 40 }, (_, i) => `{ name: "${i}", from: ["${i + 1}", "${i + 1}"] }`);
  const errors = errorsOf([...jobs, `{ name: "40", from: ${START} }`], '["0"]');
  expect(errors).toEqual([expect.stringMatching(/^44:\d+ .* needs "name" among the args/)]);
});

test("a misspelt timeout is warned of, where it stands", () => {
  const warningsOf = (args: string): string[] => {
    const { file, problems } = load(
      `include: oJobManager.yaml\njobs:\n  - { name: A, from: ${START}, args: ${args} }\ntodo: [A]\n`,
    );
    plan(file, {}, problems);
    expect(problems.errors).toEqual([]);
    return problems.warnings.map(({ at, message }) => `${at?.line} ${message}`);
  };
  expect(warningsOf("{ name: x, timeot: 60000 }")).toEqual([
    `3 "timeot" is no option of ${START}: the run may take an hour. Did you mean "timeout"?`,
  ]);
  expect(warningsOf("{ name: x, timeout: 60000, timeouts: 3 }")).toEqual([]);
  expect(warningsOf("{ name: x, month: 11, time: 3 }")).toEqual([]);
});
