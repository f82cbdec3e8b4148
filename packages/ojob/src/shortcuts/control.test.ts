import { describe, expect, test } from "vitest";
import { type Ran, runText } from "../testing/run-file.js";

/** Jobs that log their name, and one that logs its args. */
const JOBS = `
  - { name: A, exec: log("A") }
  - { name: B, exec: log("B") }
  - { name: Show, exec: 'log(stringify({ ...args, init: undefined }, undefined, ""))' }
`;

/** Runs a file with these items in its todo, and these jobs beside those above. */
function runTodo(todo: string, args: Record<string, unknown> = {}, jobs = ""): Promise<Ran> {
  return runText(`todo:\n${todo}\njobs:${JOBS}${jobs}\n`, { args });
}

describe("(if)", () => {
  test.each([
    ["true", { x: 1 }, ["A"]],
    ["false", { x: 2 }, ["B", "A"]],
  ])("a condition that is %s runs its jobs, in their order", async (_, args, lines) => {
    const ran = await runTodo("  - (if    ): args.x == 1\n    ((then)): A\n    ((else)): [B, A]", args);
    expect({ well: ran.well, lines: ran.lines }, ran.err).toEqual({ well: true, lines });
  });

  test("templates in a condition are filled as OpenAF fills them: for HTML, and with nothing where there is no value", async () => {
    const todo = (condition: string): string => `  - (if): "${condition}"\n    ((then)): A\n    ((else)): B`;
    expect((await runTodo(todo("'{{x}}' == ''"))).lines).toEqual(["A"]);
    expect((await runTodo(todo("{{n}} > 4"), { n: 5 })).lines).toEqual(["A"]);
    expect((await runTodo(todo("'{{x}}' == 'it&#x27;s'"), { x: "it's" })).lines).toEqual(["A"]);
    expect((await runTodo(todo("{{#if x}}true{{else}}false{{/if}}"), { x: 0 })).lines).toEqual(["B"]);
  });

  test("a condition sees the functions and globals of scripts", async () => {
    const { lines } = await runTodo("  - (if): isDef(args.x) && $get('k') === undefined\n    ((then)): A", { x: 0 });
    expect(lines).toEqual(["A"]);
  });

  test("a condition that throws fails, with its line", async () => {
    const { well, err } = await runTodo("  - (if): |\n      true &&\n      nothing.here\n    ((then)): A");
    expect(well).toBe(false);
    expect(err).toMatch(/job "\(if\)" failed: ReferenceError: nothing is not defined \(.*jobs\.yaml:3:7\)/);
    const other = await runTodo("  - (if): |\n      true &&\n      args.x.y.z\n    ((then)): A");
    expect(other.err).toMatch(/job "\(if\)" failed: TypeError: Cannot read properties of undefined.*jobs\.yaml:4:14\)/);
  });

  test("a job that fails ends the list, and what runs the shortcut fails", async () => {
    const jobs =
      "  - { name: Bad, exec: throw new Error('oh') }\n  - { name: Outer, from: { (todo): [Bad, A] }, exec: log('no') }";
    const { well, lines, err } = await runTodo("  - Outer\n  - B", {}, jobs);
    expect({ well, lines }).toEqual({ well: false, lines: ["B"] });
    expect(err).toMatch(/job "Bad" failed: oh/);
    expect(err).toMatch(/<< Outer: failed/);
  });

  test("a job that skips itself has not failed, and the list continues", async () => {
    const { well, lines, err } = await runTodo(
      "  - (todo): [Idle, A]",
      {},
      "  - { name: Idle, exec: job.skip('idle') }",
    );
    expect({ well, lines }).toEqual({ well: true, lines: ["A"] });
    expect(err).toMatch(/-- Idle: skipped, idle/);
  });

  test("shortcuts and their jobs get the arguments, and what they change is not handed on, as in OpenAF", async () => {
    const jobs =
      "  - name: Outer\n    from:\n      - (if): true\n        ((then)): [{ (pass): { x: 2 } }, Change, Show]\n    to: Show\n  - { name: Change, exec: args.x = 3 }";
    const { lines } = await runTodo("  - { name: Outer, args: { x: 1 } }", {}, jobs);
    expect(lines).toEqual(['{"x":1}', '{"x":1}']);
  });

  test("((debug)) logs the condition and its value", async () => {
    const { lines } = await runTodo("  - (if): '{{x}} > 1'\n    ((debug)): true\n    ((then)): []", { x: 5 });
    expect(lines).toEqual(["(if): 5 > 1 is true"]);
  });
});

