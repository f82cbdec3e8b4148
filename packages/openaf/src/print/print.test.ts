import { describe, expect, test } from "vitest";
import { run } from "../testing/run.js";
import { ansiColor } from "./color.js";
import { printMap } from "./map.js";
import { printTable } from "./table.js";
import { printTree } from "./tree.js";
import { visibleLength } from "./width.js";

/** The output of a script without the log. */
async function written(code: string, args: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { out, err, well } = await run(code, args);
  expect([well, err.replace(/^(>>|<<).*\n/gm, "")]).toEqual([true, ""]);
  return out;
}

const ROWS = [
  { name: "Ann", age: 30, at: new Date(0) },
  { name: "Bob", age: 5, at: undefined },
];

describe("tables, trees and maps", () => {
  test("printTable has a line for each map, and the fields of the first as columns", () => {
    expect(printTable(ROWS)).toBe(
      [
        "name|age|at                     ",
        "----+---+-----------------------",
        "Ann |30 |1970-01-01 00:00:00.000",
        "Bob |5  |undefined              ",
        "",
      ].join("\n"),
    );
    expect(printTable(["a"], undefined, true, false, "utf")).toBe(" \n─\na\n[#1 row]");
    expect(printTable([])).toBe("");
  });

  test("printTable wraps long texts if it has a width", () => {
    const table = printTable([{ a: 1, text: "one two three four five six" }], 20);
    expect(table.split("\n").every((line) => line.length <= 20)).toBe(true);
    expect(table).toContain("one two");
  });

  test("printTree draws maps and lists as branches", () => {
    expect(printTree({ a: 1, b: { c: [true, "x"] }, long: null }, undefined, { noansi: true })).toBe(
      ["/ a   : 1 ", "| b    - c / [0]: true ", "|          \\ [1]: x ", "\\ long: null "].join("\n"),
    );
    expect(printTree({ a: 1, b: 2 }, undefined, { noansi: false, color: false })).toBe("╭ a: 1 \n╰ b: 2 ");
    expect(() => printTree("a")).toThrow("Not a map or array");
  });

  test("printMap draws a box of keys and values", () => {
    expect(printMap({ a: 1, b: { c: "x" }, d: [] }, undefined, "plain")).toBe(
      [
        "+----+----+---+",
        "| a: | 1  |   |",
        "+----+----+---+",
        "| b: | c: | x |",
        "+----+----+---+",
        "| d: | [] | - |",
        "+----+----+---+",
      ].join("\n"),
    );
  });

  test("widths count what is seen, and colours are written where they are asked for", () => {
    expect([
      visibleLength("aé"),
      visibleLength("日本"),
      visibleLength("\u001b[1mab\u001b[m"),
      visibleLength("👍"),
    ]).toEqual([2, 4, 2, 2]);
    expect(["👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "1️⃣", "⚽", "⚽️", "🇵🇹"].map(visibleLength)).toEqual([2, 2, 2, 2, 1, 2, 2]);
    expect(ansiColor("RED,BOLD", "a", true)).toBe("\u001b[31m\u001b[1ma\u001b[m");
    expect(ansiColor("BG_BLUE,FG(202)", "a", true)).toBe("\u001b[44m\u001b[38;5;202ma\u001b[m");
    expect(ansiColor("RED", "a")).toBe("a");
  });
});

describe("ow.oJob.output", () => {
  test.each([
    ["json", '{"a":[1]}\n'],
    ["prettyjson", '{\n  "a": [\n    1\n  ]\n}\n'],
    ["yaml", "a:\n- 1\n\n"],
    ["slon", "(a: [1])\n"],
    ["xml", "<a>1</a>\n"],
    ["text", "[object Object]\n"],
    ["btree", "- a - [0]: 1 \n"],
    ["table", "a\n-\n1\n\n"],
    ["csv", "a\r\n[1]\r\n\n"],
  ])("ow.oJob.output writes a value as %s", async (format, text) => {
    expect(await written("ow.oJob.output({ a: [1] }, args)", { __format: format })).toBe(text);
  });

  test("ow.oJob.output takes a part, a function, or keeps the value", async () => {
    const code = `ow.oJob.output({ a: { b: 2 } }, { __format: "json", __path: "a.b" });
ow.oJob.output({ a: 1 }, {}, (v) => print("shown " + v.a));
ow.oJob.output([1], { __format: "key", __key: "kept" });
print(stringify($get("kept"), undefined, ""));
ow.oJob.output({ p: 1 }, { __format: "pm" }); print(__pm._map.p);
const own = {}; ow.oJob.output([1], merge(own, { __format: "ndjson" }));
print($o({ a: 1 }, { __format: "slon" }, undefined, true));
ow.oJob.output("plain", {});
for (const f of ["html", "md"]) try { ow.oJob.output({}, { __format: f }) } catch (e) { print(e.message) }`;
    expect(await written(code)).toBe(
      [
        "2",
        "shown 1",
        "[1]",
        "1",
        "1",
        "(a: 1)",
        "plain",
        'ow.oJob.output has no format "html" here: use json or yaml',
        'ow.oJob.output has no format "md" here: use json or yaml',
        "",
      ].join("\n"),
    );
  });
});

describe("writing", () => {
  test("each function writes as its name says, and in order", async () => {
    const { out, err } = await run(`global.who = "you";
printnl("a"); tprint("b {{x}} {{who}}", { x: 1, who: "me" }); tprint("c {{who}}"); cprint({ a: 1 }); yprint({ a: 1 }); lprint({ a: 1 });
sprint([1], ""); sprintnl({ a: 1 }, ""); print("");
printErrnl("e"); tprintErr("f{{x}}", { x: 1 }); sprintErr([1], "");
tlog("log {{x}}", { x: 1 }); tlogWarn("warn {{x}}", { x: 2 }); tlogErr("err {{x}}", { x: 3 }); lognl("nl")`);
    expect(out.replace(/^.* \| (INFO|WARN|ERROR) *\| /gm, "$1 ")).toBe(
      'ab 1 me\nc you\n{\n  "a": 1\n}\na: 1\n\n(a: 1)\n[1]\n{"a":1}\nINFO log 1\nWARN warn 2\nINFO nl\n',
    );
    expect(err).toMatch(/ef1\n\[1\]\n(.*\n)*.* \| ERROR \| err 3\n/);
  });

  test("$err writes what was thrown with its stack, returns it, or throws it again", async () => {
    const out = await written(`try { null.x } catch (e) { $err(e) }
try { throw "a text" } catch (e) { $err(e) }
try { throw "again" } catch (e) { try { $err(e, true) } catch (e2) { print("thrown " + e2) } }
print($err(new Error("m"), false, true).split("\\n")[0]);`);
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^│ TypeError: Cannot read properties of null/);
    expect(lines[1]).toMatch(/^│ {5}at .*jobs\.yaml:5:\d+/);
    expect(out).toMatch(/│ a text\n│ again\nthrown again\nError: m\n$/);
    expect(out).not.toMatch(/node:|script-worker/);
  });
});

test("print and log show lists and dates as JavaScript makes texts of them, as OpenAF does, and maps as JSON", async () => {
  const code = `print([1, "a", null, true]); print(new Date(0)); print({ a: [1] }); print([{ a: 1 }]); print(); print(5);
log([1, 2]); logErr(["x"]); logWarn("w"); printErr([3, 4])`;
  const { out, err } = await run(code);
  const [list, date, ...more] = out.split("\n");
  expect([list, date]).toEqual(["1,a,,true", String(new Date(0))]);
  expect(more.join("\n")).toMatch(
    /^\{\n {2}"a": \[\n {4}1\n {2}\]\n\}\n\[\n {2}\{\n {4}"a": 1\n {2}\}\n\]\n\n5\n.* \| INFO {2}\| 1,2\n.*\| WARN {2}\| w\n$/,
  );
  expect(err).toMatch(/ERROR \| x\n/);
  expect(err).toMatch(/^3,4$/m);
});
