import { expect, test } from "vitest";
import type { RetryOptions } from "../types.js";
import { checkRetry, delayAfter, isPolicy, isRetried } from "./policy.js";

test("the delays of a retry double up to the longest, or stay the same", () => {
  const exponential = checkRetry("a", { attempts: 9, delay: 1_000, maxDelay: 10_000 });
  expect([1, 2, 3, 4, 5, 90].map((attempt) => delayAfter(exponential, attempt))).toEqual([
    1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
  ]);
  const fixed = checkRetry("a", { attempts: 9, delay: 1_000, backoff: "fixed" });
  expect([1, 2, 50].map((attempt) => delayAfter(fixed, attempt))).toEqual([1_000, 1_000, 1_000]);
});

test("a retry has defaults: a minute, twice as long each time, an hour at most, and not for lost runs", () => {
  const policy = checkRetry("a", { attempts: 3 });
  expect(policy).toEqual({
    attempts: 3,
    delay: 60_000,
    backoff: "exponential",
    maxDelay: 3_600_000,
    onLost: false,
  });
  expect(isPolicy(JSON.parse(JSON.stringify(policy)))).toBe(true);
});

test("failed runs and those that took too long are tried again, lost ones if that is wanted, others never", () => {
  const policy = checkRetry("a", { attempts: 3 });
  const statuses = ["failed", "timeout", "lost", "cancelled", "skipped", "completed", "running"] as const;
  expect(statuses.filter((status) => isRetried(policy, 1, status))).toEqual(["failed", "timeout"]);
  expect(statuses.filter((status) => isRetried({ ...policy, onLost: true }, 2, status))).toEqual([
    "failed",
    "timeout",
    "lost",
  ]);
  expect(isRetried(policy, 3, "failed")).toBe(false);
});

test.each<[unknown, RegExp]>([
  [3, /retry of "a" must be a map such as/],
  [{}, /retry of "a" must have attempts: how often it is tried, in all/],
  [{ attempts: 0 }, /attempts of "a"/],
  [{ attempts: 101 }, /attempts of "a"/],
  [{ attempts: 2, delay: "8d" }, /delay of "a" must be a duration up to 7 d, .* not the text "8d"/],
  [{ attempts: 2, maxDelay: 1e12 }, /maxDelay of "a"/],
  [{ attempts: 2, backoff: "linear" }, /backoff of "a" must be "fixed" or "exponential", not "linear"/],
  [{ attempts: 2, onLost: "yes" }, /onLost of "a"/],
  [{ attempts: 2, keepLock: true }, /retry of "a" has no option "keepLock"/],
  [{ attempts: 2, delays: 5 }, /delays.*Did you mean "delay"/],
])("wrong options of a retry are refused: %#", (options, message) => {
  expect(() => checkRetry("a", options as RetryOptions)).toThrow(message);
});
