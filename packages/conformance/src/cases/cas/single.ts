import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { assertIncreasing } from "../../support/assert.js";

/** Compare-and-set of one entry. */
export const single: readonly Case[] = [
  {
    id: "CAS-001",
    law: "Expecting absence wins where there is no entry.",
    async run(t) {
      const channel = await t.channel();
      const outcome = await channel.compareAndSet("k", null, 1);
      assert.ok(outcome.ok);
      assert.deepEqual(await channel.entry("k"), { key: "k", value: 1, version: outcome.version });
    },
  },
  {
    id: "CAS-002",
    law: "Expecting absence loses where there is an entry, and returns that entry.",
    async run(t) {
      const channel = await t.channel();
      const version = await channel.set("k", { first: true });
      const outcome = await channel.compareAndSet("k", null, 2);
      assert.deepEqual(outcome, { ok: false, current: { key: "k", value: { first: true }, version } });
      assert.deepEqual(await channel.entry("k"), { key: "k", value: { first: true }, version });
    },
  },
  {
    id: "CAS-003",
    law: "Expecting the version that is there wins, and the version changes.",
    async run(t) {
      const channel = await t.channel();
      let version = await channel.set("k", 0);
      for (let i = 1; i <= 20; i++) {
        const outcome = await channel.compareAndSet("k", version, i);
        assert.ok(outcome.ok, `write ${i} lost with the version that is there`);
        assertIncreasing([version, outcome.version], "compareAndSet");
        version = outcome.version;
      }
      assert.equal(await channel.get("k"), 20);
    },
  },
  {
    id: "CAS-004",
    law: "A stale version loses, changes nothing, and gets the present value and version.",
    async run(t) {
      const channel = await t.channel();
      const stale = await channel.set("k", "old");
      const version = await channel.set("k", "new");
      const outcome = await channel.compareAndSet("k", stale, "late");
      assert.deepEqual(outcome, { ok: false, current: { key: "k", value: "new", version } });
      assert.deepEqual(await channel.entry("k"), { key: "k", value: "new", version });
    },
  },
  {
    id: "CAS-005",
    law: "A version that never was loses, whatever it looks like; it is neither an error nor a wildcard.",
    async run(t) {
      const channel = await t.channel();
      const version = await channel.set("k", "here");
      for (const garbage of GARBAGE) {
        const outcome = await channel.compareAndSet("k", garbage, "late");
        assert.ok(!outcome.ok, `the version ${JSON.stringify(garbage)} won over an entry`);
        assert.equal(outcome.current?.version, version);
      }
      assert.deepEqual(await channel.entry("k"), { key: "k", value: "here", version });
    },
  },
  {
    id: "CAS-006",
    law: "A version of an entry that was deleted since loses, and does not bring it back.",
    async run(t) {
      const channel = await t.channel();
      const version = await channel.set("k", 1);
      await channel.unset("k");
      assert.deepEqual(await channel.compareAndSet("k", version, 2), { ok: false });
      assert.equal(await channel.entry("k"), undefined);
    },
  },
  {
    id: "CAS-007",
    law: "Writing the value that is there already changes the version.",
    async run(t) {
      const channel = await t.channel();
      const versions: string[] = [];
      for (let i = 0; i < 5; i++) versions.push(await channel.set("k", "same"));
      const outcome = await channel.compareAndSet("k", versions.at(-1) ?? null, "same");
      assert.ok(outcome.ok);
      assertIncreasing([...versions, outcome.version], "writes of one value");
    },
  },
  {
    id: "CAS-008",
    law: "A version stands for a write, not for a value: after a write of the same value, the version before it loses.",
    async run(t) {
      const channel = await t.channel();
      const before = await channel.set("k", "same");
      await channel.set("k", "same");
      assert.ok(!(await channel.compareAndSet("k", before, "late")).ok);
      assert.equal(await channel.get("k"), "same");
    },
  },
  {
    id: "CAS-009",
    law: "A value that was changed and changed back is not unchanged.",
    async run(t) {
      const channel = await t.channel();
      const first = await channel.set("k", "A");
      await channel.set("k", "B");
      await channel.set("k", "A");
      assert.ok(!(await channel.compareAndSet("k", first, "late")).ok);
    },
  },
  {
    id: "CAS-010",
    law: "A version from before a delete loses against the entry that was written again.",
    async run(t) {
      const channel = await t.channel();
      const first = await channel.set("k", "A");
      await channel.unset("k");
      const again = await channel.set("k", "A");
      assertIncreasing([first, again], "an entry written anew");
      assert.ok(!(await channel.compareAndSet("k", first, "late")).ok);
    },
  },
  {
    id: "CAS-011",
    law: "No text stands for absence: where there is no entry, every version loses.",
    async run(t) {
      const channel = await t.channel();
      for (const garbage of GARBAGE) {
        const outcome = await channel.compareAndSet("none", garbage, 1);
        assert.deepEqual(outcome, { ok: false }, `the version ${JSON.stringify(garbage)} was taken for absence`);
      }
      assert.equal(await channel.entry("none"), undefined);
    },
  },
  {
    id: "CAS-012",
    law: "A version written otherwise, with a sign, a zero in front or a fraction, is another version.",
    async run(t) {
      const channel = await t.channel();
      const version = await channel.set("k", "here");
      for (const other of [`0${version}`, `+${version}`, `${version}.0`, ` ${version}`, `${version} `, `${version}n`]) {
        const outcome = await channel.compareAndSet("k", other, "late");
        assert.ok(!outcome.ok, `${JSON.stringify(other)} was taken for ${version}`);
      }
      assert.equal(await channel.get("k"), "here");
    },
  },
  {
    id: "CAS-013",
    law: "A version that one client was given means the same to every other.",
    async run(t) {
      const [one, two] = await t.channels(2);
      let version = await one?.set("k", 0);
      for (let i = 1; i <= 10; i++) {
        const turn = i % 2 === 0 ? one : two;
        const outcome = await turn?.compareAndSet("k", version ?? null, i);
        assert.ok(outcome?.ok, `turn ${i} lost`);
        version = outcome.version;
      }
      assert.equal((await one?.entry("k"))?.version, version);
    },
  },
  {
    id: "CAS-014",
    law: "Versions increase with every write to any key by any client, and over deletes.",
    scales: true,
    async run(t) {
      const channels = await t.channels(3);
      const versions: string[] = [];
      for (let i = 0; i < t.scale(40, 200, 2_000); i++) {
        const channel = t.random.pick(channels);
        const key = `k${t.random.int(4)}`;
        if (t.random.chance(25)) await channel.unset(key);
        else versions.push(await channel.set(key, i));
      }
      assertIncreasing(versions, "writes one after the other");
    },
  },
  {
    id: "CAS-015",
    law: "Every read, list and lost race returns the version that the write resolved to.",
    async run(t) {
      const [one, two] = await t.channels(2);
      const version = await one?.set("k", 1);
      assert.equal((await two?.entry("k"))?.version, version);
      for (const channel of [one, two]) {
        if (channel === undefined) continue;
        for await (const entry of channel.entries()) assert.equal(entry.version, version);
        for await (const entry of channel.keys()) assert.equal(entry.version, version);
        const lost = await channel.compareAndSet("k", null, 2);
        assert.equal(lost.ok ? undefined : lost.current?.version, version);
      }
    },
  },
  {
    id: "CAS-016",
    law: "A write that is refused leaves everything as it was, however often it is tried.",
    scales: true,
    async run(t) {
      const [one, two] = await t.channels(2);
      const stale = await one?.set("k", "old");
      const version = await one?.set("k", "kept");
      const tries = Array.from({ length: t.scale(10, 50, 500) }, (_, i) =>
        (i % 2 === 0 ? one : two)?.compareAndSet("k", stale ?? null, i),
      );
      for (const outcome of await Promise.all(tries)) assert.equal(outcome?.ok, false);
      assert.deepEqual(await two?.entry("k"), { key: "k", value: "kept", version });
    },
  },
  {
    id: "CAS-017",
    law: "The version of one key is none of another.",
    async run(t) {
      const channel = await t.channel();
      const a = await channel.set("a", "same");
      const b = await channel.set("b", "same");
      assert.ok(!(await channel.compareAndSet("a", b, "late")).ok);
      assert.ok(!(await channel.compareAndSet("b", a, "late")).ok);
      assert.deepEqual(await channel.compareAndSet("c", a, "late"), { ok: false });
      assert.deepEqual(await channel.getAll(), ["same", "same"]);
    },
  },
];

const GARBAGE: readonly string[] = [
  "0",
  "1",
  "",
  " ",
  "-1",
  "null",
  "undefined",
  "*",
  "1e3",
  "0x10",
  "NaN",
  "abc",
  "9007199254740993",
  "99999999999999999999999999",
  "\u0661",
  "' OR 1=1 --",
  '"}',
];
