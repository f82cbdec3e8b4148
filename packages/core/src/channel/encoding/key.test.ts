import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { isChannelError } from "../errors.js";
import type { Key } from "../types.js";
import { decodeKey, decodeKeyIfOurs, encodeChannelName, encodeKey, endOfPrefix, justAfter } from "./key.js";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  // The characters that the encoding itself uses, and those that sort differently in UTF-16 and UTF-8.
  fc.string({
    unit: fc.constantFrom(
      " ",
      "!",
      "_",
      "~",
      "\0",
      "\uD7FF",
      "\uD800",
      "\uDC00",
      "\uE000",
      "\uFFFF",
      "😀",
      "a",
      "0",
      "1",
      "2",
      '"',
      "[",
      "{",
    ),
  }),
);
const anyNumber = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(
      0,
      1,
      -1,
      10,
      -10,
      1e21,
      -1e21,
      5e-324,
      -5e-324,
      1.7976931348623157e308,
      0.1,
      1e-7,
      2 ** 53,
      2 ** 53 + 2,
    ),
  )
  .map((value) => (value === 0 ? 0 : value));
const scalar = fc.oneof(anyText, anyNumber, fc.boolean());
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(anyText, tie("value"), { maxKeys: 4 }),
  ),
})).value;
const anyMap = fc.dictionary(anyText, json, { minKeys: 1, maxKeys: 4 });
const anyKey = fc.oneof(scalar, fc.array(scalar, { minLength: 1, maxLength: 5 }), anyMap) as fc.Arbitrary<Key>;

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** By code points, which is the order of UTF-8 bytes. A lone surrogate sorts by its number. */
function compareText(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(left.length - right.length);
}

const rank = (part: unknown): number =>
  typeof part === "string" ? 0 : typeof part === "number" ? 1 : part === null ? 2 : part === false ? 3 : 4;

function compareParts(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (rank(x) !== rank(y)) return Math.sign(rank(x) - rank(y));
    if (typeof x === "string" && x !== y) return compareText(x, y as string);
    if (typeof x === "number" && x !== y) return Math.sign(x - (y as number));
  }
  return Math.sign(a.length - b.length);
}

const byString = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const startsWith = (text: string, prefix: string): boolean => text >= prefix && text < endOfPrefix(prefix);

describe("keys as text", () => {
  test("a key comes back from its text as it was", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        // Through JSON, where a field named __proto__ is an ordinary field.
        expect(plain(decodeKey(encodeKey(key)))).toEqual(plain(key));
      }),
    );
  });

  test("two keys of different parts have different texts", () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        fc.pre(JSON.stringify(decodeKey(encodeKey(a))) !== JSON.stringify(decodeKey(encodeKey(b))));
        expect(encodeKey(a)).not.toBe(encodeKey(b));
      }),
    );
  });

  test("keys sort by their parts, and strings in them by code point", () => {
    const parts = fc.array(scalar, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(byString(encodeKey(a), encodeKey(b))).toBe(compareParts(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  test("keys sort alike as JavaScript strings and as UTF-8 bytes, and survive UTF-8", () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const [x, y] = [encodeKey(a), encodeKey(b)];
        expect(byString(x, y)).toBe(Buffer.compare(Buffer.from(x), Buffer.from(y)));
        expect(Buffer.from(x).toString()).toBe(x);
      }),
      { numRuns: 1_000 },
    );
  });

  test("the text of a key holds no control character, and is readable where order allows", () => {
    fc.assert(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for exactly these
      fc.property(anyKey, (key) => !/[\0-\x1f]/.test(encodeKey(key))),
    );
    expect(encodeKey(["lock", "daily report"])).toBe('["lock "daily!_report ');
    expect(encodeKey({ startTime: 1_764_000_000_123, name: "a" })).toBe('{name "a startTime =512:1764000000123 ');
  });

  test("the key of a map is the same whatever the order of its fields, inner fields too", () => {
    expect(encodeKey({ a: { x: 1, y: 2 }, b: 2 })).toBe(encodeKey({ b: 2, a: { y: 2, x: 1 } }));
    fc.assert(
      fc.property(anyMap, (map) => {
        const turned = Object.fromEntries(Object.entries(map).reverse()) as Key;
        expect(encodeKey(turned)).toBe(encodeKey(map as Key));
      }),
    );
  });

  test.each([
    0,
    1,
    -1,
    9,
    10,
    11,
    99,
    100,
    -9,
    -10,
    -11,
    0.5,
    0.05,
    -0.5,
    1e15,
    1e16,
    1e300,
    -1e300,
    1e-300,
    123456.789,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    -Number.MAX_VALUE,
    -Number.MIN_VALUE,
  ])("a key holds the number %d", (number) => {
    expect(decodeKey(encodeKey(number))).toBe(number);
    expect(decodeKey(encodeKey(["a", number, "b"]))).toEqual(["a", number, "b"]);
  });

  test.each([
    ["NUL", "\0"],
    ["a space", " "],
    ["nothing", ""],
    ["lone surrogates", "\uD800x\uDC00"],
    ["the escape", "!_!~!00"],
    ["the other escape", "\uD7FF1d800"],
    ["a private character", "\uE000\uFFFF"],
    ["an emoji", "👩‍👩‍👧"],
  ])("a key holds a text of %s", (_, text) => {
    for (const key of [text, [text, text], { [text]: text, b: text }] as Key[]) {
      expect(plain(decodeKey(encodeKey(key)))).toEqual(plain(key));
    }
  });

  test("a key holds a field named __proto__", () => {
    const key = JSON.parse('{"__proto__": {"a": 1}, "b": 2}') as Key;
    expect(JSON.stringify(decodeKey(encodeKey(key)))).toBe('{"__proto__":{"a":1},"b":2}');
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["a bigint", 1n],
    ["a symbol", Symbol("x")],
    ["a function", () => 1],
    ["an empty array", []],
    ["an empty map", {}],
    ["a date", new Date(0)],
    ["a Map", new Map()],
    ["undefined in an array", ["a", undefined]],
    ["a hole", Array(2)],
    ["undefined in a map", { a: undefined }],
    ["NaN in a map", { a: [Number.NaN] }],
    [
      "an instance",
      new (class Point {
        x = 1;
      })(),
    ],
  ])("a key cannot be %s", (_, key) => {
    let error: unknown;
    try {
      encodeKey(key as Key);
    } catch (thrown) {
      error = thrown;
    }
    expect(isChannelError(error) && error.code).toBe("INVALID_KEY");
  });

  test("a key that contains itself is refused", () => {
    const key: Record<string, unknown> = {};
    key["self"] = key;
    expect(() => encodeKey(key as Key)).toThrow("nested deeper");
  });
});

