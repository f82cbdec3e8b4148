import { expect, test } from "vitest";
import { errorText, resultOf } from "./record.js";

test.each<[unknown, string]>([
  [new Error("plain"), "plain"],
  [new TypeError("typed"), "TypeError: typed"],
  ["text", "text"],
  [{ code: 5 }, '{"code":5}'],
  [undefined, "undefined"],
  [null, "null"],
  [10n, "10"],
  [Symbol("s"), "Symbol(s)"],
])("an error of a body becomes a text in the record: %#", (error, text) => {
  expect(errorText(error)).toBe(text);
});

test("an error that cannot be put in words still gives a text", () => {
  const nothing = Object.create(null) as object;
  Object.assign(nothing, { f: () => 1 });
  expect(typeof errorText(nothing)).toBe("string");
});

test("a long error text is cut, and its beginning is kept", () => {
  const text = errorText(new Error("x".repeat(1_000_000)));
  expect(text.length).toBeLessThan(10_010);
  expect(text).toMatch(/^x+…$/);
});

test("a result is kept if it is JSON, not null, and not too large", () => {
  const most = 40_000;
  expect(resultOf({ a: 1 }, most)).toEqual({ result: { a: 1 } });
  expect(resultOf(0, most)).toEqual({ result: 0 });
  for (const nothing of [undefined, null, () => 1, 1n, new Map(), Number.NaN]) {
    expect(resultOf(nothing, most)).toEqual({});
  }
  expect(resultOf("x".repeat(5_000), most)).toEqual({ result: "x".repeat(5_000) });
  expect(resultOf("x".repeat(7_500), most)).toEqual({});
  expect(resultOf("\u20ac".repeat(2_500), most)).toEqual({});
});
