import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { collect, rejectsWith } from "../../support/assert.js";
import { fill, upTo } from "./fill.js";

/** The number of entries that core reads in one page. Errors with pages show around this number. */
const PAGE = 500;

/** What a scan lists. */
export const ranges: readonly Case[] = [
  {
    id: "SCN-001",
    law: "A scan lists every entry once, in order, forwards and backwards, however many pages the entries fill.",
    scales: true,
    async run(t) {
      const all = [0, 1, 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 1_250];
      const sizes = t.scale([0, 1, PAGE, PAGE + 1], all, all);
      for (const size of sizes) {
        const channel = await t.channel({ name: t.freshName() });
        await fill(channel, upTo(size));
        assert.deepEqual(await channel.getKeys(), upTo(size), `${size} entries, forwards`);
        assert.deepEqual(await channel.getKeys({ reverse: true }), upTo(size).reverse(), `${size} entries, backwards`);
        assert.deepEqual(await channel.getAll(), upTo(size), `the values of ${size} entries`);
      }
    },
  },
  {
    id: "SCN-002",
    law: "A limit keeps only the beginning of the list, and 0 lists nothing.",
    async run(t) {
      const channel = await t.channel();
      const size = PAGE + 20;
      await fill(channel, upTo(size));
      for (const limit of [0, 1, 2, PAGE - 1, PAGE, PAGE + 1, size - 1, size, size + 1]) {
        assert.deepEqual(await channel.getKeys({ limit }), upTo(size).slice(0, limit), `limit ${limit}`);
        const last = upTo(size).reverse().slice(0, limit);
        assert.deepEqual(await channel.getKeys({ limit, reverse: true }), last, `limit ${limit}, backwards`);
      }
      await rejectsWith(() => channel.getKeys({ limit: -1 }), "INVALID_ARGUMENT");
      await rejectsWith(() => channel.getKeys({ limit: Number.NaN }), "INVALID_ARGUMENT");
    },
  },
  {
    id: "SCN-003",
    law: "after and before exclude the key that they name, whether or not it has an entry.",
    async run(t) {
      const channel = await t.channel();
      await fill(channel, [2, 4, 6, 8]);
      assert.deepEqual(await channel.getKeys({ after: 4 }), [6, 8]);
      assert.deepEqual(await channel.getKeys({ after: 5 }), [6, 8]);
      assert.deepEqual(await channel.getKeys({ before: 6 }), [2, 4]);
      assert.deepEqual(await channel.getKeys({ before: 5 }), [2, 4]);
      assert.deepEqual(await channel.getKeys({ after: 2, before: 8 }), [4, 6]);
      assert.deepEqual(await channel.getKeys({ after: 2, before: 8, reverse: true }), [6, 4]);
      assert.deepEqual(await channel.getKeys({ after: 8 }), []);
      assert.deepEqual(await channel.getKeys({ before: 2 }), []);
      assert.deepEqual(await channel.getKeys({ after: 6, before: 4 }), []);
      assert.deepEqual(await channel.getKeys({ after: 4, before: 4 }), []);
    },
  },
  {
    id: "SCN-004",
    law: "A scan that stopped early can be resumed after its last key, and both together list every entry once.",
    scales: true,
    async run(t) {
      const channel = await t.channel();
      const size = t.scale(60, 1_100, 5_000);
      await fill(channel, upTo(size));
      for (const reverse of [false, true]) {
        const found: number[] = [];
        while (found.length < size) {
          const last = found.at(-1);
          const rest = last === undefined ? {} : reverse ? { before: last } : { after: last };
          let some = 1 + t.random.int(size / 2);
          for await (const { key } of channel.entries({ ...rest, reverse })) {
            found.push(Number(key));
            if (--some === 0) break;
          }
        }
        assert.deepEqual(found, reverse ? upTo(size).reverse() : upTo(size));
      }
    },
  },
  {
    id: "SCN-005",
    law: "after and before narrow a prefix and never reach outside it.",
    async run(t) {
      const channel = await t.channel();
      for (const name of ["a", "b", "c"]) for (const n of [1, 2, 3]) await channel.set([name, n], 0);
      const list = async (options: object): Promise<string> => (await channel.getKeys(options)).join(" ");
      assert.equal(await list({ prefix: ["b"] }), "b,1 b,2 b,3");
      assert.equal(await list({ prefix: ["b"], after: ["b", 1] }), "b,2 b,3");
      assert.equal(await list({ prefix: ["b"], after: ["a", 2] }), "b,1 b,2 b,3");
      assert.equal(await list({ prefix: ["b"], before: ["c", 2], reverse: true }), "b,3 b,2 b,1");
      assert.equal(await list({ prefix: ["b"], after: ["c", 1] }), "");
    },
  },
  {
    id: "SCN-006",
    law: "A list of keys has the same keys and versions as a list of entries, and as a read of each entry.",
    scales: true,
    async run(t) {
      const channel = await t.channel();
      await fill(channel, upTo(t.scale(30, 600, 2_000)));
      const entries = await collect(channel.entries());
      const keys = await collect(channel.keys());
      assert.deepEqual(
        keys,
        entries.map(({ key, version }) => ({ key, version })),
      );
      for (const entry of entries.slice(0, 20)) assert.deepEqual(await channel.entry(entry.key), entry);
    },
  },
  {
    id: "SCN-007",
    law: "A backward scan with a limit finds the last entries of a name without reading those before them.",
    async run(t) {
      const channel = await t.channel();
      for (const name of ["a", "b", "c"]) {
        await channel.setAll(
          ["name", "startTime"],
          upTo(30).map((startTime) => ({ name, startTime })),
        );
      }
      const newest = await channel.getKeys({ prefix: { name: "b" }, reverse: true, limit: 2 });
      assert.deepEqual(newest, [
        { name: "b", startTime: 29 },
        { name: "b", startTime: 28 },
      ]);
    },
  },
];
