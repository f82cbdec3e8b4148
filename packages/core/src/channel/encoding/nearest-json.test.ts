import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeValue } from "./json.js";
import { nearestJson } from "./nearest-json.js";

test.each<[string, unknown, unknown, string[]]>([
  ["a Map with texts as keys becomes a map", new Map([["a", 1]]), { a: 1 }, ["result is a Map: kept as a map"]],
  [
    "any other Map becomes a list of pairs",
    { m: new Map([[{ k: 1 }, 2n]]) },
    { m: [[{ k: 1 }, "2"]] },
    ["result.m is a Map: kept as a list of pairs", "result.m[0][1] is a bigint: kept as a text"],
  ],
  ["a Set becomes a list", { s: new Set([1, "b"]) }, { s: [1, "b"] }, ["result.s is a Set: kept as a list"]],
  ["a bigint becomes a text", [10n], ["10"], ["result[0] is a bigint: kept as a text"]],
  [
    "NaN and Infinity become texts",
    { n: Number.NaN, i: -Infinity },
    { n: "NaN", i: "-Infinity" },
    ["result.n is NaN: kept as a text", "result.i is -Infinity: kept as a text"],
  ],
  ["a Date is a text in JSON, so nothing is lost", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }, []],
  [
    "functions and symbols are left out of a map",
    { a: 1, f: () => 1, s: Symbol("s") },
    { a: 1 },
    ["result.f is a function: left out", "result.s is a symbol: left out"],
  ],
  [
    "in a list, null takes the place of what is left out",
    [1, () => 1, undefined],
    [1, null, null],
    ["result[1] is a function: left out", "result[2] is undefined: left out"],
  ],
  [
    "an Error and a RegExp become texts",
    { e: new TypeError("t"), r: /a/g },
    { e: "TypeError: t", r: "/a/g" },
    ["result.e is an Error: kept as a text", "result.r is a RegExp: kept as a text"],
  ],
  [
    "bytes become a list of numbers",
    { b: new Uint8Array([1, 2]) },
    { b: [1, 2] },
    ["result.b is a Uint8Array: kept as a list"],
  ],
  ["a Promise is left out", { p: Promise.resolve(1) }, {}, ["result.p is a Promise: left out"]],
  ["a function alone leaves nothing", () => 1, undefined, ["result is a function: left out"]],
])("%s", (_, value, kept, lost) => {
  expect(nearestJson(value, "result")).toEqual({ kept, lost });
});

test("a reference to something that contains it is left out, and one that stands twice is kept twice", () => {
  const twice = { a: 1 };
  const value: Record<string, unknown> = { one: twice, two: twice };
  value["self"] = value;
  expect(nearestJson(value, "result")).toEqual({
    kept: { one: { a: 1 }, two: { a: 1 } },
    lost: ["result.self is a reference to something that contains it: left out"],
  });
});

test("a field called __proto__ stays a field", () => {
  const value = { in: JSON.parse('{"__proto__":{"a":1}}') as unknown, n: 1n };
  expect(JSON.stringify(nearestJson(value, "result").kept)).toBe('{"in":{"__proto__":{"a":1}},"n":"1"}');
});

test("a value that throws when it is read is left out", () => {
  const value = {
    a: 1,
    get b(): never {
      throw new Error("no");
    },
  };
  expect(nearestJson(value, "result")).toEqual({ kept: { a: 1 }, lost: ["result.b cannot be read (no): left out"] });
});

test("a value that is nested too deep for a record is cut", () => {
  let value: unknown = 1n;
  for (let i = 0; i < 600; i++) value = { v: value };
  const { kept, lost } = nearestJson(value, "result");
  expect(() => encodeValue(kept)).not.toThrow();
  expect(lost).toEqual([expect.stringMatching(/^result\.v\.v.* is nested deeper than 512 levels: left out$/)]);
});

test("what is kept of any value can be encoded, and JSON is kept as it is", () => {
  const any = fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true, withTypedArray: true });
  fc.assert(
    fc.property(any, (value) => {
      const { kept } = nearestJson(value, "result");
      if (kept !== undefined) expect(() => encodeValue(kept)).not.toThrow();
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const { kept, lost } = nearestJson(value, "result");
      expect(JSON.stringify(kept)).toBe(JSON.stringify(value));
      expect(lost).toEqual([]);
    }),
  );
});
