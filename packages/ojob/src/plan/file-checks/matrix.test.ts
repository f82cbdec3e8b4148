import { describe, expect, test } from "vitest";
import { errorsOf, load } from "../../testing/load.js";
import { plan } from "../plan.js";

/** What is said of a job with these keys, which begin in line 3. */
function found(more: string, settings = "{}"): string[] {
  const { file, problems } = load(`jobs:\n  - name: A\n${more.replace(/^/gm, "    ")}\nojob: ${settings}\ntodo: [A]\n`);
  plan(file, {}, problems);
  return problems.list.map(({ severity, at, message }) => `${at?.line}:${at?.column} ${severity}: ${message}`);
}

describe("what is wrong with a matrix is said at its place", () => {
  test.each([
    [
      "a key without values",
      "matrix: { os: [], version: [1] }",
      '3:15 error: "os" in the matrix of "A" has no values, so there is no combination.',
    ],
    [
      "too many combinations",
      `matrix:\n  a: [${Array.from({ length: 40 }, (_, i) => i)}]\n  b: [${Array.from({ length: 26 }, (_, i) => i)}]`,
      '4:7 error: the matrix of "A" has 1040 combinations, at most 1000.',
    ],
    [
      "an exclude with another key",
      "matrix: { version: [1], exclude: [{ vesion: 1 }] }",
      '3:41 error: "exclude" names "vesion", which is no key of the matrix of "A". Did you mean "version"?',
    ],
    [
      "an exclude that fits nothing",
      "matrix: { os: [a, b], exclude: [{ os: c }] }",
      '3:37 warning: this item of "exclude" fits no combination of the matrix of "A": it has no effect.',
    ],
    [
      "an exclude that leaves nothing",
      "matrix: { os: [a], exclude: [{ os: a }] }",
      '3:13 error: the matrix of "A" leaves no combination: the job would never run.',
    ],
    ["no key at all", "matrix: {}", '3:13 error: the matrix of "A" leaves no combination: the job would never run.'],
    [
      "a key that stands in args too",
      "args: { os: c }\nmatrix: { os: [a] }",
      '3:17 error: "os" stands in the "args" and in the "matrix" of "A". Write it once.',
    ],
  ])("%s", (_, more, message) => {
    expect(found(more)).toEqual([message]);
  });

  test.each([
    ["a value that is no list", "matrix: { os: linux }", '3:15 "os" must be a list, not the text "linux".'],
    ["a key without a value", "matrix: { os: }", '3:11 "os" in "matrix" has no value.'],
    ["a list", "matrix: [a]", '3:9 "matrix" must be a map, not a list.'],
    [
      "an include that is no map",
      "matrix: { include: [a] }",
      '3:21 each item of "include" must be a map, not the text "a".',
    ],
    [
      "no number of runs",
      "typeArgs: { maxParallel: 0 }",
      '3:26 "maxParallel" must be a whole number of runs, 1 or more, not 0.',
    ],
  ])("%s", (_, more, message) => {
    expect(errorsOf(() => load(`jobs:\n  - name: A\n    ${more}\ntodo: [A]\n`))).toEqual([
      message.replace(/^3:(\d+)/, (__, column) => `3:${Number(column) + 4}`),
    ]);
  });
});

describe("how many runs go on at once", () => {
  test("single beside a maxParallel above 1 is an error", () => {
    expect(found("typeArgs: { single: true, maxParallel: 2 }")).toEqual([
      '3:44 error: "single" runs "A" one at a time, and "maxParallel" up to 2. Write one.',
    ]);
  });

  test("a maxParallel above numThreads is a warning", () => {
    expect(found("typeArgs: { maxParallel: 8 }", "{ numThreads: 4 }")).toEqual([
      '3:30 warning: "maxParallel" is 8, but "numThreads" lets only 4 jobs run at once.',
    ]);
  });
});

test("the keys of GitHub Actions are told where ojm has them", () => {
  const warnings = (more: string): string[] => found(more).map((one) => one.replace(/^\d+:\d+ warning: /, ""));
  expect(warnings("strategy: { matrix: { os: [a] } }")).toEqual([
    'unknown key "strategy" in this job: it has no effect. Write its "matrix" right in the job, and "failFast" and "maxParallel" under "typeArgs".',
  ]);
  expect(warnings("fail-fast: true")).toEqual([
    'unknown key "fail-fast" in this job: it has no effect. Did you mean "failFast" under "typeArgs"?',
  ]);
  expect(warnings("typeArgs: { max-parallel: 2 }")).toEqual([
    'unknown key "max-parallel" in "typeArgs": it has no effect. Did you mean "maxParallel"?',
  ]);
});
