import { describe, expect, test } from "vitest";
import { type Ran, runText } from "../testing/run-file.js";

/** Runs these steps, and then shows the arguments of their job. */
function runSteps(
  steps: string,
  args: Record<string, unknown> = {},
  files: Record<string, string> = {},
  more = "",
): Promise<Ran> {
  const yaml = `todo: [Steps]
jobs:
  - name: Steps
    from:
${steps}
    exec: 'print(stringify({ ...args, init: undefined }, undefined, ""))'
  - { name: Keep, exec: '$set("k", args.keep); $set("res", args.res)' }
${more}`;
  return runText(yaml, { args }, files);
}

async function argsAfter(
  steps: string,
  args: Record<string, unknown> = {},
  files: Record<string, string> = {},
): Promise<unknown> {
  const { out, err, well } = await runSteps(steps, args, files);
  expect(well, err).toBe(true);
  return JSON.parse(out);
}

describe("(pass)", () => {
  test("its values become arguments, with templates filled as in args: a whole one keeps its type", async () => {
    const steps = "      - (pass    ): { a: '{{n}}', b: 'n is {{n}}', c: { d: ['{{n}}'] }, e: '{{a}}' }";
    expect(await argsAfter(steps, { n: 1 })).toEqual({ n: 1, a: 1, b: "n is 1", c: { d: [1] }, e: 1 });
  });

  test("maps are merged, null takes an argument away, and the next step sees all of it", async () => {
    const steps = "      - (pass): { m: { y: 2 }, gone: ~ }\n      - (pass): { seen: '{{m.y}}' }";
    expect(await argsAfter(steps, { m: { x: 1 }, gone: 1, kept: null })).toEqual({
      m: { x: 1, y: 2 },
      kept: null,
      seen: 2,
    });
  });

  test("((templateArgs)): false leaves templates as they are written", async () => {
    expect(await argsAfter("      - (pass): { a: '{{n}}' }\n        ((templateArgs)): false", { n: 1 })).toEqual({
      n: 1,
      a: "{{n}}",
    });
  });

  test("$get and $path are helpers of its templates", async () => {
    const steps =
      "      - { name: Keep, args: { keep: [{ n: 7 }] } }\n      - (pass): { a: \"{{$path ($get 'k') '[0].n'}}\", b: \"{{$get 'k'}}\" }";
    expect(await argsAfter(steps)).toEqual({ a: "7", b: '[{"n":7}]' });
  });

  test("a template without a value stays as written, with a warning", async () => {
    const { out, lines } = await runSteps("      - (pass): { a: 'x {{none}}' }");
    expect(lines).toEqual(['nothing fills {{none}} in the argument "a" of the job "Steps".']);
    expect(JSON.parse(out.split("\n")[1] ?? "")).toEqual({ a: "x {{none}}" });
  });
});

describe("(set), (get) and (unset)", () => {
  test("(set) keeps the arguments, a path of them, or ((data)); (get) adds them again", async () => {
    const steps = `      - (set): all
      - (set ): part
        ((path)): m.x
      - (set): data
        ((data)): { y: "{{n}}" }
      - (pass): { n: ~, m: ~ }
      - (get): data
      - (get ): all
        ((path)): m`;
    expect(await argsAfter(steps, { n: 1, m: { x: 5 } })).toEqual({ y: 1, x: 5 });
  });

  test("a list becomes _list, and what is not there adds nothing", async () => {
    const steps =
      "      - { name: Keep, args: { keep: [1, 2] } }\n      - (get): k\n      - (unset): k\n      - (get): k";
    expect(await argsAfter(steps)).toEqual({ _list: [1, 2] });
  });

  test("a text is not a map of arguments: that is an error", async () => {
    const { well, err } = await runSteps("      - { name: Keep, args: { keep: text } }\n      - (get): k");
    expect(well).toBe(false);
    expect(err).toMatch(/\(get\) adds a map to the arguments, and this is none: a string \(.*jobs\.yaml:6:9\)/);
  });
});

describe("(fileget)", () => {
  const files = { "data.yaml": "a: { b: [1, 2] }\n", "data.json": '{"c":3}' };

  test("a YAML or JSON file beside the job file goes to res, to a key, or to an argument", async () => {
    const steps = `      - (fileget): data.json
      - (get    ): res
      - (fileget): data.yaml
        ((path )): a.b[1]
        ((out  )): found.here
      - (fileget): data.yaml
        ((key  )): file
      - (get    ): file`;
    expect(await argsAfter(steps, {}, files)).toEqual({ c: 3, found: { here: 2 }, a: { b: [1, 2] } });
  });

  test("a file that is missing is an error with its path", async () => {
    const { well, err } = await runSteps("      - (fileget): none.yaml");
    expect(well).toBe(false);
    expect(err).toMatch(/no such file or directory, open '.*none\.yaml' \(.*jobs\.yaml:5:9\)/);
  });
});

