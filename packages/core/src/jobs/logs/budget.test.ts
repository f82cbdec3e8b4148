import { expect, test } from "vitest";
import type { Supports } from "../../channel/backend/backend.js";
import { budgetOf } from "./logs.js";

const KIB = 1_024;
const DAY = 86_400_000;

const supports: Supports = {
  shared: "network",
  durability: "none",
  commitAcrossChannels: true,
  ttl: true,
  watch: true,
  maxOps: 1_000,
  maxKeyBytes: 1_000,
  maxValueBytes: 16 * KIB * KIB,
};

const usual = { chunk: 64 * KIB, interval: 250, completed: true };

test.each<[string, Partial<Supports>, object]>([
  ["memory", { shared: "process" }, { head: 128 * KIB, tail: 384 * KIB, ttl: DAY / 4 }],
  [
    "a disk of a process",
    { shared: "process", durability: "host" },
    { head: 1_024 * KIB, tail: 3_072 * KIB, ttl: 14 * DAY },
  ],
  [
    "a disk of a host",
    { shared: "host", durability: "process" },
    { head: 1_024 * KIB, tail: 3_072 * KIB, ttl: 14 * DAY },
  ],
  ["a server", {}, { head: 256 * KIB, tail: 768 * KIB, ttl: 7 * DAY }],
])("how much of a log is kept: %s", (_, of, budget) => {
  expect(budgetOf({ ...supports, ...of })).toEqual({ ...usual, ...budget });
});

test("a backend may say how much it keeps, and the program has the last word", () => {
  const logs = { head: 1, tail: 2, chunk: 3, interval: 4, ttl: 5, completed: false };
  expect(budgetOf({ ...supports, logs })).toEqual(logs);
  expect(budgetOf({ ...supports, logs }, { tail: 6, completed: true })).toEqual({ ...logs, tail: 6, completed: true });
});

test("a store without a time to live gets none, and one of small values small chunks", () => {
  expect(budgetOf({ ...supports, ttl: false })).not.toHaveProperty("ttl");
  expect(budgetOf({ ...supports, maxValueBytes: 6_000 }).chunk).toBe(1_000);
});
