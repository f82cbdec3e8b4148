import assert from "node:assert/strict";
import type { JsonValue } from "@ojm/core";
import fc from "fast-check";
import type { Case, CaseGroup } from "../../case/case.js";
import { property } from "../../support/property.js";
import { sameValue } from "../../support/same-value.js";
import { TRICKY_TEXTS } from "../keys/corpus.js";
import { aliasing } from "./aliasing.js";
import { refused } from "./refused.js";

const NUMBERS = [0, 1, -1, 0.1, 0.1 + 0.2, 1 / 3, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 9007199254740992, 456];

const VALUES: readonly JsonValue[] = [
  null,
  true,
  false,
  "",
  "456",
  "null",
  "true",
  "{}",
  "[]",
  '"quoted"',
  "1e3",
  "2024-01-01T00:00:00.000Z",
  [],
  {},
  [[]],
  [null],
  [{}],
  { a: null },
  { "": 0 },
  { b: 1, a: 2, 10: 3, 9: 4 },
  { nested: { deep: [{ deeper: ["x", { y: [1, "1", true, "true", null, "null"] }] }] } },
  ...NUMBERS,
  ...TRICKY_TEXTS,
  ...TRICKY_TEXTS.map((text) => Object.fromEntries([[text, text]])),
];

const roundTrips: readonly Case[] = [
  {
    id: "VAL-001",
    law: "Every JSON value is read back equal and of the same type: a string does not become a number, nor an empty array a map.",
    async run(t) {
      const [one, two] = await t.channels(2);
      for (const [i, value] of VALUES.entries()) {
        await one?.set(i, value);
        const read = await two?.get(i);
        assert.ok(sameValue(read, value), `${JSON.stringify(value)} was read back as ${JSON.stringify(read)}`);
      }
      const listed = await two?.getAll();
      for (const [i, value] of VALUES.entries()) {
        assert.ok(
          sameValue(listed?.[i], value),
          `${JSON.stringify(value)} was listed as ${JSON.stringify(listed?.[i])}`,
        );
      }
    },
  },
  {
    id: "VAL-002",
    law: "A field named __proto__ is a field like any other.",
    async run(t) {
      const channel = await t.channel();
      const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":null}') as JsonValue;
      await channel.set("k", value);
      const read = (await channel.get("k")) as Record<string, unknown>;
      assert.deepEqual(Object.keys(read).sort(), ["__proto__", "constructor", "toString"]);
      assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
    },
  },
  {
    id: "VAL-003",
    law: "A value whose type has a toJSON method is stored as the result of that method.",
    async run(t) {
      const channel = await t.channel();
      const value = { at: new Date(0), money: { toJSON: () => "1.00 EUR" } };
      await channel.set("k", value as unknown as JsonValue);
      assert.deepEqual(await channel.get("k"), { at: "1970-01-01T00:00:00.000Z", money: "1.00 EUR" });
    },
  },
  {
    id: "VAL-004",
    law: "Any JSON value is read back equal.",
    scales: true,
    async run(t) {
      const channel = await t.channel();
      const value = fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }) as fc.Arbitrary<JsonValue>;
      await property(t, [value], t.scale(30, 300, 3_000), async (written) => {
        await channel.set("k", written);
        assert.ok(sameValue(await channel.get("k"), written));
      });
    },
  },
];

export const values: CaseGroup = { prefix: "VAL", title: "values", cases: [...roundTrips, ...refused, ...aliasing] };
