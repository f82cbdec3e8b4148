import { readFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile, JobFileError, type Problem } from "../../index.js";
import { toYaml } from "../../load/yaml/yaml.js";
import { EXAMPLES, exampleNames } from "../../testing/corpus.js";
import { runText, script } from "../../testing/run-file.js";
import { openAfName } from "./openaf-names.js";

// Scripts load packages of this repository, which are TypeScript here: a thread that was built cannot.
delete process.env["OJM_BUILT"];

/** The findings of a check of this file: line, column and message. */
async function found(yaml: string, more: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const shown = ({ at, message }: Problem): string => `${at?.line}:${at?.column} ${message}`;
  try {
    const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": yaml, ...more }), "jobs.yaml"));
    return warnings.map(shown);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(shown);
  }
}

/** The names that are missing in a job with this script. */
async function missing(code: string, more = "", files = {}): Promise<string[]> {
  return (await found(script(code, more), files)).map((one) => /^\d+:\d+ "(.*?)" is not defined/.exec(one)?.[1] ?? one);
}

/** Scripts with their undefined names. Each script fails at the first of these names. */
const FAULTS: readonly (readonly [string, string, readonly string[]])[] = [
  ["a call", "nope()", ["nope"]],
  ["a value", "args.x = nope", ["nope"]],
  ["in a template", "log(`\u0024{nope}`)", ["nope"]],
  ["a computed key", "log({ [nope]: 1 }); args[nope2]", ["nope", "nope2"]],
  ["a shorthand field", "log({ nope })", ["nope"]],
  ["a default of a parameter", "function f(a = nope) {} f()", ["nope"]],
  ["a default in a pattern", "const { a = nope, [nope2]: b } = args", ["nope", "nope2"]],
  ["outside of its block", "{ let a = 1 } log(a)", ["a"]],
  ["outside of its function", "function f() { var a } f(); log(a)", ["a"]],
  ["outside of its catch", "try { f() } catch (e) {} log(e); function f() {}", ["e"]],
  ["outside of its loop", "for (let i = 0; i < 2; i++) {} log(i)", ["i"]],
  ["the name of a function expression", "const f = function g() {}; log(f, g)", ["g"]],
  ["a compound assignment", "nope += 1; nope2++", ["nope", "nope2"]],
  ["a super class", "class A extends Nope {} new A()", ["Nope"]],
  ["a default of a class field", "class A { x = nope } new A()", ["nope"]],
  ["an awaited one", "await nope()", ["nope"]],
  ["a tag", "nope`x`", ["nope"]],
  ["asked for by isDef, which fails too", "if (isDef(nope)) log(1)", ["nope"]],
  ["one of a module", "module.exports = 1", ["module"]],
  ["each name once", "nope(); nope(); nope2()", ["nope", "nope2"]],
];

describe("names that nothing defines", () => {
  test.each(FAULTS)("a name that nothing defines is warned of: %s", async (_, code, names) => {
    expect(await missing(code)).toEqual(names);
  });

  test("in args that are code, of a job and of an item of the todo", async () => {
    const yaml = 'jobs: [{ name: A, args: "({ a: nope })" }]\ntodo: [{ name: A, args: "nope2" }]\n';
    expect((await found(yaml)).sort()).toEqual([
      '1:32 "nope" is not defined in "args" of "A".',
      '2:26 "nope2" is not defined in "args" of "A".',
    ]);
  });

  test("a script of which a name is missing fails at that name when it runs", async () => {
    const jobs = FAULTS.map(([name, code]) => ({
      name,
      exec: code,
      catch: "log([job.name, exception.message].join(': '))",
    }));
    const { lines } = await runText(toYaml({ jobs, todo: jobs.map(({ name }) => name) }));
    expect(lines).toEqual(FAULTS.map(([name, , [first]]) => `${name}: ${first} is not defined`));
  });
});

