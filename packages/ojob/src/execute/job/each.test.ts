import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

/** A job with this script, whose items go to `Item`. */
function each(code: string, item = "log(args.n)", settings = "numThreads: 1"): string {
  return `ojob: { ${settings} }
jobs:
  - name: All
    each: [Item]
    to: [End]
    exec: |
      ${code}
  - name: Item
    args: { own: 1 }
    exec: |
      ${item}
  - { name: End, exec: "log('end')" }
todo: [All]
`;
}

describe("each", () => {
  test("the jobs of each run for every item of the list that the script returns, before the next steps", async () => {
    const { well, lines } = await runText(each("return [{ n: 1 }, { n: 2 }]", "log(args.n + args.own)"));
    expect([well, lines]).toEqual([true, ["2", "3", "end"]]);
  });

  test("items can be passed to each() one by one, and need not be maps", async () => {
    const code = 'each({ item: "a" }); each("b", "Item"); return ["c"]';
    expect((await runText(each(code, "log(args.item)"))).lines).toEqual(["a", "b", "c", "end"]);
  });

  test("each works on several items at once where slots are free", async () => {
    const meet = "$ch('m').create(); $ch('m').set(args.n, 1); while ($ch('m').size() < 2) sleep(5); log('met')";
    expect((await runText(each("return [{ n: 1 }, { n: 2 }]", meet, "numThreads: 2"))).lines).toEqual([
      "met",
      "met",
      "end",
    ]);
  });

  test("a job with each fails if the job of an item fails, after all other items had their turn", async () => {
    const { well, lines, err } = await runText(
      each("return [{ n: 1 }, { n: 2 }, { n: 3 }]", 'if (args.n == 1) throw new Error("one"); log(args.n)'),
    );
    expect([well, lines]).toEqual([false, ["2", "3"]]);
    expect(err).toMatch(/job "Item" failed: one/);
  });

  test("each() is refused in a job without the key each, and for a job that is not listed there", async () => {
    const yaml = `jobs: [{ name: A, exec: "each(1)" }]\ntodo: [A]\n`;
    expect((await runText(yaml)).err).toMatch(/each\(\): the job "A" has no "each"/);
    expect((await runText(each('each(1, "End")'))).err).toMatch(/"End" is none of the jobs in "each" of "All"/);
  });
});
