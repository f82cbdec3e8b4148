import { describe, expect, test } from "vitest";
import { errorsOf, load, warningsOf } from "../testing/load.js";
import type { Shortcut } from "./job-file.js";

const file = (item: string): string => `todo:\n  - ${item}\njobs: [{ name: A }, { name: B }]\n`;

/** The errors of a file whose todo has this item only. */
const errorsOfItem = (item: string): string[] => errorsOf(() => load(file(item)));

/** The shortcut that is the only item of the todo. */
function shortcutOf(item: string): Shortcut {
  const { file: loaded, problems } = load(file(item));
  expect(problems.list).toEqual([]);
  return loaded.todo[0]?.shortcut ?? expect.fail("no shortcut");
}

test.each(["timeout: 100", "continueOnError: true"])("a shortcut refuses the limits of a step: %s", (option) => {
  const [key = ""] = option.split(":");
  const yaml = `todo: [A]\njobs:\n  - { name: A, from: { (if): 1, ((then)): A2, ${option} } }\n  - name: A2\n`;
  expect(errorsOf(() => load(yaml))).toEqual([
    `3:47 a shortcut has no "${key}": put "(if)" under "from" of a job, and name that job as the step, with "${key}".`,
  ]);
});

describe("a shortcut in the place of a job", () => {
  test.each([
    ["plain", "{ (if): x, ((then)): [A] }"],
    ["aligned with blanks", '{ "(if     )": x, "((then ))": [A] }'],
    ["without a bracket behind", '{ "(if": x, "((then": [A] }'],
    ["with too many brackets", '{ "(if)": x, "((then)))": [A] }'],
    ["a single job in place of a list", "{ (if): x, ((then)): A }"],
  ])("its keys are read as OpenAF reads them: %s", (_, item) => {
    const { name, blocks, lists } = shortcutOf(item);
    expect(name).toBe("if");
    expect(blocks["value"]?.code).toBe("x");
    expect(lists["then"]).toEqual([expect.objectContaining({ job: "A" })]);
  });

  test("it knows its data, its lists of jobs, and where they stand", () => {
    const { values, lists, places, args } = shortcutOf(
      "{ (optionOn): op, ((lowerCase)): true, ((todos)): { a: [A], b: [{ name: B, args: { x: 1 } }] }, args: { y: 2 } }",
    );
    expect(values).toEqual({ value: "op", lowerCase: true });
    expect(Object.keys(lists)).toEqual(["todos.a", "todos.b"]);
    expect(lists["todos.b"]).toEqual([expect.objectContaining({ job: "B", args: { x: 1 } })]);
    expect(places["lowerCase"]).toMatchObject({ line: 2, column: 38 });
    expect(args).toEqual({ y: 2 });
  });

  test.each(["from", "to", "earlier", "then"])("it may stand in %s, alone or in a list", (key) => {
    const of = (value: string) => load(`jobs: [{ name: A, ${key}: ${value} }]\ntodo: [A]\n`).file.jobs.get("A");
    const wait = { shortcut: expect.objectContaining({ name: "wait" }) };
    const list = key === "from" || key === "earlier" ? "from" : "to";
    expect(of("{ (wait): 1 }")?.[list]).toEqual([wait]);
    expect(of("[{ (wait): 1 }, { (wait): 2 }]")?.[list]).toEqual([wait, wait]);
  });
});

