import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

const SAY = "exec: log(job.name)";

describe("the todo", () => {
  test("the todo runs one job after the other, in its order", async () => {
    const yaml = `jobs:
  - { name: A, exec: "sleep(60); log('A')" }
  - { name: B, ${SAY} }
todo: [A, B, A, B]
`;
    expect((await runText(yaml)).lines).toEqual(["A", "B", "A", "B"]);
  });

  test("the todo runs all jobs at once with async: each can wait for the other", async () => {
    const meet = (mine: string, other: string): string =>
      `$ch('m').create(); $ch('m').set('${mine}', 1); while (isUnDef($ch('m').get('${other}'))) sleep(5); log('met')`;
    const yaml = `ojob: { async: true }
jobs:
  - { name: A, exec: "${meet("a", "b")}" }
  - { name: B, exec: "${meet("b", "a")}" }
todo: [A, B]
`;
    expect((await runText(yaml)).lines).toEqual(["met", "met"]);
  });

  test("the todo never runs more jobs at once than numThreads says", async () => {
    const yaml = `ojob: { async: true, numThreads: 1 }
jobs:
  - { name: A, exec: "log('in'); sleep(30); log('out')" }
todo: [A, A, A]
`;
    expect((await runText(yaml)).lines).toEqual(["in", "out", "in", "out", "in", "out"]);
  });

  test("an item of the todo whose when does not return true is left out, which is not a failure", async () => {
    const yaml = `jobs:
  - { name: A, ${SAY} }
  - { name: B, ${SAY} }
  - { name: C, exec: "log(args.x)" }
todo:
  - { name: A, when: "return false" }
  - { name: B, when: "return args.day == 'monday' && job.name == 'B'" }
  - { name: C, args: { x: 5 }, when: "return args.x == 5" }
`;
    const { well, lines, err } = await runText(yaml, { args: { day: "monday" } });
    expect([well, lines]).toEqual([true, ["B", "5"]]);
    expect(err).toMatch(/^-- A: skipped, its "when" did not return true$/m);
  });

  test("an item of the todo whose when throws fails, and its job does not run", async () => {
    const yaml = `jobs: [{ name: A, ${SAY} }]\ntodo: [{ name: A, when: "return nowhere.x" }]\n`;
    const { well, lines, err } = await runText(yaml);
    expect([well, lines]).toEqual([false, []]);
    expect(err).toMatch(/job "A" failed: ReferenceError: nowhere is not defined \(.*jobs\.yaml:2:/);
  });

  test("the args that a job left behind reach the next jobs of the todo with shareArgs only", async () => {
    const jobs = `jobs:
  - { name: A, exec: "args.total = 5; args.own = 'A'" }
  - { name: B, args: { own: B }, exec: "log([args.total, args.own, args.given].join())" }
todo: [A, { name: B, args: { given: "{{total}}" } }, B]
`;
    expect((await runText(`ojob: { shareArgs: true }\n${jobs}`)).lines).toEqual(["5,B,5", "5,B,5"]);
    expect((await runText(jobs)).lines[1]).toBe(",B,{{total}}");
  });
});

test("a job with a long list of args gives back the slots that it borrowed when other jobs want them", async () => {
  const yaml = `ojob: { numThreads: 2 }
jobs:
  - name: Many
    args: [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]
    exec: |
      if (args.n == 0) $set("launched", global.oJobManagerLaunchJob("Other"));
      const awaited = args.n < 2 ? "launched" : "other";
      while (isUnDef($get(awaited))) sleep(5);
  - { name: Other, exec: "$set('other', 1); log('other')" }
todo: [Many]
`;
  const { well, lines } = await runText(yaml);
  expect([well, lines]).toEqual([true, ["other"]]);
});