describe("names that are not faults", () => {
  test.each([
    ["what scripts have", "log(args, job, exception, require, global, init1 => init1)"],
    ["ours", '$ch("a").create(); $from([]).select(); af.toYAML(1); isDef(1); templify("", {}); sh("ls")'],
    ["of JavaScript", "log(Math, JSON, Map, Promise, undefined, NaN, globalThis, Symbol, Intl, Reflect)"],
    ["of Node", "log(process, Buffer, setTimeout, fetch, URL, structuredClone, console, AbortController, crypto)"],
    ["typeof", 'if (typeof nope !== "undefined") nope()'],
    ["fields and labels", "a: for (;;) { args.nope.nope2; log({ nope3: 1, nope4() {} }); break a }"],
    [
      "private and static",
      "class A { #nope = 1; static { this.nope2 = A } get nope3() { return this.#nope } } new A()",
    ],
    ["hoisting", "f(); v = 1; var v; function f() { return w } var w"],
    ["a function in a block", "{ function f() {} } f()"],
    ["patterns", "const { a, b: { c }, ...d } = args; const [e, , f = e, ...g] = a; log(c, d, f, g)"],
    ["parameters", "const f = ({ a }, [b], ...c) => a + b + c; f(args, [1], 2)"],
    ["a recursive one", "const f = function g() { return g }; f()"],
    ["arguments", "function f() { return () => arguments } f(); arguments.length"],
    ["a catch", "try { log(1) } catch ({ message }) { log(message) } try { log(1) } catch { log(2) }"],
    ["loops", "for (const k in args) log(k); for (const [k, v] of Object.entries(args)) log(k, v)"],
    ["a switch", "switch (args.a) { case 1: let x = 1; default: log(x) }"],
    [
      "assigned without declaration",
      "nope = 1; log(nope); [nope2, args.x] = [1, 2]; log(nope2); for (nope3 of []) log(nope3)",
    ],
    ["set in global", 'global.nope = 1; globalThis["nope2"] = 2; log(nope, nope2); this.nope3 = 1; log(nope3)'],
    ["a field that is asked for", "if (isDef(af.nope)) log(1); log(typeof af.nope2)"],
    ["given to global", "Object.assign(global, { nope: 1 }); log(nope)"],
    ["computed in global", "for (const k of args.list) global[k] = 1; log(nope)"],
    ["given to who may set it", "extend(global); log(nope); function extend() {}"],
    ["evaluated", 'eval("var nope = 1"); log(nope)'],
    ["with", "with (args) { log(nope) }"],
    ["new.target, import()", 'function F() { return new.target } F(); await import("node:fs")'],
    ["delete", "delete nope"],
    ["a keyword as a field", "log(args.class, args.new, { default: 1 })"],
    ["await as a name", "var await = 1; log(await)"],
  ])("no name is warned of without a fault: %s", async (_, code) => {
    expect(await missing(code)).toEqual([]);
  });

  test("what files under loads define is there in all scripts", async () => {
    const loads = "ojob: { loads: [a.js, b.mjs, c.js, mod] }\ncode:\n  mod: exports.ofMod = () => 1";
    const files = {
      "a.js":
        "var v = 1; let l = 2; function f() { return arguments } class C {} undeclared = 3; module.exports = { e: 1 };",
      "b.mjs":
        "export function fromModule() {}\nexport const { x, y: [z] } = {};\nconst inner = 1;\nexport { inner as outer };",
      "c.js": "exports.one = 1; module.exports.two = 2; globalThis.three = 3",
    };
    const code = "log(v, l, f, C, undeclared, e, fromModule, x, z, outer, one, two, three, ofMod, inner, y)";
    expect(await missing(code, loads, files)).toEqual(["inner", "y"]);
    const unknown = { ...files, "a.js": "module.exports = require('./c.js')" };
    expect(await missing("log(nope); _$(1)", loads, unknown)).toEqual(["_$"]);
  });

  test("what a package under loads exports is there, and so are fields that a script sets in it", async () => {
    const loads = 'ojob: { loads: ["@ojm/openaf", own] }';
    const files = { "node_modules/own/index.js": "exports.mine = 1" };
    const code = `log(mine, ow.format.fromDate, ow.loadFormat().string.leftPad, io.rm.name, exit, nope);
ow.own = { a: 1 }; log(ow.own.a.b, typeof io.none, isDef(ow.server), ow.toString(), ow.format.nope)`;
    expect(await missing(code, loads, files)).toEqual(["nope", "ow.format.nope"]);
  });

  test("a package under loads that fails is an error at its place", async () => {
    const files = { "node_modules/bad/index.js": "throw new Error('broken')" };
    expect(await found(`ojob: { loads: bad }\n${script("log(1)")}`, files)).toEqual([
      expect.stringMatching(/^1:16 cannot load bad: .*broken\.$/),
    ]);
  });

  test("what another script of the file sets in global is there, and so is init", async () => {
    const other = "  - name: B\n    exec: global.set = 1\n    catch: also = 2\ninit: { a: 1 }";
    expect(await missing("log(set, also, init)", other)).toEqual([]);
    expect(await missing("log(init)")).toEqual(["init"]);
  });

  test("what a job that comes with ojm sets is there", async () => {
    const other = "  - name: B\n    to: oJob Set\n    args: { name: mine, value: 1 }\ninclude: [oJobBasics.yaml]";
    expect(await missing("log(mine, nope)", other)).toEqual(["nope"]);
  });

  test("no name is missing in the examples", async () => {
    for (const name of exampleNames()) {
      expect((await found(readFileSync(join(EXAMPLES, name), "utf8"))).join("\n")).not.toContain("is not defined");
    }
  });
});

