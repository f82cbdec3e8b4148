import fc from "fast-check";
import { expect, test } from "vitest";
import { closed, type Ending, ended, errorText, resultOf, startedRecord } from "./record.js";

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
  expect(resultOf({ a: 1 }, most)).toEqual({ a: 1 });
  expect(resultOf(0, most)).toEqual(0);
  for (const nothing of [undefined, null, () => 1, 1n, new Map(), Number.NaN]) {
    expect(resultOf(nothing, most)).toBeUndefined();
  }
  expect(resultOf("x".repeat(5_000), most)).toEqual("x".repeat(5_000));
  expect(resultOf("x".repeat(7_500), most)).toBeUndefined();
  expect(resultOf("\u20ac".repeat(2_500), most)).toBeUndefined();
});

test("the end of a run is written the same by its holder and by whoever reads its record, field by field", () => {
  const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
  const started = fc.record({
    name: fc.string(),
    startTime: time,
    holder: fc.record({ host: fc.string(), pid: fc.nat(), instance: fc.string() }),
    trigger: fc.string(),
    tick: fc.option(time, { nil: undefined }),
    timeout: fc.nat(),
  });
  const ending = fc.oneof(
    fc.constant<Ending>({ status: "completed" }),
    fc.record({ status: fc.constant("completed" as const), result: fc.jsonValue().filter((it) => it !== null) }),
    fc.record({ status: fc.constantFrom("failed", "timeout", "cancelled", "lost"), error: fc.string() }),
  ) as fc.Arbitrary<Ending>;
  fc.assert(
    fc.property(started, fc.string(), time, ending, (run, fence, now, end) => {
      const record = startedRecord(run);
      const byHolder = ended(record, fence, now, end);
      expect(JSON.stringify(byHolder)).toBe(JSON.stringify(closed(record, fence, now, end)));
      expect(JSON.stringify(ended({ ...record, fence }, fence, now, end))).toBe(JSON.stringify(byHolder));
    }),
  );
});
