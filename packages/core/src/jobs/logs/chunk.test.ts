import { expect, test } from "vitest";
import { isChunk, isProgress, runOfKey, seqOf } from "./chunk.js";

const chunk = { at: 1, line: 1, offset: 0, lines: 2, text: "0 I a\n0 I b", dropped: { lines: 1, bytes: 2 }, end: true };

test("a chunk is one with all of its fields, and with as many lines as it says", () => {
  expect(isChunk(chunk)).toBe(true);
  expect(isChunk({ at: 1, line: 1, offset: 0, lines: 0, text: "" })).toBe(true);
  const { dropped: _, end: __, ...least } = chunk;
  expect(isChunk(least)).toBe(true);
});

test.each([
  [undefined],
  [null],
  ["text"],
  [[]],
  [{ ...chunk, at: "1" }],
  [{ ...chunk, line: -1 }],
  [{ ...chunk, line: 1.5 }],
  [{ ...chunk, offset: undefined }],
  [{ ...chunk, lines: 1 }],
  [{ ...chunk, lines: 3 }],
  [{ ...chunk, text: 5 }],
  [{ ...chunk, text: "", lines: 1 }],
  [{ ...chunk, dropped: 5 }],
  [{ ...chunk, dropped: { lines: 1 } }],
  [{ ...chunk, dropped: { bytes: 1 } }],
  [{ ...chunk, end: false }],
])("what others wrote is not a chunk: %j", (value) => {
  expect(isChunk(value)).toBe(false);
});

test.each([
  [{ done: 1, at: 1 }, true],
  [{ done: 1, total: 2, text: "a", at: 1 }, true],
  [{ done: "1", at: 1 }, false],
  [{ done: 1 }, false],
  [{ done: 1, at: 1, total: "2" }, false],
  [{ done: 1, at: 1, text: 2 }, false],
  [null, false],
])("what the progress of a run looks like: %j", (value, is) => {
  expect(isProgress(value)).toBe(is);
});

test("a key contains its run, and that of a chunk its number", () => {
  expect(runOfKey(["a", 5, 0])).toEqual({ name: "a", startTime: 5 });
  expect(runOfKey(["a", 5, "progress"])).toEqual({ name: "a", startTime: 5 });
  for (const key of ["a", 5, ["a"], [5, 5], ["a", "b", 0], { name: "a", startTime: 5 }])
    expect(runOfKey(key)).toBeUndefined();
  expect(seqOf(["a", 5, 7])).toBe(7);
  for (const key of [["a", 5, -1], ["a", 5, 0.5], ["a", 5, "progress"], ["a", 5], ["a", 5, 7, 1], "a"])
    expect(seqOf(key)).toBeUndefined();
});
