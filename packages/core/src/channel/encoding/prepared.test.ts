import fc from "fast-check";
import { expect, test } from "vitest";
import type { Key } from "../types.js";
import { knownKey, knownText, knownValue } from "./prepared.js";
import { Scope } from "./scope.js";

const name = fc.oneof(fc.string(), fc.string({ unit: "binary" }));
const part = fc.oneof(name, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
const key: fc.Arbitrary<Key> = fc.oneof(
  part,
  fc.array(part, { minLength: 1, maxLength: 4 }),
  fc.record({ name, startTime: fc.integer() }),
);

test("a key that keeps its text has the text of the same key, in each channel that it is used in", () => {
  const scopes = [new Scope("one"), new Scope("two"), new Scope("one more")];
  fc.assert(
    fc.property(key, fc.array(fc.nat(scopes.length - 1), { minLength: 1 }), (plain, order) => {
      const known = knownKey(plain);
      for (const i of order) expect(scopes[i]?.key(known)).toBe(scopes[i]?.key(plain));
    }),
  );
});

test("a range that begins with a key that keeps its text is that of the same key", () => {
  const scope = new Scope("one");
  const plain = ["lock", "a"];
  expect(scope.range(knownKey(plain))).toEqual(scope.range(plain));
  expect(scope.scanRange({ after: knownKey(plain) })).toEqual(scope.scanRange({ after: plain }));
});

test("a value with its text is recognised if another copy of the package made it, and nothing else is", async () => {
  const path = "./prepared.js?copy";
  const copy = (await import(path)) as typeof import("./prepared.js");
  expect(copy.knownValue).not.toBe(knownValue);
  expect(knownText(copy.knownValue('{"a":1}'))).toBe('{"a":1}');
  expect(knownText(knownValue("1"))).toBe("1");
  for (const value of [null, 1, "text", { text: "1" }, ["text"]]) expect(knownText(value)).toBeUndefined();
});
