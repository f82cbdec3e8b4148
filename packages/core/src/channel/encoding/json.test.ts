import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isChannelError } from "../errors.js";
import { decodeValue, encodeValue, sameJson } from "./json.js";

const back = (value: unknown): unknown => decodeValue(encodeValue(value), "a");

describe("values as JSON", () => {
  test("a value comes back equal from its JSON text, and never as the same object", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const read = back(value);
        // JSON has no -0.
        expect(read).toEqual(JSON.parse(JSON.stringify(value)));
        if (typeof value === "object" && value !== null) expect(read).not.toBe(value);
      }),
    );
  });

  test("any JavaScript value comes back as JSON says it, or is refused: no data is lost in silence", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        let text: string;
        try {
          text = encodeValue(value);
        } catch (error) {
          expect(isChannelError(error) && error.code).toBe("INVALID_VALUE");
          return;
        }
        expect(text).toBe(JSON.stringify(value));
        expect(sameJson(decodeValue(text, "a"), JSON.parse(JSON.stringify(value)))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a value with toJSON is encoded as what toJSON returns, which is called once", () => {
    expect(back(new Date(0))).toBe("1970-01-01T00:00:00.000Z");
    expect(back({ at: [new Date(0)] })).toEqual({ at: ["1970-01-01T00:00:00.000Z"] });
    expect(() => encodeValue({ a: 1, toJSON: () => Number.NaN })).toThrow("value is NaN");
    const self = { a: 1, toJSON: (): unknown => self };
    expect(back(self)).toEqual({ a: 1 });
    const copy = { a: 1, toJSON: (): unknown => ({ ...copy, b: new Date(0) }) };
    expect(back({ copy })).toEqual({ copy: { a: 1, b: "1970-01-01T00:00:00.000Z" } });
    const endless = { toJSON: (): unknown => ({ endless }) };
    expect(() => encodeValue(endless)).toThrow("nested deeper");
  });

  test("a value keeps lone surrogates, and fields named __proto__", () => {
    expect(back("\uD800")).toBe("\uD800");
    const value = JSON.parse('{"__proto__": 1}') as object;
    expect(JSON.stringify(back(value))).toBe('{"__proto__":1}');
  });

  test("a value is encoded without its fields that are undefined", () => {
    expect(back({ a: undefined, b: 1 })).toEqual({ b: 1 });
  });

  test("an object that occurs twice in a value is not a cycle", () => {
    const shared = { a: 1 };
    expect(back([shared, { shared }])).toEqual([{ a: 1 }, { shared: { a: 1 } }]);
  });

  const cycle: unknown[] = [];
  cycle.push({ inner: cycle });
  let deep: unknown = 1;
  for (let i = 0; i < 2_000; i++) deep = [deep];

  test.each<[unknown, string]>([
    [undefined, "value is undefined"],
    [[1, undefined], "value[1] is undefined"],
    [Array(2), "value[0] is undefined"],
    [{ a: [{ b: Number.NaN }] }, "value.a[0].b is NaN"],
    [{ a: Number.NEGATIVE_INFINITY }, "value.a is -Infinity"],
    [{ n: 1n }, "value.n is a bigint"],
    [{ f: () => 1 }, "value.f is a function"],
    [[Symbol("s")], "value[0] is a symbol"],
    [{ m: new Map() }, "value.m is a Map"],
    [new Set(), "value is a Set"],
    [{ e: new Error("x") }, "value.e is a Error"],
    [/x/, "value is a RegExp"],
    [new Uint8Array(2), "value is a Uint8Array"],
    [Object(5), "value is a Number"],
    [cycle, "value[0].inner is a reference to something that contains it"],
    [deep, "nested deeper than 512 levels"],
  ])("a value that JSON cannot hold is refused with the path to the culprit: %#", (value, message) => {
    let error: unknown;
    try {
      encodeValue(value);
    } catch (thrown) {
      error = thrown;
    }
    expect(isChannelError(error) && error.code).toBe("INVALID_VALUE");
    expect((error as Error).message).toContain(message);
  });
});

test("sameJson is true for equal values whatever the order of their fields, and only then", () => {
  expect(sameJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  for (const [a, b] of [
    [{ a: 1 }, { a: 1, b: 1 }],
    [[1], { 0: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [null, {}],
    [{ a: undefined }, { b: undefined }],
    [1, "1"],
  ]) {
    expect(sameJson(a, b)).toBe(false);
  }
  fc.assert(fc.property(fc.jsonValue(), (value) => sameJson(value, structuredClone(value))));
});
