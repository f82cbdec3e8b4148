import { fuzz } from "@ojm/testing/fuzz";
import fc from "fast-check";
import { expect, vi } from "vitest";
import { type ChannelError, isChannelError } from "../errors.js";
import type { Key } from "../types.js";
import { decodeValue, encodeValue, sameJson } from "./json.js";
import { decodeKey, decodeKeyIfOurs, encodeKey } from "./key.js";
import { nearestJson } from "./nearest-json.js";
import { readableValue, Scope } from "./scope.js";
import { compareVersions, storedVersion, versionOf } from "./version.js";

/** An entry as a store returns it, which any program may have written. */
interface Stored {
  readonly key: string;
  readonly value: string;
  readonly version: string;
}

/** A message longer than this would bury the rest of a log. */
const LONGEST_MESSAGE = 1_000;

const scalar = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
);
const key = fc.oneof(
  scalar,
  fc.array(scalar, { minLength: 1, maxLength: 4 }),
  fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 3 }),
) as fc.Arbitrary<Key>;

/** A text with some pieces inserted, replaced or cut out. */
function damaged(texts: fc.Arbitrary<string>, piece: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.option(piece, { nil: "" }));
  return fc.tuple(texts, fc.array(change, { maxLength: 3 })).map(([text, changes]) =>
    changes.reduce((whole, [place, length, inserted]) => {
      const at = place % (whole.length + 1);
      return whole.slice(0, at) + inserted + whole.slice(at + length);
    }, text),
  );
}

const keyPiece = fc.constantFrom(
  ..." !_~[]{}?=-:\"'\\\0\u001b\u202e\ud7ff\ud800\udc00\uffff0123456789ae",
  "true",
  "=500:1 ",
  "-499:8: ",
  '"a ',
  "a ",
  "\ud7ff1e000",
  "__proto__ ",
  "[".repeat(70),
  "{a ".repeat(70),
  "[".repeat(20_000),
);
const valuePiece = fc.constantFrom(
  ...'[]{},:"\\ -+.eE0123456789\0\u001b\ud800',
  "null",
  "1e999",
  "-0",
  "\\ud800",
  '"__proto__":',
  '{"toJSON":1}',
  "[".repeat(600),
  "]".repeat(600),
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
);
const digits = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
  fc.constantFrom("0", "1", "9", "10", "0123456789012345678", "00", "9223372036854775807"),
);

const inputs: fc.Arbitrary<Stored> = fc.record({
  key: fc.oneof(fc.string({ unit: keyPiece, maxLength: 24 }), damaged(key.map(encodeKey), keyPiece)),
  value: fc.oneof(
    fc.string({ unit: valuePiece, maxLength: 16 }),
    damaged(fc.json({ maxDepth: 4, stringUnit: "binary" }), valuePiece),
  ),
  version: digits,
});

/** The error of a call; `undefined` without one. */
function errorOf(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A text that is not ours is `CORRUPT`, by a short message that no terminal obeys. */
function expectCorrupt(error: unknown): void {
  if (!isChannelError(error)) throw error;
  const { code, message } = error satisfies ChannelError;
  expect(code).toBe("CORRUPT");
  expect(message.length).toBeLessThan(LONGEST_MESSAGE);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
}

/** Runs a call that may search a text only this often: more searches mean an endless loop. */
function bounded<T>(call: () => T): T {
  const { indexOf } = String.prototype;
  let steps = 0;
  const spy = vi.spyOn(String.prototype, "indexOf").mockImplementation(function (this: string, ...args) {
    if (++steps > 100_000) throw new Error("this never ends");
    return indexOf.apply(this, args);
  });
  try {
    return call();
  } finally {
    spy.mockRestore();
  }
}

/** Either the key is the one whose text this is, or no key has this text. */
function checkKey(text: string): void {
  const read = bounded(() => decodeKeyIfOurs(text));
  if (read === undefined) {
    expectCorrupt(errorOf(() => decodeKey(text)));
    return;
  }
  expect(encodeKey(read)).toBe(text);
  expect(sameJson(decodeKey(text), read)).toBe(true);
}

/** Either the value is what JSON has, or it is not JSON. */
function checkValue(text: string): void {
  const isJson = errorOf(() => JSON.parse(text)) === undefined;
  const error = errorOf(() => decodeValue(text, "the key"));
  if (!isJson) {
    expectCorrupt(error);
    expect(readableValue(text)).toBeUndefined();
    return;
  }
  expect(error).toBeUndefined();
  const read = decodeValue<unknown>(text, "the key");
  const written = errorOf(() => encodeValue(read));
  if (written !== undefined) {
    // It is nested deeper than a value that ojm writes.
    expect(isChannelError(written) && written.code).toBe("INVALID_VALUE");
    expect(nearestJson(read, "value").lost).not.toEqual([]);
    return;
  }
  expect(encodeValue(read)).toBe(JSON.stringify(JSON.parse(text)));
  expect(sameJson(read, JSON.parse(text))).toBe(true);
  expect(nearestJson(read, "value").lost).toEqual([]);
}

/** An entry has a version of one form, whatever its key and its value are. */
function checkEntry(stored: Stored): void {
  const scope = new Scope("jobs");
  const whole = { ...stored, key: `jobs ${stored.key}` };
  const entry = scope.readable<unknown>(whole);
  expect(entry?.key).toEqual(decodeKeyIfOurs(stored.key));
  if (entry !== undefined) expect(storedVersion(entry.version)).toBe(storedVersion(versionOf(stored.version)));
  const { version } = stored;
  const [own, next] = [versionOf(version), versionOf(String(BigInt(version) + 1n))];
  expect(BigInt(storedVersion(own))).toBe(BigInt(version));
  expect(compareVersions(own, next)).toBeLessThan(0);
  expect(compareVersions(next, version)).toBeGreaterThan(0);
  expect(compareVersions(version, own)).toBe(0);
}

fuzz({
  name: "encoding",
  inputs,
  check: (stored) => {
    checkKey(stored.key);
    checkValue(stored.value);
    checkEntry(stored);
  },
  runs: { some: 500, many: 20_000 },
});