describe("(convert), (query), (ch) and (fn)", () => {
  test.each([
    ["json", "'{\"a\":1}'", { a: 1 }],
    ["yaml", "'a: 1'", { a: 1 }],
    ["ndjson", '"{\\"a\\":1}\\n\\n{a: 2}"', [{ a: 1 }, { a: 2 }]],
  ])("(convert) reads a text as %s", async (format, text, out) => {
    const steps = `      - (pass): { text: ${text} }\n      - (convert): args\n        ((inPath)): text\n        ((inFormat)): ${format}\n        ((outPath)): out\n      - (pass): { text: ~ }`;
    expect(await argsAfter(steps)).toEqual({ out });
  });

  test("(convert) fails on a text that cannot be read", async () => {
    const { well, err } = await runSteps("      - (convert): args\n        ((inPath)): t\n        ((inFormat)): json", {
      t: "{ x",
    });
    expect(well).toBe(false);
    expect(err).toMatch(/\(convert\) cannot read the text as JSON/);
  });

  test("a path orders texts, and with them dates, as in OpenAF", async () => {
    const list = [{ d: "2026-01-01" }, { d: "2026-02-01" }, {}];
    const steps =
      "      - (set): late\n        ((path)): \"list[?d > '2026-01-01'].d | {late: @}\"\n      - (get): late";
    expect(await argsAfter(steps, { list })).toMatchObject({ late: ["2026-02-01"] });
  });

  test("(query) replaces a list by what its calls select, or by a JMESPath expression", async () => {
    const list = [{ n: 1 }, { n: 3 }, { n: 2 }];
    const args = (more: string): string => `      - (query): ${more}\n        ((key)): args\n        ((from)): list`;
    expect(await argsAfter(args('"greater(n, 1).sort(-n).limit(1)"'), { list })).toEqual({ list: [{ n: 3 }] });
    expect(await argsAfter(`${args('"[].n"')}\n        ((type)): path\n        ((to)): ns`, { list })).toEqual({
      list,
      ns: [1, 3, 2],
    });
    const kept =
      "      - { name: Keep, args: { keep: [{ n: 1 }, { n: 2 }] } }\n      - (query): sum(n)\n        ((key)): k\n        ((toKey)): s\n      - (pass): { s: \"{{$get 's'}}\" }";
    expect(await argsAfter(kept)).toEqual({ s: "3" });
  });

  test("(ch) works on a channel", async () => {
    const steps = `      - (ch): data
        ((op)): set
        ((k )): { id: 1 }
        ((v )): { id: 1, n: "{{n}}" }
      - (ch): data
        ((op)): getAll
        ((key)): args
      - (ch): data
        ((op)): SIZE
        ((key)): args`;
    const yaml = "ojob: { channels: { create: [{ name: data }] } }\n";
    const { out, err, well } = await runSteps(steps, { n: 5 }, {}, yaml);
    expect(well, err).toBe(true);
    expect(JSON.parse(out)).toMatchObject({ n: 5, _list: [{ id: 1, n: 5 }], size: 1 });
  });

  test("(fn) calls a function by the names of its parameters", async () => {
    const more =
      "code:\n  own.js: |\n    exports.add = function (a, b = 1) { return a + b; };\nojob: { loads: own.js }\n";
    const steps =
      "      - (fn): add\n        args: { a: 2 }\n      - (fn): $set\n        args: { aKey: mine, aValue: { x: 1 } }\n      - (pass): { sum: \"{{$get 'res'}}\" }\n      - (get): mine";
    const { out, err, well } = await runSteps(steps, {}, {}, more);
    expect(well, err).toBe(true);
    expect(JSON.parse(out)).toEqual({ sum: "3", x: 1 });
  });

  test("(fn) without any of the arguments is an error that names the parameters", async () => {
    const { well, err } = await runSteps("      - (fn): $set");
    expect(well).toBe(false);
    expect(err).toMatch(/\(fn\): \$set takes aKey, aValue, and none of these is among the arguments/);
  });
});

test("args beside a shortcut are for it alone, and win over those of the job", async () => {
  const steps = "      - (set): k\n        ((path)): x\n        args: { x: { y: 2 }, z: 3 }\n      - (get): k";
  expect(await argsAfter(steps, { x: 1 })).toEqual({ x: 1, y: 2 });
});

test("a step may be a job with args for it alone", async () => {
  const yaml = `todo: [Outer]
jobs:
  - name: Outer
    from: { name: Inner, args: { x: 2, y: "{{n}}" } }
    exec: 'print(stringify({ x: args.x, y: args.y, seen: args.seen }, undefined, ""))'
    args: { x: 1, n: 5 }
  - { name: Inner, exec: 'args.seen = args.x + "," + args.y' }
`;
  expect((await runText(yaml)).out).toBe('{"x":1,"seen":"2,5"}\n');
});
