import fc from "fast-check";
import { expect, test } from "vitest";
import { closed, type Ending, ended, errorText, resultOf, stackText, startedRecord } from "./record.js";

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

test("a result that is JSON is kept as it is, and null or undefined leaves no result", () => {
  const most = 40_000;
  expect(resultOf({ a: 1 }, most)).toEqual({ result: { a: 1 }, lost: [] });
  expect(resultOf(0, most)).toEqual({ result: 0, lost: [] });
  for (const nothing of [undefined, null]) expect(resultOf(nothing, most)).toEqual({ lost: [] });
});

test.each<[unknown, unknown]>([
  [1n, "1"],
  [new Map([["a", 1]]), { a: 1 }],
  [Number.NaN, "NaN"],
  [
    { rows: 3, seen: new Set(["a"]), total: 5n, done: () => 1 },
    { rows: 3, seen: ["a"], total: "5" },
  ],
  [() => 1, undefined],
])("of a result that is not JSON, what JSON can hold is stored, and the rest is reported: %#", (value, result) => {
  const kept = resultOf(value, 40_000);
  expect(kept.result).toEqual(result);
  expect(kept.lost[0]).toMatch(/^result(\.seen)? is /);
});

test("a result that is too large is left out, and its size is reported", () => {
  const most = 40_000;
  expect(resultOf("x".repeat(5_000), most).result).toEqual("x".repeat(5_000));
  expect(resultOf("x".repeat(7_500), most)).toEqual({
    lost: ["result is too large for the store, 7502 bytes: left out"],
  });
  expect(resultOf("\u20ac".repeat(2_500), most).result).toBeUndefined();
});

test("the end of a run is written the same by its holder and by any reader of its record, field by field", () => {
  const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
  const started = fc.record({
    name: fc.string(),
    startTime: time,
    holder: fc.record({ host: fc.string(), pid: fc.nat(), instance: fc.string() }),
    trigger: fc.string(),
    timeout: fc.nat(),
  });
  const extras = fc.option(fc.record({ schedule: fc.string(), tick: time, delay: fc.nat() }), { nil: undefined });
  const ending = fc.oneof(
    fc.constant<Ending>({ status: "completed" }),
    fc.record({ status: fc.constant("completed" as const), result: fc.jsonValue().filter((it) => it !== null) }),
    fc.record({ status: fc.constantFrom("skipped", "failed", "timeout", "cancelled", "lost"), error: fc.string() }),
    fc.record({ status: fc.constant("failed" as const), error: fc.string(), stack: fc.string() }),
    fc.record({ status: fc.constant("completed" as const), exit: fc.record({ code: fc.nat() }) }),
  ) as fc.Arbitrary<Ending>;
  fc.assert(
    fc.property(started, extras, fc.string(), time, ending, (run, extras, fence, now, end) => {
      const record = startedRecord(run, extras);
      const byHolder = ended(record, fence, now, end, extras);
      expect(JSON.stringify(byHolder)).toBe(JSON.stringify(closed(record, fence, now, end)));
      expect(JSON.stringify(ended({ ...record, fence }, fence, now, end, extras))).toBe(JSON.stringify(byHolder));
    }),
  );
});

test("the stack of an error is kept with those of its causes, even of one that is its own cause", () => {
  const cause = new TypeError("no such host");
  const error = new Error("not sent", { cause });
  const text = stackText(error);
  expect(text).toMatch(/^Error: not sent\n +at .*\ncaused by: TypeError: no such host\n +at /s);
  cause.cause = error;
  expect(stackText(error)?.match(/caused by/g)).toHaveLength(4);
});

test.each([["a text"], [undefined], [null], [{ stack: "not an error" }]])(
  "a thrown value that is not an error has no stack: %j",
  (value) => {
    expect(stackText(value)).toBeUndefined();
  },
);

test("a long stack is cut, and an error whose stack was removed has its message", () => {
  const long = new Error("x");
  long.stack = "y".repeat(1_000_000);
  expect(stackText(long)?.length).toBeLessThan(10_010);
  const bare = new RangeError("z");
  delete bare.stack;
  expect(stackText(bare)).toBe("RangeError: z");
});
