import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Ran, runText } from "../testing/run-file.js";

function run(todo: string, args: Record<string, unknown> = {}, files: Record<string, string> = {}): Promise<Ran> {
  return runText(`todo:\n${todo}\njobs:\n  - { name: Keep, exec: '$set("res", args.res)' }\n`, { args }, files);
}

describe("(print), (printmd) and (log)", () => {
  test("templates are filled from res, and from the arguments if res is not set", async () => {
    expect((await run("  - (print): 'x is {{x}}'", { x: 1 })).out).toBe("x is 1\n");
    const todo =
      "  - { name: Keep, args: { res: { x: 2 } } }\n  - (print): 'x is {{x}}'\n  - (print): 'x is {{x}}'\n    ((key)): args";
    expect((await run(todo, { x: 1 })).out).toBe("x is 2\nx is 1\n");
  });

  test("(log) has a level, and errors go to the error output", async () => {
    const { out, err } = await run(
      "  - (log): '{{x}}'\n  - (log): careful\n    ((level)): warn\n  - (log): oh\n    ((level)): error",
      { x: 1 },
    );
    expect(out.split("\n").map((line) => line.replace(/^[^|]* \| /, ""))).toEqual(["INFO  | 1", "WARN  | careful", ""]);
    expect(err).toMatch(/ \| ERROR \| oh\n/);
  });

  test("(printmd) prints its text as it is written", async () => {
    expect((await run("  - (printmd): |\n      # {{x}}\n      text", { x: 1 })).out).toBe("# 1\ntext\n");
  });

  test("(debug) logs the arguments and res, without secrets", async () => {
    const { lines } = await run("  - { name: Keep, args: { res: [1] } }\n  - (debug):", { x: 1, password: "geheim" });
    expect(lines).toEqual(['args: {"x":1,"password":"***"}', "res: [1]"]);
  });
});

describe("(output)", () => {
  const data = { list: [{ a: 1, b: "x" }, { a: 22 }] };

  test.each([
    ["json", '[{"a":1,"b":"x"},{"a":22}]\n'],
    ["ndjson", '{"a":1,"b":"x"}\n{"a":22}\n'],
    ["yaml", "- a: 1\n  b: x\n- a: 22\n"],
    ["table", "a  | b\n---+--\n1  | x\n22 |\n"],
  ])("prints data as %s", async (format, out) => {
    expect((await run(`  - (output): args\n    ((path)): list\n    ((format)): ${format}`, data)).out).toBe(out);
  });

  test("without a format it is YAML, or what __format says; a title goes around it", async () => {
    expect((await run("  - (output): args\n    ((title)): all", { x: 1 })).out).toBe("all:\n  x: 1\n");
    expect((await run("  - (output): args", { x: 1, __format: "json" })).out).toBe('{"x":1}\n');
    const { well, err } = await run("  - (output): args", { x: 1, __format: "slon" });
    expect(well).toBe(false);
    expect(err).toMatch(/there is no format "slon" of \(output\): json, prettyjson/);
  });

  test("a text is printed as it is", async () => {
    expect((await run("  - (output): args\n    ((path)): t", { t: "a\nb" })).out).toBe("a\nb\n");
  });
});

describe("(template) and (findReplace)", () => {
  test("(template) fills a template of Handlebars into res, into args, or into a file", async () => {
    const todo = `  - (template): "{{#each list}}<{{this}}>{{/each}}"
    ((data   )): { list: [1, 2] }
  - (output  ): res
    ((path   )): output
  - (template):
    ((templateFile)): page.hbs
    ((dataFile)): data.yaml
    ((outputFile)): page.html`;
    const { out, folder, err } = await run(todo, {}, { "page.hbs": "{{t}} {{{t}}}", "data.yaml": "t: a&b\n" });
    expect(out, err).toBe("<1><2>\n");
    expect(readFileSync(join(folder, "page.html"), "utf8")).toBe("a&amp;b a&b");
  });

  test("(template) with the key args keeps the text for the steps after it", async () => {
    const yaml = `todo: [A]
jobs:
  - name: A
    from:
      - (template): " v: {{v}} "
        ((outPath): status
        ((key    ): args
        ((out    ): args
    exec: print("[" + args.status + "]")
    args: { v: 1 }
`;
    expect((await runText(yaml)).out).toBe("[ v: 1 ]\n");
  });

  test("(findReplace) replaces texts, or patterns, in a text or a file", async () => {
    const todo = `  - (todo):
      - (findReplace): { "|name|": "$& {{who}}", ".": "!" }
        ((inputKey )): args
        ((inputPath)): text
      - (print      ): "{{output}}"
        ((key      )): args
      - (findReplace): { "(\\\\d)+": "<$1>" }
        ((useRegExp)): true
        ((inputFile)): in.txt
        ((outputFile)): out.txt
    ((shareArgs)): true`;
    const { out, folder, err } = await run(todo, { text: "Hi |name|.", who: "you" }, { "in.txt": "12 and 3" });
    expect(out, err).toBe("Hi $&amp; you!\n");
    expect(readFileSync(join(folder, "out.txt"), "utf8")).toBe("<2> and <3>");
  });
});

