import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterDigits, between } from "./bytes.js";
import { lastFew } from "./reverse.js";

const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array));

describe("between", () => {
  it("the result of between lies above the lower key and below the higher one, if there is a result", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [low, high] = Buffer.compare(a, b) < 0 ? [a, b] : [b, a];
        const middle = between(low, high);
        if (middle === undefined) return;
        expect(Buffer.compare(low, middle)).toBe(-1);
        expect(Buffer.compare(middle, high)).toBe(-1);
      }),
    );
  });

  it("between finds nothing between neighbouring or equal keys", () => {
    expect(between(Buffer.from("a"), Buffer.from("a\0"))).toBeUndefined();
    expect(between(Buffer.from("a"), Buffer.from("a"))).toBeUndefined();
  });
});

describe("afterDigits", () => {
  it.each([
    ["k=512:1764", "k=808:1797", undefined],
    ["k=512:1764", "k=9", undefined],
    ["k1764", "z", undefined],
    ["1764", "z", ":"],
    ["k1764", "kz", "k:"],
    ["k1764", "k18", "k17:"],
    ["k1764", "k1:", undefined],
    ["k17a4", "k18", undefined],
    ["k1764", "k1765", undefined],
    ["k", "z", undefined],
  ])("the digits that continue %s, before %s, end at %s", (low, high, end) => {
    expect(afterDigits(Buffer.from(low), Buffer.from(high))?.toString()).toBe(end);
  });

  it("the result of afterDigits lies above the lower key and below the higher one, if there is a result", () => {
    const digits = fc.string({ unit: fc.constantFrom("0", "1", "9", ":", "a"), maxLength: 6 });
    fc.assert(
      fc.property(digits, digits, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const end = afterDigits(Buffer.from(low), Buffer.from(high))?.toString();
        if (end !== undefined) expect(low < end && end < high).toBe(true);
      }),
    );
  });
});

describe("lastFew", () => {
  it.each([
    ["numbers", (i: number) => `n${String(i).padStart(8, "0")}`],
    ["long common beginnings", (i: number) => `${"x".repeat(60)}${i.toString(36).padStart(6, "0")}`],
    ["names and times", (i: number) => `{"name":"job-${i % 7}","startTime":${1_700_000_000_000 + 7_919 * i}}`],
    ["beginnings of each other", (i: number) => "y".repeat(i % 40) + i.toString(36)],
  ])("lastFew cuts off the end of a range of %s", async (_, keyOf) => {
    const keys = Array.from({ length: 20_000 }, (_, i) => Buffer.from(keyOf(i))).sort(Buffer.compare);
    const to = Buffer.from("~");
    let looks = 0;
    const look = async (from: Buffer) => {
      looks++;
      const rest = keys.filter((key) => Buffer.compare(key, from) >= 0);
      return { count: rest.length, first: rest[0] };
    };
    const start = await lastFew(Buffer.from(""), to, 10, 100, look);
    const taken = looks;
    const { count } = await look(start);
    expect(count).toBeGreaterThanOrEqual(10);
    expect(count).toBeLessThanOrEqual(100);
    expect(taken).toBeLessThan(200);
  });

  it("lastFew finds the newest of many times in some twenty looks", async () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `k[=512:${1_764_000_000_000 + 605 * i} "job-${i % 500} `);
    let looks = 0;
    const look = async (from: Buffer) => {
      looks++;
      const at = keys.findIndex((key) => key >= from.toString());
      return at < 0 ? { count: 0, first: undefined } : { count: keys.length - at, first: Buffer.from(keys[at] ?? "") };
    };
    await lastFew(Buffer.from("k["), Buffer.from("k[=808:17976931348623157 "), 100, 400, look);
    expect(looks).toBeLessThan(25);
  });

  it("lastFew takes one look at a range that is short anyway", async () => {
    const from = Buffer.from("a");
    expect(await lastFew(from, Buffer.from("b"), 1, 2, async () => ({ count: 2, first: from }))).toBe(from);
  });
});
