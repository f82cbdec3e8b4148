import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith, temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { expressions, valuesOf } from "../testing/run.js";
import { fromSLON, toSLON } from "./slon.js";
import { fromObj2XML, fromXML2Obj } from "./xml.js";

describe("SLON", () => {
  test("a value is written in one line, with quotes where a text needs them", () => {
    expect(toSLON({ a: 1, b: [true, "x y", "p: q"], c: null, d: { e: "it's" } })).toBe(
      "(a: 1, b: [true | x y | 'p: q'], c: null, d: (e: 'it\\'s'))",
    );
    expect(toSLON({ a: 1 }, { startMap: "<", endMap: ">", sepKV: "=" })).toBe("<a=1>");
  });

  test.each([
    [
      "(a: 1, b: [true | null | -2.5e1], c: (d: ' x ', e: \"y\"))",
      { a: 1, b: [true, null, -25], c: { d: " x ", e: "y" } },
    ],
    ["(format: table, path: a b)", { format: "table", path: "a b" }],
    ["()", {}],
    ["[]", []],
    ["['a' | b]", ["a", "b"]],
    ["'a\\u0041\\n'", "aA\n"],
    ["2026-01-31/10:20:30.400", new Date(2026, 0, 31, 10, 20, 30, 400)],
    ["(a: truest)", { a: "truest" }],
    ["", ""],
  ])("SLON is read: %s", (text, value) => {
    expect(fromSLON(text)).toEqual(value);
  });

  test.each(["(a: 1", "(a 1)", "[1, 2]", "(a: 1) b", "(a: )"])(
    "a text that is not SLON is an error with its place: %s",
    (text) => {
      expect(() => fromSLON(text)).toThrow(/this is not SLON: .* is expected at character \d+/);
    },
  );

  test("af.fromJSSLON reads JSON and SLON, and hands other texts back", async () => {
    const wanted = {
      "af.fromJSSLON('{\"a\": 1}')": { a: 1 },
      "af.fromJSSLON('(a: 1)')": { a: 1 },
      "af.fromJSSLON('(a: 1')": "(a: 1",
      "af.fromJSSLON('$raw$(a: 1)')": "(a: 1)",
      "af.toSLON({ a: [1] })": "(a: [1])",
      "af.fromSLON('(a: 1)')": { a: 1 },
    };
    expect(await expressions(wanted)).toEqual(wanted);
  });
});

describe("XML", () => {
  test("elements become fields, several of a name a list, without attributes", () => {
    expect(fromXML2Obj('<?xml version="1.0"?><a id="1"><b>x &amp; y</b><c>1</c><c>2</c><n:d/></a>')).toEqual({
      a: { b: "x & y", c: ["1", "2"], d: "" },
    });
  });

  test("attributes are taken with a list of those that are ignored", () => {
    expect(fromXML2Obj('<a id="1" no="2">text</a>', ["no"])).toEqual({ a: { _id: "1", _: "text" } });
    expect(fromXML2Obj('<a id="1"/>', [], "@")).toEqual({ a: { "@id": "1" } });
  });

  test("a text that is not XML is an error", () => {
    expect(() => fromXML2Obj("<a><b></a>")).toThrow(/this is not XML: .*line 1/);
    expect(() => fromXML2Obj(1)).toThrow("Please provide a string or a XML object.");
  });

  test("a map becomes XML, its lists one element for each item, and its texts are escaped", () => {
    expect(fromObj2XML({ a: { b: ["x<y", 2], c: { d: true } } })).toBe(
      "<a><b>x&lt;y</b><b>2</b><c><d>true</d></c></a>",
    );
    expect(fromObj2XML({ a: { _id: 1, _: "t", b: 2 } }, false, "_")).toBe('<a id="1">t<b>2</b></a>');
  });
});