describe("prefixes of keys", () => {
  test("a prefix matches the keys that begin with its parts, and no others", () => {
    const parts = fc.array(scalar, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (key, prefix) => {
        const begins = prefix.length <= key.length && prefix.every((part, i) => Object.is(part, key[i]));
        expect(startsWith(encodeKey(key), encodeKey(prefix))).toBe(begins);
        expect(startsWith(encodeKey([...prefix, ...key]), encodeKey(prefix))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("the prefix of a map consists of the first fields of the map", () => {
    const prefix = encodeKey({ name: "a" });
    expect(startsWith(encodeKey({ name: "a", startTime: 1 }), prefix)).toBe(true);
    expect(startsWith(encodeKey({ name: "a", startTime: -1e300 }), prefix)).toBe(true);
    for (const name of ["ab", "a ", "a\0", "a!", "", "A"]) {
      expect(startsWith(encodeKey({ name, startTime: 1 }), prefix)).toBe(false);
    }
  });

  test("a prefix does not reach from one channel into another", () => {
    fc.assert(
      fc.property(anyText, anyText, anyKey, (one, other, key) => {
        fc.pre(one !== other);
        expect(startsWith(encodeChannelName(other) + encodeKey(key), encodeChannelName(one))).toBe(false);
        expect(startsWith(encodeChannelName(one) + encodeKey(key), encodeChannelName(one))).toBe(true);
      }),
    );
  });
});

test("no key lies between a key and the text just after it", () => {
  fc.assert(
    fc.property(anyKey, anyKey, (a, b) => {
      const [x, y] = [encodeKey(a), encodeKey(b)];
      expect(y > x && y < justAfter(x)).toBe(false);
      expect(justAfter(x) > x).toBe(true);
    }),
  );
});

/** Decodes a key. Fails after a number of steps that only an endless loop reaches. */
function decoded(text: string): Key | undefined {
  const { indexOf } = String.prototype;
  let steps = 0;
  const spy = vi.spyOn(String.prototype, "indexOf").mockImplementation(function (this: string, ...args) {
    if (++steps > 10_000) throw new Error("this never ends");
    return indexOf.apply(this, args);
  });
  try {
    return decodeKeyIfOurs(text);
  } finally {
    spy.mockRestore();
  }
}

describe("texts that are not keys", () => {
  test("a text that is not a key is corrupt, however deep it is nested", () => {
    for (const part of ["[", "{", "[[ ", "{a "]) expect(decodeKeyIfOurs(part.repeat(100_000))).toBeUndefined();
  });

  test.each([
    "",
    "a",
    '"',
    '"a',
    '"a b',
    '"a  ',
    '"a "b ',
    "[",
    '["a',
    '["lock "a',
    '["a  ',
    "[x ",
    "{",
    "{name",
    "{name ",
    '{name "a',
    '{b "x a "y ',
    '{a "x a "y ',
    "=",
    "=1 ",
    "=abc:def ",
    "=999:9 ",
    "=500:1",
    "=500:10 ",
    "-499:8 ",
    "? ",
    "?maybe ",
    "[?yes ",
    '"!zz ',
    '"\u001b ',
    '"\ud800 ',
  ])("a text that is not a key is corrupt: %j", (text) => {
    expect(decoded(text)).toBeUndefined();
    expect(() => decodeKey(text)).toThrow(expect.objectContaining({ code: "CORRUPT" }));
  });
});
