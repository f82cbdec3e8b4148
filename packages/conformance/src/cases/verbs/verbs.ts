import assert from "node:assert/strict";
import type { JsonValue, Key } from "@ojm/core";
import type { Case } from "../../case/case.js";
import { rejectsWith } from "../../support/assert.js";

/** Each verb by itself. */
export const verbs: readonly Case[] = [
  {
    id: "VRB-001",
    law: "A key that was never written is absent: its value is `undefined`, and it has no entry.",
    async run(t) {
      const channel = await t.channel();
      assert.equal(await channel.get("none"), undefined);
      assert.equal(await channel.entry("none"), undefined);
      assert.deepEqual(await channel.getAll(), []);
      assert.equal(await channel.size(), 0);
    },
  },
  {
    id: "VRB-002",
    law: "Once a set is acknowledged, every client reads its value.",
    scales: true,
    async run(t) {
      const [one, two] = await t.channels(2);
      for (let i = 0; i < t.scale(20, 100, 1_000); i++) {
        const version = await one?.set("k", i);
        assert.deepEqual(await two?.entry("k"), { key: "k", value: i, version });
        assert.equal(await one?.get("k"), i);
      }
    },
  },
  {
    id: "VRB-003",
    law: "Once an unset is acknowledged, its key is absent to every client.",
    scales: true,
    async run(t) {
      const [one, two] = await t.channels(2);
      for (let i = 0; i < t.scale(10, 50, 500); i++) {
        await one?.set("k", i);
        assert.equal(await two?.get("k"), i);
        await one?.unset("k");
        assert.equal(await two?.entry("k"), undefined);
        assert.equal(await two?.size(), 0);
      }
    },
  },
  {
    id: "VRB-004",
    law: "getAll, getKeys and forEach list in the order of keys.",
    async run(t) {
      const channel = await t.channel();
      for (const n of t.random.shuffle([1, 2, 3, 10, 20])) await channel.set(n, `value ${n}`);
      const expected = [1, 2, 3, 10, 20];
      assert.deepEqual(await channel.getKeys(), expected);
      assert.deepEqual(
        await channel.getAll(),
        expected.map((n) => `value ${n}`),
      );
      const visited: [Key, JsonValue][] = [];
      await channel.forEach((key, value) => void visited.push([key, value]));
      assert.deepEqual(
        visited,
        expected.map((n) => [n, `value ${n}`]),
      );
    },
  },
  {
    id: "VRB-005",
    law: "getSortedKeys lists keys in the order of their last modification, the earliest first.",
    async run(t) {
      const channel = await t.channel();
      for (const key of ["c", "a", "b", "d"]) await channel.set(key, 0);
      await channel.set("a", 1);
      assert.deepEqual(await channel.getSortedKeys(), ["c", "b", "d", "a"]);
    },
  },
  {
    id: "VRB-006",
    law: "getSet writes only where the current value has every field of the match.",
    async run(t) {
      const channel = await t.channel();
      assert.deepEqual(await channel.getSet({ a: 1 }, "k", { a: 2 }), { ok: false });
      assert.equal(await channel.entry("k"), undefined);
      const version = await channel.set("k", { a: 1, b: { c: [1] } });
      const current = { key: "k", value: { a: 1, b: { c: [1] } }, version };
      assert.deepEqual(await channel.getSet({ a: 1, b: { c: [2] } }, "k", { a: 2 }), { ok: false, current });
      assert.ok((await channel.getSet({ b: { c: [1] } }, "k", { a: 2 })).ok);
      assert.deepEqual(await channel.get("k"), { a: 2 });
    },
  },
  {
    id: "VRB-007",
    law: "setAll and unsetAll find the key of each value in its fields.",
    scales: true,
    async run(t) {
      const channel = await t.channel();
      const rows = Array.from({ length: t.scale(30, 1_200, 5_000) }, (_, id) => ({ group: id % 3, id, text: `${id}` }));
      await channel.setAll(["group", "id"], rows);
      assert.equal(await channel.size(), rows.length);
      assert.deepEqual(await channel.get({ id: 5, group: 2 }), rows[5]);
      await channel.unsetAll(
        ["id", "group"],
        rows.filter(({ group }) => group !== 1),
      );
      const left = rows.filter(({ group }) => group === 1);
      assert.deepEqual(await channel.getAll(), left);
    },
  },
  {
    id: "VRB-008",
    law: "push, shift and pop make a queue and a stack in the order of modification.",
    async run(t) {
      const channel = await t.channel();
      for (const key of ["z", "m", "a", "q"]) await channel.push(key, `value ${key}`);
      assert.equal(await channel.shift(), "value z");
      assert.equal(await channel.pop(), "value q");
      assert.equal(await channel.shift(), "value m");
      assert.equal(await channel.shift(), "value a");
      assert.equal(await channel.shift(), undefined);
      assert.equal(await channel.pop(), undefined);
    },
  },
  {
    id: "VRB-009",
    law: "A subscriber receives every set and unset until it is unsubscribed.",
    needs: ["watch"],
    async run(t) {
      const channel = await t.channel();
      await channel.set("before", 0);
      const reported: string[] = [];
      const id = await channel.subscribe((_name, what, key, value) => {
        reported.push(`${what} ${String(key)} ${String(value)}`);
      });
      await channel.set("k", 1);
      await channel.unset("k");
      const expected = ["set before 0", "set k 1", "unset k undefined"];
      await t.until("the subscriber receives everything", () => reported.length >= expected.length);
      channel.unsubscribe(id);
      await channel.set("after", 1);
      await rejectsOrNothing(t.until("the subscriber receives more", () => reported.length > expected.length, 100));
      assert.deepEqual(reported, expected);
    },
  },
  {
    id: "VRB-010",
    law: "destroy deletes every entry of its channel and closes it.",
    scales: true,
    async run(t) {
      const channel = await t.channel();
      await channel.setAll(
        ["id"],
        Array.from({ length: t.scale(20, 1_100, 3_000) }, (_, id) => ({ id })),
      );
      await channel.destroy();
      await rejectsWith(channel.get("k"), "CLOSED");
      assert.equal(await (await t.channel()).size(), 0);
    },
  },
];

async function rejectsOrNothing(work: Promise<unknown>): Promise<void> {
  await work.catch(() => {});
}
