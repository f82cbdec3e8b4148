import assert from "node:assert/strict";
import type { StoredEntry } from "@ojm/core/backend";
import fc from "fast-check";
import type { Case } from "../../case/case.js";
import { property } from "../../support/property.js";
import { padded, rawKey, rawRange, readRange, write } from "../../support/raw.js";

/** Single pages, requested from the backend itself. */
export const pages: readonly Case[] = [
  {
    id: "SCN-020",
    law: "A page holds at most as many entries as requested, in order, and says when there are more.",
    async run(t) {
      const backend = await t.main();
      const keys = [1, 2, 3, 4, 5].map((n) => rawKey(t.name, padded(n)));
      await write(backend, ...keys.map((key) => ({ key, value: "1" })));
      for (const reverse of [false, true]) {
        const inOrder = reverse ? [...keys].reverse() : keys;
        for (let limit = 1; limit <= 6; limit++) {
          const page = await backend.scan({ ...rawRange(t.name), reverse, limit, values: true });
          const what = `limit ${limit}${reverse ? ", backwards" : ""}`;
          assert.deepEqual(
            page.entries.map(({ key }) => key),
            inOrder.slice(0, limit),
            what,
          );
          if (limit < keys.length) assert.equal(page.more, true, `${what}: there are more`);
          // At `limit === keys.length`, both answers are allowed. Beyond it, `more: true` would make a reader
          // ask again for ever.
          if (limit > keys.length) assert.equal(page.more, false, `${what}: there are no more`);
        }
      }
    },
  },
  {
    id: "SCN-021",
    law: "An empty range gives an empty page that says that there are no more.",
    async run(t) {
      const backend = await t.main();
      for (const reverse of [false, true]) {
        const page = await backend.scan({ ...rawRange(t.name), reverse, limit: 10, values: true });
        assert.deepEqual(page, { entries: [], more: false });
      }
    },
  },
  {
    id: "SCN-022",
    law: "Read in pages of any size, a range gives the same entries as when read at once.",
    async run(t) {
      const backend = await t.main();
      const keys = Array.from({ length: 60 }, (_, n) => rawKey(t.name, padded(n)));
      await write(backend, ...keys.map((key) => ({ key, value: "1" })));
      for (const limit of [1, 2, 7, 30, 59, 60, 61]) {
        const found = await readRange(backend, rawRange(t.name), limit);
        assert.deepEqual(
          found.map(({ key }) => key),
          keys,
          `pages of ${limit}`,
        );
      }
    },
  },
  {
    id: "SCN-023",
    law: "A page with values holds the values; a page without may omit them, but not the versions.",
    async run(t) {
      const backend = await t.main();
      const key = rawKey(t.name, "k");
      const version = await write(backend, { key, value: '{"a":1}' });
      const request = { ...rawRange(t.name), reverse: false, limit: 10 };
      const withValues = await backend.scan({ ...request, values: true });
      assert.deepEqual(withValues.entries, [{ key, value: '{"a":1}', version }]);
      const without = await backend.scan({ ...request, values: false });
      assert.deepEqual(
        without.entries.map((entry) => [entry.key, entry.version]),
        [[key, version]],
      );
    },
  },
  {
    id: "SCN-024",
    law: "Any page of any range over any keys is what a sorted list would give.",
    scales: true,
    async run(t) {
      const backend = await t.main();
      const part = fc.string({ unit: fc.constantFrom("a", "b", "Z", "~", "\u00e9", "\u{1f600}", "-"), maxLength: 3 });
      const ends = fc.tuple(part, part);
      const args = [
        fc.uniqueArray(part, { maxLength: 20 }),
        ends,
        fc.boolean(),
        fc.integer({ min: 1, max: 8 }),
      ] as const;
      await property(t, [...args], t.scale(15, 100, 1_000), async (parts, [low, high], reverse, limit) => {
        const name = t.freshName();
        const keys = parts.map((it) => rawKey(name, it)).sort();
        if (keys.length > 0) await write(backend, ...keys.map((key) => ({ key, value: "1" })));
        const [from = "", to = ""] = [rawKey(name, low), rawKey(name, high)].sort();
        const expected = keys.filter((key) => key >= from && key < to);
        if (reverse) expected.reverse();
        const page = await backend.scan({ from, to, reverse, limit, values: true });
        assert.deepEqual(page.entries.map(keyOf), expected.slice(0, limit));
        if (expected.length > limit) assert.equal(page.more, true);
      });
    },
  },
];

function keyOf({ key }: StoredEntry): string {
  return key;
}
