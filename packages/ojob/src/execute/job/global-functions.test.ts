import { expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

/** Two scripts. The second one would run in the thread of the first one. */
const yaml = (set: string, use: string): string => `ojob: { numThreads: 1 }
jobs:
  - { name: Set, exec: ${JSON.stringify(set)} }
  - { name: Use, exec: ${JSON.stringify(use)} }
todo: [Set, Set, Use]
`;

test("a function in global is seen by no other job, in whatever thread it runs, and a warning names loads", async () => {
  const { out, lines, well } = await runText(yaml("global.double = n => 2 * n", "log(typeof double)"));
  expect({ lines, well }).toEqual({
    lines: [
      '"double" in global holds a function, which no other job sees: put it into a file, and name that under "ojob.loads"',
      "undefined",
    ],
    well: true,
  });
  expect(out).toMatch(/\| WARN {2}\| "double" in global/);
});

test("a map in global that holds functions is reported with the others of its script", async () => {
  const { lines } = await runText(yaml("tools = { f() {} }; more = () => 1", "log(typeof tools)"));
  expect(lines).toEqual([expect.stringMatching(/^"tools" and 1 more in global hold a function, /), "undefined"]);
});

test("data in global is seen by the other scripts, and there is no warning", async () => {
  const { lines } = await runText(yaml("global.data = { n: 1 }", "log(data.n)"));
  expect(lines).toEqual(["1"]);
});

test("a function that a file under loads sets in global is seen by all", async () => {
  const text = yaml("log(double(2))", "log(double(3))").replace("numThreads: 1", "numThreads: 1, loads: [f.js]");
  const { lines } = await runText(text, {}, { "f.js": "global.double = (n) => 2 * n;\n" });
  expect(lines).toEqual(["4", "4", "6"]);
});

test("a function in global is seen by the other scripts of its job", async () => {
  const text = `jobs:
  - { name: First, exec: "global.double = n => 2 * n" }
  - { name: Job, from: First, exec: "log(double(2))" }
todo: [Job]
`;
  expect((await runText(text)).lines).toContain("4");
});
