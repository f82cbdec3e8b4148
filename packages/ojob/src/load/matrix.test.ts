import { describe, expect, test } from "vitest";
import { plan } from "../plan/plan.js";
import { errorsOf, load } from "../testing/load.js";

/** The arguments of the runs of a job with this matrix. */
function runsOf(matrix: string, args = "{}"): unknown {
  const { file, problems } = load(
    `jobs:\n  - name: A\n    args: ${args}\n    matrix:\n${matrix.replace(/^/gm, "      ")}\ntodo: [A]\n`,
  );
  expect(problems.list).toEqual([]);
  return file.jobs.get("A")?.args;
}

describe("the matrix of a job, as in GitHub Actions", () => {
  test("each combination of values is a run, and the last key changes first", () => {
    expect(runsOf("os: [a, b]\nversion: [1, 2]")).toEqual([
      { os: "a", version: 1 },
      { os: "a", version: 2 },
      { os: "b", version: 1 },
      { os: "b", version: 2 },
    ]);
  });

  test("a matrix may have as many combinations as the check of the file permits", () => {
    const values = JSON.stringify(Array.from({ length: 10 }, (_, i) => i));
    expect(runsOf(`a: ${values}\nb: ${values}\nc: ${values}`)).toHaveLength(1_000);
  });

  test("exclude leaves out each combination that has all of its values, of whatever kind", () => {
    expect(runsOf("os: [a, b]\nversion: [1, { n: 2 }]\nexclude: [{ os: a, version: { n: 2 } }, { os: b }]")).toEqual([
      { os: "a", version: 1 },
    ]);
  });

  // The example of GitHub's documentation.
  test("include adds to the combinations that it fits, and is a combination of its own where it fits none", () => {
    const include = [
      "{ color: green }",
      "{ color: pink, animal: cat }",
      "{ fruit: apple, shape: circle }",
      "{ fruit: banana }",
      "{ fruit: banana, animal: cat }",
    ];
    expect(runsOf(`fruit: [apple, pear]\nanimal: [cat, dog]\ninclude: [${include.join(", ")}]`)).toEqual([
      { fruit: "apple", animal: "cat", color: "pink", shape: "circle" },
      { fruit: "apple", animal: "dog", color: "green", shape: "circle" },
      { fruit: "pear", animal: "cat", color: "pink" },
      { fruit: "pear", animal: "dog", color: "green" },
      { fruit: "banana" },
      { fruit: "banana", animal: "cat" },
    ]);
  });

  test("a matrix may have include alone", () => {
    expect(runsOf("include: [{ os: a, version: 1 }, { os: b }]")).toEqual([{ os: "a", version: 1 }, { os: "b" }]);
  });

  test("each combination runs with each of the maps in args, whose templates may name its values", () => {
    expect(runsOf("os: [a, b]", '[{ name: "x-{{os}}" }, { day: 1 }]')).toEqual([
      { os: "a", name: "x-{{os}}" },
      { os: "a", day: 1 },
      { os: "b", name: "x-{{os}}" },
      { os: "b", day: 1 },
    ]);
  });

  test("args hold what the combinations have without an include of their own", () => {
    expect(runsOf("os: [a, b]\ninclude: [{ os: b, slow: true }]", "{ slow: false }")).toEqual([
      { os: "a", slow: false },
      { os: "b", slow: true },
    ]);
  });

  test("a key named __proto__ is an argument like any other", () => {
    const [run] = runsOf("__proto__: [{ a: 1 }]\ninclude: [{ constructor: 2 }]") as [object];
    expect(Object.entries(run)).toEqual([
      ["__proto__", { a: 1 }],
      ["constructor", 2],
    ]);
  });
});

/** The messages for a job with these keys, which begin in line 3. */
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
      '3:41 error: "exclude" names "vesion", which is not a key of the matrix of "A". Did you mean "version"?',
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

describe("how many runs run at once", () => {
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

test("the warning about keys of GitHub Actions says where ojm has them", () => {
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
