import assert from "node:assert/strict";
import type { JsonValue } from "@ojm/core";
import type { Case } from "../../case/case.js";
import { rejectsWith } from "../../support/assert.js";

const cycle: Record<string, unknown> = { name: "cycle" };
cycle["itself"] = [cycle];

/** Values that JSON would silently destroy, and the path to each. */
const DESTROYED: readonly (readonly [value: unknown, path: string])[] = [
  [undefined, "value"],
  [{ a: [1, undefined] }, "value.a[1]"],
  [{ a: { b: Number.NaN } }, "value.a.b"],
  [[Number.POSITIVE_INFINITY], "value[0]"],
  [{ n: Number.NEGATIVE_INFINITY }, "value.n"],
  [{ n: 1n }, "value.n"],
  [{ f: () => 1 }, "value.f"],
  [[Symbol("s")], "value[0]"],
  [{ m: new Map([["a", 1]]) }, "value.m"],
  [{ s: new Set([1]) }, "value.s"],
  [{ e: new Error("lost") }, "value.e"],
  [{ r: /x/ }, "value.r"],
  [{ bytes: new Uint8Array(2) }, "value.bytes"],
  [cycle, "value.itself[0]"],
];

/** Which values are refused, and how. */
export const refused: readonly Case[] = [
  {
    id: "VAL-010",
    law: "A value that JSON would silently destroy is refused with the path to it, and nothing is written.",
    async run(t) {
      const channel = await t.channel();
      const version = await channel.set("k", "before");
      for (const [value, path] of DESTROYED) {
        const error = await rejectsWith(() => channel.set("k", value as JsonValue), "INVALID_VALUE");
        assert.ok(error.message.includes(`${path} `), `the message does not name ${path}: ${error.message}`);
        assert.equal(error.outcome, "not-applied");
      }
      assert.deepEqual(await channel.entry("k"), { key: "k", value: "before", version });
    },
  },
  {
    id: "VAL-011",
    law: "One refused value prevents the whole commit.",
    async run(t) {
      const channel = await t.channel();
      const ops = [
        { put: "good", value: 1 },
        { put: "bad", value: Number.NaN },
      ];
      await rejectsWith(() => channel.commit(ops), "INVALID_VALUE");
      assert.equal(await channel.size(), 0);
    },
  },
];
