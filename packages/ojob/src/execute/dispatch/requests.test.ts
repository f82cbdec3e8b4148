import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

/** Jobs that log their names; `B` depends on `A`. */
function jobs(deps = "A", a = "exec: log('A')"): string {
  return `jobs:
  - { name: A, ${a} }
  - { name: B, deps: [${deps}], exec: "log('B')" }
  - { name: C, exec: "log('C')" }
`;
}

const FAILS = "exec: throw new Error('no')";

describe("a job with dependencies", () => {
  test.each([
    ["[A, B, C]", ["A", "B", "C"]],
    ["[B, A, C]", ["A", "B", "C"]],
    ["[B, C, A]", ["C", "A", "B"]],
  ])("a job waits for its dependency wherever it stands in the todo: %s", async (todo, expected) => {
    const { well, lines } = await runText(`${jobs()}todo: ${todo}\n`);
    expect([well, lines]).toEqual([true, expected]);
  });

  test("a job that waits for its dependency with async holds no slot", async () => {
    const { lines } = await runText(`ojob: { async: true, numThreads: 1 }\n${jobs()}todo: [B, B, C, A]\n`);
    expect(lines).toEqual(["C", "A", "B", "B"]);
  });

  test("a job waits for the dependencies of its steps too", async () => {
    const yaml = `${jobs()}  - { name: D, from: B, exec: "log('D')" }\ntodo: [D, A]\n`;
    expect((await runText(yaml)).lines).toEqual(["A", "B", "D"]);
  });

  test("a chain of dependencies runs in order, even if the todo lists it upside down", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `J${index}`);
    const list = names.map(
      (name, index) => `  - { name: ${name}, exec: log('${name}')${index > 0 ? `, deps: J${index - 1}` : ""} }`,
    );
    const yaml = `jobs:\n${list.join("\n")}\ntodo: [${names.toReversed().join(", ")}]\n`;
    expect((await runText(yaml)).lines).toEqual(names);
  });

  test("a run that a script called by $job fulfils a dependency too", async () => {
    const yaml = `${jobs()}  - { name: D, exec: "$job('A')" }\ntodo: [B, D]\n`;
    expect((await runText(yaml)).lines).toEqual(["A", "B"]);
  });

  test("a run that is over fulfils the dependency of a job that is called later", async () => {
    const yaml = `${jobs()}  - { name: D, exec: "$job('B')" }\ntodo: [A, D]\n`;
    expect((await runText(yaml)).lines).toEqual(["A", "B"]);
  });
});

describe("a job whose dependency is not fulfilled", () => {
  test("a job whose dependency failed is skipped with the reason, and so are those that depend on it", async () => {
    const yaml = `${jobs("A", FAILS)}  - { name: D, deps: B, exec: "log('D')" }\ntodo: [A, B, C, D]\n`;
    const { well, lines, err } = await runText(yaml);
    expect([well, lines]).toEqual([false, ["C"]]);
    expect(err).toMatch(/ERROR \| job "B" was skipped: it depends on "A", which failed$/m);
    expect(err).toMatch(/ERROR \| job "D" was skipped: it depends on "B", which was skipped$/m);
  });

  test("a job whose dependency was never requested is skipped with the reason", async () => {
    const { well, lines, err } = await runText(`${jobs()}todo: [B, C]\n`);
    expect([well, lines]).toEqual([false, ["C"]]);
    expect(err).toMatch(
      /job "B" was skipped: it depends on "A", which was never requested, and nothing can request it any more$/m,
    );
  });

  test("a job whose dependency is not done within depsTimeout is skipped with the reason", async () => {
    const yaml = `ojob: { depsTimeout: 20, async: true }\n${jobs("A", "exec: sleep(400)")}todo: [B, A]\n`;
    const { well, lines, err } = await runText(yaml);
    expect([well, lines]).toEqual([false, []]);
    expect(err).toMatch(/job "B" was skipped: it waited 20 ms \(depsTimeout\) for "A"$/m);
  });
});

describe("onSuccess and onFail of a dependency", () => {
  test.each([
    ["onSuccess", "return true", "exec: log('A')", true, ["A", "B"]],
    ["onSuccess", "return args.go", "exec: log('A')", false, ["A"]],
    ["onFail", "log('sorry'); return true", FAILS, false, ["sorry", "B"]],
    ["onFail", "return false", FAILS, false, []],
    ["onSuccess", "return true", FAILS, false, []],
    ["onFail", "return false", "exec: log('A')", true, ["A", "B"]],
  ])("the %s of a dependency decides whether the job runs: %s after %s", async (key, code, a, well, lines) => {
    const ran = await runText(`${jobs(`{ name: A, ${key}: "${code}" }`, a)}todo: [B, A]\n`);
    expect([ran.well, ran.lines]).toEqual([well, lines]);
  });

  test("an onSuccess that does not return true is named as the reason of the skip", async () => {
    const { err } = await runText(`${jobs('{ name: A, onSuccess: "log(1)" }')}todo: [A, B]\n`);
    expect(err).toMatch(/job "B" was skipped: it depends on "A", and its onSuccess returned nothing, not true$/m);
  });
});

describe("calls by $job", () => {
  test("$job waits for the dependencies of the job that it calls, and lends its slot to them", async () => {
    const yaml = `ojob: { numThreads: 1, async: true }\n${jobs()}  - { name: D, exec: "log('D'); $job('B'); log('end')" }\ntodo: [D, A]\n`;
    const { well, lines } = await runText(yaml);
    expect([well, lines]).toEqual([true, ["D", "A", "B", "end"]]);
  });

  test("$job throws if the dependencies of the called job can never be fulfilled", async () => {
    const yaml = `${jobs()}  - { name: D, exec: "try { $job('B') } catch (e) { log(e.message) }" }\ntodo: [D]\n`;
    const { lines } = await runText(yaml);
    expect(lines).toEqual([
      '"B" was skipped: it depends on "A", which was never requested, and nothing can request it any more',
    ]);
  });

  test("$job throws instead of hanging if the called job would wait for its own caller", async () => {
    const yaml = `jobs:
  - { name: A, exec: "try { $job('B') } catch (e) { log(e.message) }" }
  - { name: B, deps: M, exec: "log('B')" }
  - { name: M, deps: A, exec: "log('M')" }
ojob: { async: true }
todo: [A, M]
`;
    const { well, lines } = await runText(yaml);
    expect([well, lines]).toEqual([
      true,
      ['"B" was skipped: it depends on "M", which waits for the job that called it', "M"],
    ]);
  });
});
