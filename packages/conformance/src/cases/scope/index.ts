import assert from "node:assert/strict";
import type { CaseGroup } from "../../case/case.js";
import type { CaseContext } from "../../case/context.js";
import { rawKey, rawRange, readRange, write } from "../../support/raw.js";

/** Names that a careless store confuses, or takes for a part of one another. */
function similarNames(t: CaseContext): string[] {
  const base = t.freshName();
  const ends = [
    "",
    "b",
    ":b",
    " b",
    "/b",
    ".b",
    "*",
    "?",
    "[b]",
    "{b}",
    "%",
    "_",
    "!",
    "~",
    "\u0000",
    "\u00e9",
    "\ud800",
  ];
  return [...ends.map((end) => base + end), base.toUpperCase(), ` ${base}`];
}

/**
 * What belongs to a channel. In addition, the runner checks the neighbours of the channel under test after
 * each case of every group.
 */
export const scope: CaseGroup = {
  prefix: "SCP",
  title: "scope",
  cases: [
    {
      id: "SCP-001",
      law: "Channels with different names share no entries, however similar the names are.",
      async run(t) {
        const names = similarNames(t);
        const channels = await Promise.all(names.map((name) => t.channel({ name })));
        for (const channel of channels) await channel.set("k", channel.name);
        for (const channel of channels) {
          assert.equal(await channel.get("k"), channel.name);
          assert.deepEqual(await channel.getAll(), [channel.name], `the channel ${JSON.stringify(channel.name)}`);
        }
      },
    },
    {
      id: "SCP-002",
      law: "Destroying a channel leaves every other channel unchanged.",
      async run(t) {
        const names = similarNames(t);
        const channels = await Promise.all(names.map((name) => t.channel({ name })));
        for (const channel of channels) await channel.setAll(["id"], [{ id: 1 }, { id: 2 }]);
        const [first, ...others] = channels;
        await first?.destroy();
        for (const channel of others) assert.equal(await channel.size(), 2, JSON.stringify(channel.name));
        assert.equal(await (await t.channel({ name: names[0] ?? "" })).size(), 0);
      },
    },
    {
      id: "SCP-003",
      law: "A key that looks like a pattern matches only itself when it is listed or deleted.",
      async run(t) {
        const channel = await t.channel();
        const keys = ["a", "ab", "a*", "a?", "[ab]", "a[b]", "*", "%", "_", "a%", "\\", "a\\*"];
        for (const key of keys) await channel.set([key], key);
        for (const key of ["*", "a*", "a?", "[ab]", "%", "_"]) {
          assert.deepEqual(await channel.getAll({ prefix: [key] }), [key]);
          await channel.unset([key]);
          assert.equal(await channel.size({ prefix: [key] }), 0);
        }
        assert.deepEqual((await channel.getAll()).sort(), ["a", "ab", "a[b]", "a%", "\\", "a\\*"].sort());
      },
    },
    {
      id: "SCP-004",
      law: "A watch reports nothing of other channels.",
      needs: ["watch"],
      async run(t) {
        const [mine, ...others] = similarNames(t);
        const channel = await t.channel({ name: mine ?? "" });
        const reported: unknown[] = [];
        const over = new AbortController();
        t.later(() => over.abort());
        const watching = (async () => {
          for await (const event of channel.watch({ signal: over.signal })) reported.push(event.type);
        })();
        await t.until("the watch is synced", () => reported.includes("synced"));
        for (const name of others) await (await t.channel({ name })).set("k", 1);
        await channel.set("k", 1);
        await t.until("the watch reports the write to its own channel", () => reported.includes("put"));
        over.abort();
        await watching;
        assert.deepEqual(reported, ["synced", "put"]);
      },
    },
    {
      id: "SCP-005",
      law: "A range includes its first key but not its last, and nothing from elsewhere in the store.",
      async run(t) {
        const backend = await t.main();
        const keys = ["a", "b", "c", "d"].map((part) => rawKey(t.name, part));
        for (const key of keys) await write(backend, { key, value: "1" });
        const other = t.freshName();
        await write(backend, { key: rawKey(other, "b"), value: "1" });
        const [, from = "", , to = ""] = keys;
        const found = (await readRange(backend, { from, to })).map(({ key }) => key);
        assert.deepEqual(found, keys.slice(1, 3));
        assert.equal((await readRange(backend, rawRange(t.name))).length, 4);
        assert.equal((await readRange(backend, rawRange(other))).length, 1);
      },
    },
  ],
};
