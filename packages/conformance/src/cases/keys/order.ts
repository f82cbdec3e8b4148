import assert from "node:assert/strict";
import type { Key } from "@ojm/core";
import type { Case } from "../../case/case.js";
import type { CaseContext } from "../../case/context.js";
import { byCodePoints, TRICKY_TEXTS } from "./corpus.js";

/** The order in which keys are listed, and what a prefix is. */
export const order: readonly Case[] = [
  {
    id: "KEY-020",
    law: "Strings sort by code point: not by the rules of a language, not ignoring case, not by UTF-16 unit.",
    async run(t) {
      await listedInOrder(t, [...TRICKY_TEXTS].sort(byCodePoints));
    },
  },
  {
    id: "KEY-021",
    law: "Numbers sort by their value.",
    async run(t) {
      const numbers = [-1e300, -12, -2, -1.5, -1e-9, 0, 5e-324, 0.5, 1, 2, 9, 10, 11, 100, 1e21, 1e300];
      await listedInOrder(t, numbers);
    },
  },
  {
    id: "KEY-022",
    law: "Keys of several parts sort part by part, and a key sorts before the longer keys that begin with it.",
    async run(t) {
      await listedInOrder(
        t,
        [["a"], ["a", 1], ["a", 1, "z"], ["a", 2], ["a", 10], ["a", "b"], ["a ", 0], ["a!", 0], ["aa", 0], ["b"]].sort(
          byParts,
        ),
      );
    },
  },
  {
    id: "KEY-023",
    law: "Maps with the same fields sort by their values, in the order of field names: the runs of a name sort by time.",
    async run(t) {
      const times = [9, 10, 1_764_000_000_123, 1_764_000_000_124];
      const keys = ["daily", "daily ", "daily!", "daily2", "hourly"].flatMap((name) =>
        times.map((startTime) => ({ name, startTime })),
      );
      await listedInOrder(t, keys);
    },
  },
  {
    id: "KEY-024",
    law: "A prefix matches whole parts, never characters.",
    async run(t) {
      const channel = await t.channel();
      const names = ["a", "ab", "a b", "a:b", "a*", "a\u0000", "A", "b", "", "a[b]", "a%"];
      for (const name of names) await channel.set({ name, startTime: 1 }, name);
      for (const name of names) await channel.set([name, "x"], name);
      for (const name of [...names, "?", "[ab]", "*", "a?"]) {
        const expected = names.includes(name) ? [name] : [];
        assert.deepEqual(
          await channel.getAll({ prefix: { name } }),
          expected,
          `the prefix ${JSON.stringify({ name })}`,
        );
        assert.deepEqual(await channel.getAll({ prefix: [name] }), expected, `the prefix ${JSON.stringify([name])}`);
      }
    },
  },
  {
    id: "KEY-025",
    law: "A key is a prefix of itself, and a string is a prefix of nothing else.",
    async run(t) {
      const channel = await t.channel();
      for (const key of ["a", "ab", ["a"], ["a", "b"], ["a", "b", "c"]]) await channel.set(key, 0);
      assert.deepEqual(await channel.getKeys({ prefix: "a" }), ["a"]);
      assert.deepEqual(await channel.getKeys({ prefix: ["a", "b"] }), [
        ["a", "b"],
        ["a", "b", "c"],
      ]);
      assert.deepEqual(await channel.getKeys({ prefix: ["b"] }), []);
    },
  },
];

async function listedInOrder(t: CaseContext, keys: readonly Key[]): Promise<void> {
  const channel = await t.channel();
  for (const key of t.random.shuffle(keys)) await channel.set(key, 0);
  assert.deepEqual(await channel.getKeys(), keys);
  assert.deepEqual(await channel.getKeys({ reverse: true }), [...keys].reverse());
}

function byParts(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [left, right] = [a[i], b[i]];
    if (left === right) continue;
    // Texts come before numbers.
    if (typeof left !== typeof right) return typeof left === "string" ? -1 : 1;
    if (typeof left === "string" && typeof right === "string") return byCodePoints(left, right);
    return Number(left) - Number(right);
  }
  return a.length - b.length;
}