describe("a shortcut that is wrong is one error at its place", () => {
  test.each([
    [
      "an unknown option",
      "{ (if): x, ((thn)): A }",
      '2:16 the shortcut "(if)" has no option "((thn))". Did you mean "((then))"?',
    ],
    [
      "an option like none",
      "{ (repeat): 2, ((todo)): A, ((jobs)): A }",
      '2:33 the shortcut "(repeat)" has no option "((jobs))". It has ((todo)).',
    ],
    [
      "an option of a shortcut without any",
      "{ (wait): 1, ((x)): 1 }",
      '2:18 the shortcut "(wait)" has no option "((x))". It has none.',
    ],
    ["a missing option", "{ (each): x, ((todo)): A }", '2:7 the shortcut "(each)" needs "((key))".'],
    ["nothing behind it", "{ (wait): }", '2:7 the shortcut "(wait)" needs a value.'],
    ["an option alone", "{ ((then)): A }", '2:7 "((then))" is an option, and its shortcut is missing beside it.'],
    [
      "two in one item",
      "{ (wait): 1, (pass): {} }",
      '2:18 "(pass)" stands beside "(wait)": write it as an item of its own.',
    ],
    ["a list where a text must be", "{ (wait): [1] }", '2:15 "(wait)" must be a text, not a list.'],
    [
      "a flag in quotes",
      '{ (todo): A, ((shareArgs)): "true" }',
      /^2:33 "\(\(shareArgs\)\)" must be true or false, .* Write true without quotes\.$/,
    ],
    ["args that are no map", "{ (wait): 1, args: [1] }", '2:24 "args" must be a map, not a list.'],
    [
      "a when",
      "{ (wait): 1, when: return true }",
      '2:18 a shortcut has no "when": put "(wait)" under (if), in ((then)).',
    ],
    [
      "an option that ojm lacks",
      "{ (run): a.yaml, ((usePM)): true }",
      '2:22 "((usePM))" of "(run)" is not supported here: write ((key)): ojm has no __pm.',
    ],
    [
      "one that ojm lacks",
      "{ (llm  ): x }",
      /^2:7 the shortcut "\(llm\)" of OpenAF is not supported here\. Instead, write await fetch/,
    ],
    [
      "a state",
      "{ (state): x }",
      /^2:7 the shortcut "\(state\)" of OpenAF is not supported here\. Instead, write \$set\("state", name\)/,
    ],
    [
      "an unknown one",
      "{ (pas): {} }",
      '2:7 "(pas)" is not a shortcut: neither of OpenAF nor of a job of this file. Did you mean "(pass)"?',
    ],
    [
      "one like none",
      "{ (httpdStart): 1 }",
      '2:7 "(httpdStart)" is not a shortcut: neither of OpenAF nor of a job of this file.',
    ],
  ])("%s", (_, item, message) => {
    expect(errorsOfItem(item)).toEqual([typeof message === "string" ? message : expect.stringMatching(message)]);
  });

  test("in a list of another shortcut too", () => {
    expect(errorsOfItem("{ (if): x, ((then)): [{ (todo): [{ (wait): }] }] }")).toEqual([
      '2:40 the shortcut "(wait)" needs a value.',
    ]);
  });

  test("an unknown key beside it is warned of", () => {
    expect(warningsOf(file("{ (wait): 1, typeArgs: {} }"))).toEqual([
      '2:18 unknown key "typeArgs" in the shortcut "(wait)": it has no effect.',
    ]);
  });
});

describe("a job with typeArgs.shortcut stands behind that shortcut", () => {
  const custom = (item: string, shortcut = "{ name: greet, keyArg: who, args: { loud: isLoud } }"): string =>
    `todo:\n  - ${item}\njobs: [{ name: Greet, typeArgs: { shortcut: ${shortcut} } }]\n`;

  test("in the todo, with its value and options as arguments", () => {
    const { file: loaded, problems } = load(custom("{ (greet): you, ((loud)): true, args: { x: 1 } }"));
    expect(problems.list).toEqual([]);
    expect(loaded.todo).toEqual([
      expect.objectContaining({ job: "Greet", args: [{ who: "you", isLoud: true, x: 1 }] }),
    ]);
    expect(loaded.todo[0]?.argsAt["isLoud"]).toMatchObject({ line: 2, column: 31 });
  });

  test("in the list of another shortcut, and by the name of the job", () => {
    const { file: loaded } = load(custom("{ (todo): [{ (Greet): you }] }", "{ keyArg: who }"));
    expect(loaded.todo[0]?.shortcut?.lists["value"]).toEqual([
      expect.objectContaining({ job: "Greet", args: { who: "you" } }),
    ]);
  });

  test("an unknown option is an error, and a value without keyArg is warned of", () => {
    expect(errorsOf(() => load(custom("{ (greet): you, ((lod)): true }")))).toEqual([
      '2:30 the shortcut "(greet)" has no option "((lod))". Did you mean "((loud))"?',
    ]);
    expect(warningsOf(custom("{ (greet): you }", "{ name: greet }"))).toEqual([
      '2:16 "(greet)" takes no value: this one has no effect.',
    ]);
  });

  test("a shortcut of OpenAF keeps its meaning, and the first of two jobs has the shortcut", () => {
    expect(warningsOf(custom("Greet", "{ name: if }"))).toEqual([
      expect.stringMatching(/the shortcut "\(if\)" comes with OpenAF: it does not stand for "Greet"\.$/),
    ]);
    const two =
      "jobs: [{ name: A, typeArgs: { shortcut: { name: x } } }, { name: B, typeArgs: { shortcut: { name: x } } }]";
    expect(warningsOf(`${two}\ntodo: [A]\n`)).toEqual([
      expect.stringMatching(/^1:91 the shortcut "\(x\)" stands for "A" already, at .*jobs\.yaml:1:16\.$/),
    ]);
  });

  test("a shortcut may come with a file that could not be read: then it is not a second error", () => {
    const errors = errorsOf(() => load("include: none.yaml\ntodo: [{ (greet): you }]\n"));
    expect(errors).toEqual([expect.stringMatching(/^1:10 there is no file none\.yaml/)]);
  });
});