describe("(optionOn)", () => {
  const todo =
    "  - (optionOn  ): op\n    ((lowerCase)): true\n    ((todos    )): { start: [A, B], '5': B }\n    ((default  )): Show";

  test.each([
    ["START ", ["A", "B"]],
    [5, ["B"]],
    ["constructor", ['{"op":"constructor"}']],
    [undefined, ["{}"]],
  ])("the value %j of its argument runs the jobs for it", async (op, lines) => {
    expect((await runTodo(todo, op === undefined ? {} : { op })).lines).toEqual(lines);
  });

  test("an item of a list may have args, even with templates", async () => {
    const item = "  - (optionOn): op\n    ((todos)): { a: [{ name: Show, args: { y: 'is {{op}}' } }] }";
    expect((await runTodo(item, { op: "a" })).lines).toEqual(['{"op":"a","y":"is a"}']);
  });
});

describe("(todo), (repeat), (each) and (parallel)", () => {
  test("((shareArgs)) hands on what a job leaves behind, within the list", async () => {
    const list = "[{ (pass): { x: 1 } }, { name: Show, args: { y: 2 } }, Show]";
    expect((await runTodo(`  - (todo): ${list}\n    ((shareArgs)): true\n  - Show`)).lines).toEqual([
      '{"x":1,"y":2}',
      '{"x":1,"y":2}',
      "{}",
    ]);
    expect((await runTodo(`  - (todo): ${list}`)).lines).toEqual(['{"y":2}', "{}"]);
  });

  test("((isolateArgs)) gives a job its own args only, and ((templateArgs)): false leaves them as written", async () => {
    const list =
      "[{ name: Show, args: { y: '{{x}}' } }, { name: Show, args: { y: '{{x}}' }, isolateArgs: false, templateArgs: true }]";
    const { lines } = await runTodo(`  - (todo): ${list}\n    ((isolateArgs)): true\n    ((templateArgs)): false`, {
      x: 1,
    });
    // The arguments of the command line reach every job.
    expect(lines).toEqual(['{"x":1,"y":"{{x}}"}', '{"x":1,"y":1}']);
  });

  test("a template names the job; one that is not a job is an error with a hint", async () => {
    expect((await runTodo("  - (todo): ['{{which}}']", { which: "A" })).lines).toEqual(["A"]);
    const { well, err } = await runTodo("  - (todo): ['{{which}}']", { which: "Shw" });
    expect(well).toBe(false);
    expect(err).toMatch(/there is no job "Shw"\. Did you mean "Show"\?/);
  });

  test("(repeat) runs its jobs this many times", async () => {
    expect((await runTodo("  - (repeat): '{{n}}'\n    ((todo)): [A, B]", { n: 2 })).lines).toEqual([
      "A",
      "B",
      "A",
      "B",
    ]);
    const { well, err } = await runTodo("  - (repeat): '{{n}}'\n    ((todo)): A", { n: "many" });
    expect(well).toBe(false);
    expect(err).toMatch(/\(repeat\) takes a number of times, not "many" \(.*jobs\.yaml:2:5\)/);
  });

  test("(each) runs its jobs for each item: a map becomes arguments, anything else their item", async () => {
    const todo = "  - (each): list\n    ((key)): args\n    ((todo)): Show";
    const { lines } = await runTodo(todo, { list: [{ a: 1 }, "b"] });
    expect(lines.map((line) => ({ ...JSON.parse(line), list: 0 }))).toEqual([
      { list: 0, a: 1 },
      { list: 0, item: "b" },
    ]);
    const { err } = await runTodo(todo.replace("list", "none"));
    expect(err).toMatch(/\(each\) finds no list in args at none/);
  });

  test("(each) takes the list of $set, at a path of JMESPath", async () => {
    const todo = '  - { name: Keep }\n  - (each): "[?n > `1`]"\n    ((key)): found\n    ((todo)): Show';
    const jobs = "  - { name: Keep, exec: '$set(\"found\", [{ n: 1 }, { n: 2 }])' }";
    expect((await runTodo(todo, {}, jobs)).lines).toEqual(['{"n":2}']);
  });

  test("(parallel) runs its jobs at once", async () => {
    // Each of them waits for the other.
    const meet = (name: string, other: string): string =>
      `  - { name: ${name}, exec: '$set("${name}", 1); while ($get("${other}") !== 1) sleep(1); log("met")' }\n`;
    const { well, lines } = await runTodo("  - (parallel): [One, Two]", {}, meet("One", "Two") + meet("Two", "One"));
    expect({ well, lines }).toEqual({ well: true, lines: ["met", "met"] });
  });

  test("shortcuts in (parallel) run at once too, each with a script of its own", async () => {
    const wait = (mine: string, other: string): string =>
      `{ (if): '($set("${mine}", 1), (() => { while ($get("${other}") !== 1) sleep(1); return true; })())', ((then)): A }`;
    const { well, lines } = await runTodo(`  - (parallel): [${wait("one", "two")}, ${wait("two", "one")}]`);
    expect({ well, lines }).toEqual({ well: true, lines: ["A", "A"] });
  });

  test("a job that fails in (parallel) does not stop the others", async () => {
    const { well, lines } = await runTodo("  - (parallel): [Bad, A]", {}, "  - { name: Bad, exec: throw 'oh' }");
    expect({ well, lines }).toEqual({ well: false, lines: ["A"] });
  });
});

