import assert from "node:assert/strict";
import type { Key } from "@ojm/core";
import fc from "fast-check";
import type { Case } from "../../case/case.js";
import type { CaseContext } from "../../case/context.js";
import { rejectsWith } from "../../support/assert.js";
import { property } from "../../support/property.js";
import { rawKey, rawRange, readOne, readRange, write } from "../../support/raw.js";
import { TRICKY_TEXTS } from "./corpus.js";

/** Which keys are equal, and which are not. */
export const identity: readonly Case[] = [
  {
    id: "KEY-001",
    law: "Every string is a key of its own, whatever characters it holds, and is read back unchanged.",
    async run(t) {
      await eachItsOwn(t, TRICKY_TEXTS);
    },
  },
  {
    id: "KEY-002",
    law: "The same holds for strings as parts of keys.",
    async run(t) {
      await eachItsOwn(
        t,
        TRICKY_TEXTS.map((text) => [text, "x"]),
      );
    },
  },
  {
    id: "KEY-003",
    law: "The same holds for strings as names of fields and as values of fields.",
    async run(t) {
      const keys = TRICKY_TEXTS.flatMap((text) => [Object.fromEntries([[text, "x"]]), { x: text }]);
      await eachItsOwn(t, keys);
    },
  },
  {
    id: "KEY-004",
    law: "A number and its digits as a string are different keys of different types, and so are a boolean and its name.",
    async run(t) {
      await eachItsOwn(t, ["1", 1, [1], ["1"], "true", true, [true], ["true"], false, "false", 0, "0", -1, "-1"]);
    },
  },
  {
    id: "KEY-005",
    law: "Numbers are read back exactly, from the smallest to the largest.",
    async run(t) {
      const { MAX_VALUE, MIN_VALUE, MAX_SAFE_INTEGER, EPSILON } = Number;
      const positive = [MAX_VALUE, MIN_VALUE, MAX_SAFE_INTEGER, EPSILON, 0.1, 1 / 3, 1e21, 1e-7, 1764000000123];
      await eachItsOwn(t, [0, ...positive, ...positive.map((n) => -n)]);
    },
  },
  {
    id: "KEY-006",
    law: "The order of the fields of a map does not matter, at any depth.",
    async run(t) {
      const channel = await t.channel();
      await channel.set({ name: "a", startTime: 1, at: { x: 1, y: 2 } }, "one");
      const version = await channel.set({ at: { y: 2, x: 1 }, startTime: 1, name: "a" }, "two");
      assert.equal(await channel.size(), 1);
      const entry = await channel.entry({ startTime: 1, at: { x: 1, y: 2 }, name: "a" });
      assert.equal(entry?.version, version);
    },
  },
  {
    id: "KEY-007",
    law: "An invalid key is refused before anything is written.",
    async run(t) {
      const channel = await t.channel();
      const cycle: unknown[] = [];
      cycle.push(cycle);
      const bad: unknown[] = [null, undefined, Number.NaN, Number.POSITIVE_INFINITY, [], {}, () => 1, Symbol("s"), 1n];
      bad.push(new Map([["a", 1]]), new Date(0), [undefined], { a: undefined }, cycle);
      for (const key of bad) await rejectsWith(() => channel.set(key as Key, 1), "INVALID_KEY");
      assert.equal(await channel.size(), 0);
    },
  },
  {
    id: "KEY-008",
    law: "Any two different keys are two entries, and each is read back as it was written.",
    scales: true,
    async run(t) {
      const backend = await t.main();
      await property(t, [fc.array(anyKey, { minLength: 1, maxLength: 12 })], t.scale(15, 100, 1_000), async (keys) => {
        const channel = await t.channel({ by: backend, name: t.freshName() });
        const model = new Map<string, Key>();
        for (const key of keys) {
          await channel.set(key, canonical(key));
          model.set(canonical(key), key);
        }
        const found = await channel.getKeys();
        assert.deepEqual(found.map(canonical).sort(), [...model.keys()].sort());
        for (const [text, key] of model) assert.equal(await channel.get(key), text);
      });
    },
  },
  {
    id: "KEY-009",
    law: "A backend returns keys byte for byte, from reads and scans alike.",
    async run(t) {
      const backend = await t.main();
      const keys = ["a", "A", "a*", "a\ud7ff1d800", "\u00e9", "e\u0301", "\u{1f600}", "a'b", "a\\b", "!00"].map(
        (part) => rawKey(t.name, part),
      );
      for (const key of keys) await write(backend, { key, value: JSON.stringify(key) });
      for (const key of keys) {
        const entry = await readOne(backend, key);
        assert.equal(entry?.key, key);
        assert.equal(entry?.value, JSON.stringify(key), `the value under ${key} is not the one that was written`);
      }
      const found = await readRange(backend, rawRange(t.name));
      assert.deepEqual(
        found.map(({ key }) => key),
        [...keys].sort(),
      );
    },
  },
  {
    id: "KEY-010",
    law: "A read of several keys returns results in their order, even for keys that are absent or requested twice.",
    async run(t) {
      const backend = await t.main();
      const [a, b, none] = ["a", "b", "none"].map((part) => rawKey(t.name, part)) as [string, string, string];
      const version = await write(backend, { key: a, value: "1" }, { key: b, value: "2" });
      const atA = { key: a, value: "1", version };
      const atB = { key: b, value: "2", version };
      assert.deepEqual(await backend.read([b, none, a]), [atB, undefined, atA]);
      assert.deepEqual(await backend.read([a, a, none, none, b]), [atA, atA, undefined, undefined, atB]);
      assert.deepEqual(await backend.read([]), []);
    },
  },
];

async function eachItsOwn(t: CaseContext, keys: readonly Key[]): Promise<void> {
  const channel = await t.channel();
  for (const [i, key] of keys.entries()) {
    const outcome = await channel.compareAndSet(key, null, i);
    assert.ok(outcome.ok, `the key ${JSON.stringify(key)} is the same as an earlier one`);
  }
  const found = new Map<string, unknown>();
  await channel.forEach((key, value) => void found.set(canonical(key), value));
  assert.equal(found.size, keys.length);
  for (const [i, key] of keys.entries()) {
    assert.equal(await channel.get(key), i, `the value under ${JSON.stringify(key)}`);
    assert.equal(found.get(canonical(key)), i, `the key ${JSON.stringify(key)} was not read back as it was written`);
  }
}

const part: fc.Arbitrary<string | number | boolean> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom(...TRICKY_TEXTS),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
  fc.boolean(),
);

const anyKey: fc.Arbitrary<Key> = fc.oneof(
  part,
  fc.array(part, { minLength: 1, maxLength: 4 }),
  fc.dictionary(fc.string({ maxLength: 4 }), part, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
);

/** Equal texts for equal keys. */
function canonical(key: Key): string {
  return JSON.stringify(key, (_name, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  });
}
