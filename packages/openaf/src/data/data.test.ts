import { describe, expect, test } from "vitest";
import { expressions } from "../testing/run.js";
import { getPath, setPath, unsetPath } from "./maps.js";

test("questions of types answer as in OpenAF: a text of digits is a number, a date no map", async () => {
  const wanted = {
    '[isNumber("5"), isNumber("a"), isNumber(5), isTNumber("5"), isInteger(5), isInteger("5"), isDecimal(1.5)]': [
      ...[true, false, true, false, true, false, true],
    ],
    "[isMap({}), isMap([]), isMap(new Date()), isMap(null), isObject(null), isObject([]), isNull(undefined)]": [
      ...[true, false, false, false, false, true, true],
    ],
    '[isBoolean(true), isDate(new Date()), isDate("2026"), isUUID(genUUID()), isByteArray(af.fromString2Bytes("a"))]': [
      ...[true, true, false, true, true],
    ],
    '[toBoolean("TRUE "), toBoolean("no"), toBoolean(0), toBoolean(true)]': [true, false, false, true],
    "[undefined, null, 1, 'a', true, [], {}, new Date(), isMap].map(descType)": [
      ...["undefined", "null", "number", "string", "boolean", "array", "map", "date", "function"],
    ],
    __: "undefined",
    'nowNano() > 0 && typeof getEnvs().PATH === "string"': true,
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

test("merge joins lists, merges maps, and leaves both as they are", async () => {
  const wanted = {
    "merge({ a: 1, b: { c: 1 }, l: [1] }, { b: { d: 2 }, l: [2] })": { a: 1, b: { c: 1, d: 2 }, l: [1, 2] },
    "merge({ l: [1, 2] }, { l: [2, 3] }, undefined, true)": { l: [1, 2, 3] },
    "merge(undefined, { a: 1 })": { a: 1 },
    "merge([{ a: 1 }, { a: 2 }], { b: 3 })": [
      { a: 1, b: 3 },
      { a: 2, b: 3 },
    ],
    "(() => { const a = { b: {} }; merge(a, { b: { c: 1 } }); return a })()": { b: {} },
    "clone({ a: [{ b: 1 }] })": { a: [{ b: 1 }] },
    "extend(true, { a: { b: 1 } }, { a: { c: 2 } })": { a: { b: 1, c: 2 } },
    "extend({ a: { b: 1 } }, { a: { c: 2 } })": { a: { c: 2 } },
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

test("lists and maps are walked, searched, compared and cut", async () => {
  const wanted = {
    'searchKeys({ a: { name: 1 }, b: [{ NAME: 2 }] }, "name")': { ".a.name": 1, ".b[0].NAME": 2 },
    'searchValues({ a: "xyz", b: { c: "Xa" } }, "^x")': { ".a": "xyz", ".b.c": "Xa" },
    "(() => { const all = []; traverse({ a: { b: 1 } }, (k, v, p) => all.push(p + '|' + k)); return all })()": [
      "|a",
      ".a|b",
    ],
    "flatten({ a: 1 })": [{ key: "a", val: 1 }],
    'mapArray([{ a: { b: 1 }, c: 2 }, { a: { b: 3 } }], ["a.b"])': [1, 3],
    'mapArray([{ a: 1, b: 2 }], ["a", "b"], 1)': [{ a: 1, b: 2 }],
    "uniqArray([1, { a: 1 }, 1, { a: 1 }])": [1, { a: 1 }],
    "[compare({ a: [1] }, { a: [1] }), compare(1, 2), arrayContains([{ a: 1 }], { a: 1 }), arrayContains([1], 2)]": [
      ...[true, false, 0, -1],
    ],
    "[range(3), range(3, 5), range(3, 0, 10), splitArray([1, 2, 3, 4, 5], 2)]": [
      [1, 2, 3],
      [5, 6, 7],
      [0, 10, 20],
      [
        [1, 2, 3],
        [4, 5],
      ],
    ],
    "deleteFromArray([1, 2, 3], 1)": [1, 3],
    "sortMapKeys({ b: 1, a: { d: 1, c: 1 } }, true)": { a: { c: 1, d: 1 }, b: 1 },
    '[$a4m([{ k: "x", v: 1 }], "k"), $m4a({ x: { v: 1 } }, "k")]': [{ x: { v: 1 } }, [{ v: 1, k: "x" }]],
    '[$a2m(["a", "b"], [1, 2]), $m2a(["b", "a"], { a: 1, b: 2 })]': [{ a: 1, b: 2 }, [2, 1]],
    '[splitBySeparator("a;b\\\\;c"), splitBySepWithEnc("a (b c) d", " ", [["(", ")"]]), splitKVBySeparator(\'a=1 b="2 3" c\')]':
      [["a", "b;c"], ["a", "b c", "d"], { a: "1", b: "2 3", c: null }],
    '[ow.obj.getPath({ a: [{ b: 1 }] }, "a[0].b"), ow.obj.setPath({}, "a.b", 1)]': [1, { a: { b: 1 } }],
    "ow.obj.flatMap([{ a: { b: 1 } }, { c: 2 }])": [
      { "a.b": 1, c: "undefined" },
      { "a.b": "undefined", c: 2 },
    ],
    'searchArray([{ a: "xy", n: 5 }, { a: "z", n: 9 }], { a: "^X", n: ">=5" }, true, true)': [{ a: "xy", n: 5 }],
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

test("jsonParse reads what JavaScript writes, hands other texts back, and finds JSON within a text", async () => {
  const wanted = {
    "jsonParse(\"{a: 1, b: ['c']}\")": { a: 1, b: ["c"] },
    "jsonParse('no json')": "no json",
    "jsonParse('{a: 1}', false)": "{a: 1}",
    "jsonParse('')": {},
    "jsonParse('log: [1, {\"a\": 2}] done', undefined, undefined, true)": [1, { a: 2 }],
    'stringify({ a: 1 }, undefined, "")': '{"a":1}',
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

describe("paths from outside", () => {
  const BUILT_IN = [
    "__proto__.x",
    "constructor.prototype.x",
    "a.constructor.x",
    "['__proto__'].x",
    "prototype.x",
    "constructor",
  ];

  test.each(BUILT_IN)("setPath and unsetPath reach nothing that all objects share: %s", (path) => {
    const words = Object.getOwnPropertyNames(Object.prototype);
    for (const value of [{}, { a: {} }, [], new Map()]) {
      expect(() => setPath(value, path, 1)).toThrow(/must not lead through/);
      expect(() => unsetPath(value, path)).toThrow(/must not lead through/);
    }
    expect(() => unsetPath({}, "constructor.prototype.hasOwnProperty")).toThrow(/must not lead through/);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(words);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test("getPath, setPath and unsetPath walk own properties only", () => {
    const shared = { deep: { x: 1 } };
    const value = Object.create(shared) as { deep?: unknown };
    expect(getPath(value, "deep.x")).toBeUndefined();
    expect(getPath({}, "constructor.prototype")).toBeUndefined();
    unsetPath(value, "deep.x");
    setPath(value, "deep.y", 2);
    expect([shared, value.deep]).toEqual([{ deep: { x: 1 } }, { y: 2 }]);
    expect(getPath([1, 2, 3], "length")).toBe(3);
  });
});