describe("(check)", () => {
  const todo = "  - (check    ): Look\n    ((actions)): { create: [A, B], delete: Show }";
  const jobs = "  - { name: Look, exec: args._action = args.want }";

  test("without _go=true it says what the action would run, and runs nothing", async () => {
    const { well, lines } = await runTodo(todo, { want: "create" }, jobs);
    expect(well).toBe(true);
    expect(lines).toEqual(['(check): the action "create" would run A, B. Add _go=true to run it.']);
  });

  test("with _go=true it runs the jobs of the action", async () => {
    expect((await runTodo(todo, { want: "create", _go: true }, jobs)).lines).toEqual(["A", "B"]);
    expect((await runTodo(todo, { want: "none", _go: true }, jobs)).lines).toEqual([]);
  });
});

describe("(wait) and (fail)", () => {
  test("(wait) waits, and ends when the run is stopped", async () => {
    const { well, lines } = await runTodo("  - (wait): 1\n  - A");
    expect({ well, lines }).toEqual({ well: true, lines: ["A"] });
    const stopped = await runText(`todo:\n  - (wait): 3600000\n  - A\njobs:${JOBS}`, {
      grace: 60_000,
      onStart: (control) => void setImmediate(() => control.stop("test")),
    });
    expect({ well: stopped.well, lines: stopped.lines }).toEqual({ well: false, lines: [] });
  });

  test("(wait) ends at the timeout of the job", async () => {
    const jobs = "  - { name: Slow, typeArgs: { timeout: 20 }, from: { (wait): 3600000 } }";
    const { well, err } = await runTodo("  - Slow", {}, jobs);
    expect(well).toBe(false);
    expect(err).toMatch(/"Slow" took longer than its timeout of 20 ms/);
  });

  test("(fail) ends the whole run: what follows does not start, and jobs of type shutdown run", async () => {
    const jobs = "  - { name: End, type: shutdown, exec: log('end') }";
    const { well, lines, err } = await runTodo("  - End\n  - A\n  - (fail): 3\n  - B", {}, jobs);
    expect({ well, lines }).toEqual({ well: false, lines: ["A", "end"] });
    expect(err).toMatch(/job "\(fail\)" failed: \(fail\) ends the run, with the code 3 of the job file/);
  });

  test("a shortcut that runs for ever lets the process do its other work, and is ended by the timeout of its job", async () => {
    const jobs =
      "  - name: Busy\n    typeArgs: { timeout: 50 }\n    from:\n      - (repeat): 1e12\n        ((todo)): { (pass): { x: 1 } }";
    const { well, err } = await runTodo("  - Busy", {}, jobs);
    expect(well).toBe(false);
    expect(err).toMatch(/"Busy" took longer than its timeout of 50 ms/);
  });
});

describe("shortcuts and locks", () => {
  const managed = (from: string): string => `include: oJobManager.yaml
jobs:
  - name: Work
    from: [${from}]
    to: oJobManager Job End
    catch: oJobManager Error
    exec: log("works as " + $ch("oJobManager-jobs").getAll()[0].name)
    args: { name: daily }
  - { name: Keep, exec: '$set("data", { name: "other", timeout: 1, more: 1 })' }
todo: [Keep, Work]
`;

  test("data that a shortcut adds never names the lock of a job", async () => {
    const { well, lines } = await runText(managed("{ (get): data }, oJobManager Job Start"));
    expect(well).toBe(true);
    expect(lines).toEqual([
      '(get) cannot set "name": a job with a lock does not take this argument from data. Write it under (pass).',
      '(get) cannot set "timeout": a job with a lock does not take this argument from data. Write it under (pass).',
      "works as daily",
    ]);
  });

  test("a name that (pass) writes is taken, and one with a gap is refused before the lock is", async () => {
    const { lines } = await runText(managed('{ (pass): { name: "night-{{day}}" } }, oJobManager Job Start'), {
      args: { day: 1 },
    });
    expect(lines).toEqual(["works as night-1"]);
    const { well, err } = await runText(managed('{ (pass): { name: "night-{{day}}" } }, oJobManager Job Start'));
    expect(well).toBe(false);
    expect(err).toMatch(/nothing fills \{\{day\}\} in the name of the lock/);
  });

  test("a lock that a job takes within (if) is held until the job ends", async () => {
    const yaml = managed("{ (if): true, ((then)): oJobManager Job Start }");
    const { well, lines } = await runText(yaml);
    expect({ well, lines }).toEqual({ well: true, lines: ["works as daily"] });
  });
});
