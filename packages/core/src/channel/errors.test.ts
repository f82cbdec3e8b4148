import { describe, expect, test } from "vitest";
import { isRunError, RunError } from "../jobs/errors.js";
import { isLockError, LockError } from "../locks/errors.js";
import { ChannelError, isChannelError } from "./errors.js";

describe.each([
  ["ojm.ChannelError", new ChannelError("FAILED", "x"), isChannelError],
  ["ojm.LockError", new LockError("LOST", "a", "x"), isLockError],
  ["ojm.RunError", new RunError("LOST", "a", "x"), isRunError],
] as const)("%s", (brand, error, is) => {
  test("an error is recognised by its brand, also from another copy of the package, and nothing else is", () => {
    expect(is(error)).toBe(true);
    expect(is(Object.assign(new Error("x"), { [Symbol.for(brand)]: true }))).toBe(true);
    for (const other of [new Error("x"), null, undefined, "x", 5, {}, { code: "FAILED" }])
      expect(is(other)).toBe(false);
  });

  test("a branded error is an instance of Error, and does not show its brand", () => {
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(brand.slice(4));
    expect(Object.keys(error)).not.toContain("brand");
    expect(JSON.stringify(error)).toContain('"code"');
  });
});

test("a channel error says whether a retry makes sense, and whether something was written", () => {
  expect(new ChannelError("FAILED", "x")).toMatchObject({ retryable: false, outcome: "not-applied" });
  const cause = new Error("socket closed");
  const error = new ChannelError("UNAVAILABLE", "x", { retryable: true, outcome: "unknown", cause });
  expect(error).toMatchObject({ retryable: true, outcome: "unknown", cause });
  expect("cause" in new ChannelError("FAILED", "x")).toBe(false);
});