test("YAML of several documents is a list, and a list is written as documents", async () => {
  const wanted = {
    'af.fromYAML("a: 1\\n---\\nb: 2\\n")': [{ a: 1 }, { b: 2 }],
    'af.fromYAML("a: 1")': { a: 1 },
    "af.fromYAML(af.toYAML([{ a: 1 }, { b: 2 }], true))": [{ a: 1 }, { b: 2 }],
    'af.fromYAML("a: 2026-01-31\\nb: 2026-01-31T10:20:30Z\\nc: \\"2026-01-31\\"")': {
      a: "date 2026-01-31T00:00:00.000Z",
      b: "date 2026-01-31T10:20:30.000Z",
      c: "2026-01-31",
    },
    'af.fromYAML("a: 1_000\\nb: -1_0.5_0\\nc: 0b11\\nd: 0x1_F\\ne: 0o17\\nf: _1\\ng: 1_\\nh: yes\\ni: 017")': {
      a: 1000,
      b: -10.5,
      c: 3,
      d: 31,
      e: 15,
      f: "_1",
      g: "1_",
      h: "yes",
      i: 17,
    },
    'af.fromYAML("a: &a { x: 1, y: 2 }\\nb: { <<: *a, y: 3 }\\nc: { <<: [*a, { z: 4 }] }").b': { x: 1, y: 3 },
    'af.fromYAML("a: [")': expect.stringMatching(/^thrown /),
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

describe("CSV", () => {
  test("$csv writes a list of maps, with the fields of the first as columns", async () => {
    const wanted = {
      '$csv().fromInArray([{ a: 1, b: "x, \\"y\\"", c: { d: 1 } }, { a: undefined, b: new Date(0), c: true }])':
        'a,b,c\r\n1,"x, ""y""","{""d"":1}"\r\n,1970-01-01T00:00:00.000Z,true\r\n',
      '$csv({ withHeader: false, withDelimiter: ";", quoteMode: "ALL" }).fromInArray([{ a: 1 }])': '"1"\r\n',
      '$csv().withHeaders(["b"]).fromInArray([{ a: 1, b: 2 }])': "b\r\n2\r\n",
      '$csv().setFormat("oracle")': expect.stringMatching(/^thrown the CSV format "oracle" is not known here/),
    };
    expect(await expressions(wanted)).toEqual(wanted);
  });

  test("$csv reads texts, files and streams, by columns", async () => {
    const folder = folderWith({ "a.csv": "a,b\n1,x\n2,\n" });
    const wanted = {
      '$csv().fromInString("a;b\\n1;x;y\\n").withDelimiter(";").toOutArray()': [{ a: "1", b: "x", f2: "y" }],
      '$csv().fromInFile(args.folder + "/a.csv").toOutArray()': [
        { a: "1", b: "x" },
        { a: "2", b: "" },
      ],
      '$csv().fromInString("a,b\\r\\n1,\\"x\\"\\n2,y").toOutArray().length': 2,
      '$csv().setHeader(false).fromInString("1,2").toOutArray()': [{ f0: "1", f1: "2" }],
      '$csv().fromInStream(io.readFileStream(args.folder + "/a.csv")).toOutArray().length': 2,
      '$csv().toOutFile(args.folder + "/b.csv").fromInArray([{ a: 1 }])': true,
      '$csv().toOutFile(args.folder + "/b.csv", true).fromInArray([{ a: 2 }])': true,
    };
    expect(await expressions(wanted, { folder })).toEqual(wanted);
    expect(readFileSync(join(folder, "b.csv"), "utf8")).toBe("a\r\n1\r\n2\r\n");
  });

  test("CSV of older files has a semicolon, and texts in quotes", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "a.csv"), 'a;b\n1;"2"\n');
    const values = await valuesOf(
      {
        written: 'const c = new CSV(); c.toCsv([{ a: 1, b: "x" }]); return c.w()',
        short: "return toCSV([{ a: 1 }]).w()",
        read: 'const c = new CSV(); c.readFile(args.folder + "/a.csv"); return c.csv()',
      },
      { folder },
    );
    expect(values).toEqual({ written: 'a;b\n1;"x"', short: "a\n1", read: [{ a: 1, b: "2" }] });
  });
});

test("a text of many beginnings of a DOCTYPE does not take a time that is quadratic in its length", () => {
  // Quadratic, it would take many seconds.
  expect(() => fromXML2Obj("<!DOCTYPE ".repeat(40_000))).toThrow();
  expect(fromXML2Obj("<!DOCTYPE a SYSTEM 'b'><a>1</a>")).toEqual({ a: "1" });
});
