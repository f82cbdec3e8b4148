import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channelOf, compareBytes, hasHashTag, Names } from "./layout.js";
import { lexRangeOf, rangeOf } from "./watch/ranges.js";

const names = new Names("ojm:", true);
const entry = (key: string): string => names.entry(key);
/** The part of a name that a Cluster hashes. */
const hashed = (name: string): string | undefined => /^[^{]*\{([^}]+)\}/.exec(name)?.[1];

describe("names in Redis", () => {
  it("names of entries, indexes and versions show the channel and the key in plain text", () => {
    expect(entry('jobs {name "daily startTime =512:1764000000123 ')).toBe(
      'ojm:{jobs}:{name "daily startTime =512:1764000000123 ',
    );
    expect(names.index("jobs")).toBe("ojm:{jobs}");
    expect(names.version("jobs")).toBe("ojm:{jobs}.version");
    expect(new Names("ojm:", false).version("jobs")).toBe("ojm:version");
  });

  it("names of entries, indexes and versions never collide, whatever channels and keys are called", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab{}%:7BD25version") });
    const channel = text.filter((name) => name !== "" && !name.includes(" "));
    fc.assert(
      fc.property(fc.uniqueArray(channel, { minLength: 2, maxLength: 4 }), text, (channels, member) => {
        const each = channels.flatMap((name) => [names.index(name), names.version(name), entry(`${name} ${member}`)]);
        const all = [...each, names.layout, new Names("ojm:", false).version("")];
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });

  it("all names of one channel hash to one slot of a Cluster", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab{}%:") }), fc.string(), (channel, member) => {
        fc.pre(channel !== "");
        const tags = [names.index(channel), names.version(channel), entry(`${channel} ${member}`)].map(hashed);
        expect(tags[0]).toBeDefined();
        expect(new Set(tags).size).toBe(1);
      }),
    );
  });

  it("all names hash to one slot if the key prefix contains a hash tag", () => {
    expect(hasHashTag("{shop}:")).toBe(true);
    expect(hasHashTag("ojm:")).toBe(false);
    expect(hashed(new Names("{shop}:", false).index("jobs"))).toBe("shop");
  });

  it("names of published changes have the layout from layout 2 on, and the database if it is not 0", () => {
    const suffix = (database: number, layout?: number): string => new Names("ojm:", false, database, layout).suffix;
    expect([suffix(0), suffix(3), suffix(0, 2), suffix(3, 2)]).toEqual(["", " 3", " v2", " v2 3"]);
    expect(new Names("ojm:", false, 0, 2).entriesPattern('jobs "a ')).toBe('ojm:{jobs}:"a * v2');
  });

  it("a key without a channel is refused with INVALID_KEY", () => {
    expect(() => channelOf("jobs")).toThrow(expect.objectContaining({ code: "INVALID_KEY" }));
  });
});

describe("compareBytes", () => {
  it("compareBytes orders texts by their UTF-8 bytes", () => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
    expect(compareBytes("\uff5e", "\u{10000}")).toBeLessThan(0);
  });
});

describe("ranges", () => {
  it("a range stays within its channel, and a range across channels is refused", () => {
    expect(lexRangeOf({ from: "jobs ", to: "jobs!" })).toEqual({ channel: "jobs", from: "[", to: "+" });
    expect(lexRangeOf({ from: 'jobs "a ', to: 'jobs "b ' })).toEqual({ channel: "jobs", from: '["a ', to: '("b ' });
    expect(lexRangeOf({ from: 'jobs "a ', to: "jobs" })).toMatchObject({ to: "-" });
    expect(() => rangeOf({ from: "jobs ", to: "jobs1 " })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("a range contains its bound `from` and not its bound `to`", () => {
    const { contains } = rangeOf({ from: 'jobs "b ', to: 'jobs "d ' });
    expect(['jobs "a ', 'jobs "b ', 'jobs "c ', 'jobs "d '].map(contains)).toEqual([false, true, true, false]);
  });
});
