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
])("an error is put in words: %#", (error, text) => {
  expect(errorText(error)).toBe(text);
});

test("an error that cannot be put in words is one all the same", () => {
  const nothing = Object.create(null) as object;
  Object.assign(nothing, { f: () => 1 });
  expect(typeof errorText(nothing)).toBe("string");
});

test("a result is kept where it is JSON, and something", () => {
  expect(resultOf({ a: 1 })).toEqual({ result: { a: 1 } });
  expect(resultOf(0)).toEqual({ result: 0 });
  for (const nothing of [undefined, null, () => 1, 1n, new Map(), Number.NaN]) expect(resultOf(nothing)).toEqual({});
});
