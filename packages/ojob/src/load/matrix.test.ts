import { describe, expect, test } from "vitest";
import { load } from "../testing/load.js";

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

  // The example of its documentation.
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