describe("(run) and (runfile)", () => {
  const inner = `todo: [{ (output): args, ((path)): greeting }, Say]
jobs: [{ name: Say, exec: log("inner " + args.who) }]
`;

  test("runs another job file beside this one, with ((args)) as its command line", async () => {
    const { well, lines, err } = await run(
      "  - (runfile): inner.yaml\n    ((args)): { who: you }",
      {},
      { "inner.yaml": inner },
    );
    expect({ well, lines }, err).toEqual({ well: true, lines: ["inner you"] });
  });

  test("what that file outputs is kept under res or another key, and becomes arguments", async () => {
    const file = "todo: [{ (output): args, ((path)): map }]\njobs: [{ name: A }]\n";
    const args = "((args)): { map: { a: '{{x}}' } }";
    const yaml = `todo: [Outer]
jobs:
  - name: Outer
    from:
      - (run): inner.yaml
        ${args}
        ((templateArgs)): true
      - (run): inner.yaml
        ${args}
        ((key)): mine
    exec: print(stringify([args.a, $get("res"), $get("mine")], undefined, ""))
    args: { x: 5 }
`;
    expect((await runText(yaml, {}, { "inner.yaml": file })).out).toBe('[5,{"a":5},{"a":"{{x}}"}]\n');
  });

  test("a file that fails, and one that is missing, fail the job", async () => {
    const bad = "todo: [A]\njobs: [{ name: A, exec: throw 'oh' }]\n";
    const ran = await run("  - (run): bad.yaml", {}, { "bad.yaml": bad });
    expect(ran.well).toBe(false);
    expect(ran.err).toMatch(/bad\.yaml failed \(.*jobs\.yaml:2:5\)/);
    expect((await run("  - (run): none.yaml")).err).toMatch(/none\.yaml cannot be run:[\s\S]*there is no file/);
  });
});

describe("(secget)", () => {
  const secret = "s3cr3t-value";
  const env = (todo: string): Promise<Ran> => {
    process.env["SHORTCUT_SECRET"] = secret;
    return run(todo).finally(() => delete process.env["SHORTCUT_SECRET"]);
  };

  test("takes a variable of the environment, and its value is masked from then on", async () => {
    const todo = `  - (todo):
      - (secget   ): SHORTCUT_SECRET
        ((secEnv )): true
        ((secOut )): login.pass
      - (print    ): "{{login.pass}}"
        ((key    )): args
      - (log      ): "{{login.pass}}"
        ((key    )): args
      - (if       ): args.login.pass === "${secret}"
        ((then   )): { (print): right }
    ((shareArgs)): true`;
    const { out, err, well } = await env(todo);
    expect(well, err).toBe(true);
    expect(out).toMatch(/^\*\*\*\n.* \| \*\*\*\nright\n$/);
  });

  test("takes a file: its fields become arguments, or it goes to ((secOut))", async () => {
    const files = {
      "sec.yaml": "prod:\n  db: { user: u, pass: p4ss }\n",
      "list.yaml": "- { sbucket: prod, key: abcd }\n",
    };
    const todo = `  - (todo):
      - { (secget): db, ((secFile)): sec.yaml, ((secBucket)): prod }
      - { (secget): key, ((secFile)): list.yaml, ((secBucket)): prod, ((secOut)): key }
      - (if): args.user === "u" && args.pass === "p4ss" && args.key === "abcd"
        ((then)): { (print): right }
    ((shareArgs)): true`;
    const { out, err } = await run(todo, {}, files);
    expect(out, err).toBe("right\n");
  });

  test.each([
    ["no source", "{ (secget): x }", /\(secget\) needs "\(\(secEnv\)\): true" or "\(\(secFile\)\)"/],
    [
      "no variable",
      "{ (secget): NO_SUCH_VARIABLE, ((secEnv)): true }",
      /there is no variable NO_SUCH_VARIABLE in the environment/,
    ],
    [
      "no place for a text",
      "{ (secget): PATH, ((secEnv)): true }",
      /the secret "PATH" is a text: name the argument that gets it, by "\(\(secOut\)\)"/,
    ],
    ["no such secret", "{ (secget): x, ((secFile)): sec.yaml }", /there is no secret "x" in .*sec\.yaml/],
    [
      "an encrypted bucket",
      "{ (secget): x, ((secFile)): enc.yaml, ((secBucket)): b }",
      /the bucket "b" in .*enc\.yaml is encrypted by OpenAF/,
    ],
  ])("%s is an error that says what to do", async (_, item, message) => {
    const { well, err } = await run(
      `  - ${item}`,
      {},
      { "sec.yaml": "a: 1\n", "enc.yaml": "- { sbucket: b, v: QUJD }\n" },
    );
    expect(well).toBe(false);
    expect(err).toMatch(message);
  });

  test("((secIgnore)) without a name does nothing", async () => {
    expect((await run("  - { (secget): , ((secIgnore)): true }")).well).toBe(true);
  });
});