describe("where a missing name is, and what to write instead", () => {
  const file = (lines: string): string =>
    `jobs:\n  - name: A\n${lines}\ntodo: [${lines.includes("name: B\n") ? "A, B" : "A"}]\n`;

  test.each([
    ["a block", "    exec: |\n      log(1);\n        nope(2);", "5:9"],
    ["a block with its indentation", "    exec: |2\n          nope(2);", "4:11"],
    ["a text on the line", "    exec: log(nope)", "3:15"],
    ["a quoted text", '    exec: "log(nope)"', "3:16"],
    ["a folded text", "    exec: >-\n      log(nopes =>\n      1, nope)", "5:10"],
    ["a quoted text of several lines", '    exec: "log(1,\n      nope)"', "4:7"],
    ["an awaiting script", "    exec: |\n      await 1;\n      nope()", "5:7"],
    ["catch", "    exec: throw 1\n    catch: log(nope)", "4:16"],
    ["stopWhen", "    typeArgs: { stopWhen: nope }", "3:27"],
    ["onFail", "    deps: [{ name: B, onFail: nope }]\n  - name: B\n    exec: log(1)", "3:31"],
    ["Node", "    lang: node\n    exec: log(args)", "4:11"],
  ])("a missing name is shown at its place in the job file: %s", async (_, lines, place) => {
    expect(await found(file(lines))).toEqual([expect.stringMatching(`^${place} "(nope|log)" is not defined in `)]);
  });

  test("a missing name is shown at its place in a file of its own", async () => {
    const files = { "s.js": "\nnope()", "m.js": "exports.exec = () =>\n  nope2()", "l.js": "function l() { nope3() }" };
    const yaml =
      "ojob: { loads: l.js }\njobs:\n  - { name: A, typeArgs: { file: s.js } }\n  - { name: B, typeArgs: { execRequire: m.js } }\ntodo: [A, B]\n";
    expect((await found(yaml, files)).map((one) => one.split(" ").slice(0, 2).join(" "))).toEqual([
      '1:16 "nope3"',
      '2:1 "nope"',
      '2:3 "nope2"',
    ]);
  });

  test.each([
    [
      "_$(1)",
      '5:7 "_$" is not defined in the script of "Job". It belongs to OpenAF: add loads: ["@ojm/openaf"] under "ojob".',
    ],
    [
      "$tb(1)",
      '5:7 "$tb" is not defined in the script of "Job". It belongs to OpenAF: use "timeout" under "typeArgs".',
    ],
    [
      "af.nope()",
      '5:7 "af.nope" is not defined in the script of "Job". It belongs to OpenAF, and has no equivalent here.',
    ],
    ["HTTP", '5:7 "HTTP" is not defined in the script of "Job". It belongs to OpenAF, and has no equivalent here.'],
    ["stringfy()", '5:7 "stringfy" is not defined in the script of "Job". Did you mean "stringify"?'],
    ["exceptoin", '5:7 "exceptoin" is not defined in the script of "Job". Did you mean "exception"?'],
    ["zzzz", '5:7 "zzzz" is not defined in the script of "Job".'],
  ])("the message says what to write instead, where there is something: %s", async (code, message) => {
    expect(await found(script(`// comment\n${code}`).replace("// comment\n      ", "// c\n      "))).toEqual([message]);
  });

  test("names that @ojm/openaf has are reported in one warning, and those that it lacks one by one", async () => {
    const code = "_$(io.fileExists('a')); io.onDirEvent(); io.rm('a'); ow.loadServer().x; af.toSLON(__); $tb()";
    const open = 'is not defined in the script of "Job". It belongs to OpenAF, and has no equivalent here.';
    expect(await found(script(code))).toEqual([
      '4:7 "_$", "io", "ow", "af.toSLON" and "__" are not defined in the scripts of this file. They are of OpenAF: add loads: ["@ojm/openaf"] under "ojob".',
      `4:31 "io.onDirEvent" ${open}`,
      `4:60 "ow.loadServer" ${open}`,
      expect.stringMatching(/^4:\d+ "\$tb" is not defined .*: use "timeout" under "typeArgs"\.$/),
    ]);
    expect(await missing(code, 'ojob: { loads: "@ojm/openaf" }')).toEqual(["io.onDirEvent", "ow.loadServer", "$tb"]);
  });

  test("many names of @ojm/openaf are counted, and a process of Node does not get them", async () => {
    const code = "_$; $$; $f; $ft; $t; $o; $sh; $csv; $rest; $path";
    expect((await found(script(code)))[0]).toMatch(/"\$csv" and 2 more are not defined in the scripts of this file/);
    expect((await found(file("    lang: node\n    exec: _$(1)")))[0]).toMatch(
      /It belongs to OpenAF, and has no equivalent here\.$/,
    );
  });

  test("an included job is looked at only where this file leads to it", async () => {
    const library =
      "jobs:\n  - { name: Used, exec: a1() }\n  - { name: Unused, exec: a2() }\n  - { name: Called, exec: a3() }\n";
    const yaml = "include: [lib.yaml]\njobs: [{ name: A, from: Used, exec: '$job(\"Called\")' }]\ntodo: [A]\n";
    expect((await found(yaml, { "lib.yaml": library })).map((one) => /"(.*?)"/.exec(one)?.[1])).toEqual(["a1", "a3"]);
  });

  test("a name of Object.prototype is not a name of OpenAF", () => {
    expect(openAfName("constructor")).toBeUndefined();
  });
});

describe("names in the code of shortcuts", () => {
  test("a name in the condition of (if), and the function of (fn), are looked at, at their places", async () => {
    const yaml = `todo:
  - (if): |
      isDef(args.x) &&
      nope(args.x)
    ((then)):
      - A
      - (if): "'{{y}}' == nope2"
jobs:
  - name: A
    to:
      - (fn): own.thing
      - (fn): getEnv
`;
    expect(await found(yaml)).toEqual([
      '4:7 "nope" is not defined in "(if)" of "todo".',
      '7:27 "nope2" is not defined in "(if)" of "todo".',
      '11:15 "own" is not defined in "(fn)" of "A".',
    ]);
  });

  test("the jobs that shortcuts name are checked, even in an included file", async () => {
    const lib = "jobs: [{ name: Used, exec: nope() }, { name: Unused, exec: nope2() }]\n";
    const warnings = await found("include: lib.yaml\ntodo: [{ (todo): [{ (if): 1, ((then)): Used }] }]\n", {
      "lib.yaml": lib,
    });
    expect(warnings).toEqual(['1:28 "nope" is not defined in the script of "Used".']);
  });
});
