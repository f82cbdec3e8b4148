import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { assertIncreasing, OF_BACKENDS, rejectsWith } from "../../support/assert.js";
import { rawKey, readOne, write, writeIf } from "../../support/raw.js";

/** Commits of several checks and writes. */
export const batches: readonly Case[] = [
  {
    id: "CAS-020",
    law: "All writes of a commit become visible, at the one version that it resolves to.",
    async run(t) {
      const channel = await t.channel();
      await channel.set("gone", 1);
      const result = await channel.commit([
        { put: "a", value: 1 },
        { put: "b", value: 2 },
        { delete: "gone" },
        { put: "c", value: 3 },
      ]);
      assert.ok(result.ok);
      const found = await Promise.all(["a", "b", "c", "gone"].map((key) => channel.entry(key)));
      const { version } = result;
      const expected = ["a", "b", "c"].map((key, i) => ({ key, value: i + 1, version }));
      assert.deepEqual(found, [...expected, undefined]);
    },
  },
  {
    id: "CAS-021",
    law: "One check that fails, wherever it stands, keeps every write of its commit from being applied.",
    async run(t) {
      const channel = await t.channel();
      const good = await channel.set("good", 0);
      const bad = await channel.set("bad", 0);
      const stale = { check: "bad", version: good };
      const holds = { check: "good", version: good };
      const writes = [{ put: "new", value: 1 }, { put: "good", value: 1 }, { delete: "bad" }] as const;
      for (const ops of [
        [stale, holds, ...writes],
        [holds, ...writes, stale],
        [...writes, stale],
      ]) {
        assert.ok(!(await channel.commit(ops)).ok);
        assert.equal(await channel.entry("new"), undefined, "a write of a refused commit was applied");
        assert.deepEqual(await channel.entry("good"), { key: "good", value: 0, version: good });
        assert.deepEqual(await channel.entry("bad"), { key: "bad", value: 0, version: bad });
      }
    },
  },
  {
    id: "CAS-022",
    law: "A refused commit returns each check that failed, by its channel and key, in the order of the ops, with the present entry.",
    async run(t) {
      const channel = await t.channel();
      const a = await channel.set("a", "A");
      const b = await channel.set("b", "B");
      const result = await channel.commit([
        { put: "new", value: 1 },
        { check: "a", version: a },
        { check: "b", version: a },
        { check: "absent", version: b },
        { check: "also-absent", version: null },
        { check: "new", version: null },
      ]);
      const current = { key: "b", value: "B", version: b };
      assert.deepEqual(result, {
        ok: false,
        failed: [
          { channel: channel.name, key: "b", current },
          { channel: channel.name, key: "absent" },
        ],
      });
    },
  },
  {
    id: "CAS-023",
    law: "A refused commit returns the present entries of all its checks, even of those that hold.",
    async run(t) {
      const backend = await t.main();
      const [a, b, c] = ["a", "b", "c"].map((part) => rawKey(t.name, part)) as [string, string, string];
      const first = await write(backend, { key: a, value: '"A"' });
      const second = await write(backend, { key: b, value: '"B"' });
      const checks = [
        { key: a, version: first },
        { key: b, version: first },
        { key: c, version: null },
      ];
      const outcome = await backend.commit({ checks, writes: [{ key: c, value: "1" }] });
      assert.ok(!outcome.ok);
      assert.deepEqual(outcome.current, [
        { key: a, value: '"A"', version: first },
        { key: b, value: '"B"', version: second },
        undefined,
      ]);
    },
  },
  {
    id: "CAS-024",
    law: "A commit may depend on entries that it does not write.",
    async run(t) {
      const channel = await t.channel();
      const fence = await channel.set("fence", 1);
      const check = { check: "fence", version: fence };
      assert.ok((await channel.commit([check, { put: "guarded", value: 1 }])).ok);
      assert.equal((await channel.entry("fence"))?.version, fence, "a check changed the version of its entry");
      await channel.set("fence", 2);
      assert.ok(!(await channel.commit([check, { put: "guarded", value: 2 }])).ok);
      assert.equal(await channel.get("guarded"), 1);
    },
  },
  {
    id: "CAS-025",
    law: "A commit without writes compares, and changes nothing.",
    async run(t) {
      const channel = await t.channel();
      const a = await channel.set("a", 1);
      const ops = [
        { check: "a", version: a },
        { check: "b", version: null },
      ];
      assert.ok((await channel.commit(ops)).ok);
      assert.equal((await channel.entry("a"))?.version, a);
      const current = { key: "b", value: 1, version: await channel.set("b", 1) };
      assert.deepEqual(await channel.commit(ops), {
        ok: false,
        failed: [{ channel: channel.name, key: "b", current }],
      });
    },
  },
  {
    id: "CAS-026",
    law: "A conditional delete removes the version that it names, and no other.",
    async run(t) {
      const backend = await t.main();
      const key = rawKey(t.name, "k");
      const stale = await write(backend, { key, value: "1" });
      const version = await write(backend, { key, value: "2" });
      assert.ok(!(await writeIf(backend, key, stale, null)).ok);
      assert.equal((await readOne(backend, key))?.version, version);
      assert.ok((await writeIf(backend, key, version, null)).ok);
      assert.equal(await readOne(backend, key), undefined);
      const again = await writeIf(backend, key, version, null);
      assert.deepEqual(again, { ok: false, current: [undefined] });
    },
  },
  {
    id: "CAS-027",
    law: "A delete has a version of its own, above those before it and below those after it.",
    async run(t) {
      const backend = await t.main();
      const key = rawKey(t.name, "k");
      const versions: string[] = [];
      for (let i = 0; i < 5; i++) {
        versions.push(await write(backend, { key, value: "1" }));
        versions.push(await write(backend, { key, value: null }));
      }
      assertIncreasing(versions, "writes and deletes in turn", OF_BACKENDS);
    },
  },
  {
    id: "CAS-028",
    law: "Deleting an absent entry is not an error.",
    async run(t) {
      const channel = await t.channel();
      await channel.unset("none");
      assert.ok((await channel.commit([{ check: "none", version: null }, { delete: "none" }])).ok);
      assert.equal(await channel.size(), 0);
    },
  },
  {
    id: "CAS-029",
    law: "A key that is checked or written twice in one commit is refused.",
    async run(t) {
      const channel = await t.channel();
      const version = await channel.set("k", 0);
      const put = { put: "k", value: 1 };
      const check = { check: "k", version };
      await rejectsWith(channel.commit([put, { delete: "k" }]), "INVALID_ARGUMENT");
      await rejectsWith(channel.commit([check, check, put]), "INVALID_ARGUMENT");
      assert.deepEqual(await channel.entry("k"), { key: "k", value: 0, version });
    },
  },
  {
    id: "CAS-030",
    law: "One commit may write to several channels of a store, all or nothing.",
    needs: ["commitAcrossChannels"],
    async run(t) {
      const one = await t.channel();
      const other = await t.channel({ name: t.freshName() });
      const third = await t.channel({ name: t.freshName() });
      const result = await one.commitWith(
        [{ put: "here", value: 1 }],
        [
          { channel: other, ops: [{ put: "there", value: 2 }] },
          { channel: third, ops: [{ put: "there", value: 3 }] },
        ],
      );
      assert.ok(result.ok);
      assert.equal((await one.entry("here"))?.version, result.version);
      assert.deepEqual(await other.entry("there"), { key: "there", value: 2, version: result.version });
      assert.deepEqual(await third.entry("there"), { key: "there", value: 3, version: result.version });
      const refused = await one.commitWith(
        [{ put: "here", value: 4 }],
        [
          { channel: third, ops: [{ delete: "there" }] },
          { channel: other, ops: [{ check: "there", version: null }] },
        ],
      );
      assert.ok(!refused.ok);
      assert.deepEqual(refused.failed, [{ channel: other.name, key: "there", current: await other.entry("there") }]);
      assert.equal(await one.get("here"), 1, "half of a commit was applied");
      assert.equal(await third.get("there"), 3, "half of a commit was applied");
    },
  },
];
