import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { assertIncreasing } from "../../support/assert.js";
import { Brief, bothSides } from "./clocked.js";

const TTL = 100;

/** Conditions on expired entries. */
export const conditions: readonly Case[] = [
  {
    id: "TTL-020",
    law: "Expecting absence wins over an expired entry.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      const brief = await Brief.write(t, TTL, () => channel.set("k", 1, { ttl: TTL }));
      await brief.gone();
      const outcome = await channel.compareAndSet("k", null, 2);
      assert.ok(outcome.ok, "an expired entry counted as present");
      assert.deepEqual(await channel.entry("k"), { key: "k", value: 2, version: outcome.version });
    },
  },
  {
    id: "TTL-021",
    law: "The version of an expired entry loses, and the answer reports no entry.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      let version = "";
      const brief = await Brief.write(t, TTL, async () => {
        version = await channel.set("k", 1, { ttl: TTL });
      });
      await brief.gone();
      assert.deepEqual(await channel.compareAndSet("k", version, 2), { ok: false });
      assert.deepEqual(
        await channel.commit([
          { check: "k", version },
          { put: "other", value: 1 },
        ]),
        {
          ok: false,
          failed: [{ channel: channel.name, key: "k" }],
        },
      );
      assert.equal(await channel.size(), 0);
    },
  },
  {
    id: "TTL-022",
    law: "Versions go on increasing over an expiry.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      const versions: string[] = [];
      for (let i = 0; i < 3; i++) {
        const brief = await Brief.write(t, TTL, async () => versions.push(await channel.set("k", i, { ttl: TTL })));
        await brief.gone();
        assert.equal(await channel.entry("k"), undefined);
      }
      versions.push(await channel.set("k", "last"));
      assertIncreasing(versions, "writes of a key that expires between them");
    },
  },
  {
    id: "TTL-023",
    law: "A refused write renews nothing.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      const brief = await Brief.write(t, TTL, () => channel.set("k", 1, { ttl: TTL }));
      const refused = await brief.look(() => channel.compareAndSet("k", null, 2, { ttl: 86_400_000 }));
      if (refused.visible === true) assert.ok(!refused.seen.ok, "an entry counted as absent before its deadline");
      // The machine was so slow that the entry had expired: the write was not refused, and proves nothing.
      if (refused.seen.ok) return;
      await brief.gone();
      assert.equal(await channel.entry("k"), undefined, "a refused write prolonged an entry");
    },
  },
  {
    id: "TTL-024",
    law: "Reading an entry that expires never takes away the one that is written in that moment.",
    scales: true,
    needs: ["ttl"],
    async run(t) {
      const [writer, ...readers] = await t.channels(3);
      if (writer === undefined) return;
      for (let i = 0; i < t.scale(10, 40, 400); i++) {
        const ttl = 10 + t.random.int(10);
        const brief = await Brief.write(t, ttl, () => writer.set("k", "old", { ttl }));
        let reading = true;
        // The readers read and list all the time around the deadline, so that the fresh write comes between
        // their calls.
        const looks = readers.map(async (reader, n) => {
          while (reading) {
            await (n % 2 === 0 ? reader.entry("k") : reader.getAll());
            await new Promise((resolve) => setImmediate(resolve));
          }
        });
        await t.elapseUntil("the deadline passed", () => brief.over);
        const version: string = await writer.set("k", i);
        assert.deepEqual(await writer.entry("k"), { key: "k", value: i, version }, "a fresh write is gone");
        reading = false;
        await Promise.all(looks);
        assert.deepEqual(await writer.entry("k"), { key: "k", value: i, version }, "a read took a fresh write away");
      }
    },
  },
  {
    id: "TTL-025",
    law: "Of many who find an entry expired and expect absence, exactly one wins.",
    scales: true,
    needs: ["ttl"],
    async run(t) {
      const channels = await t.channels(4);
      for (let i = 0; i < t.scale(2, 5, 50); i++) {
        const brief = await Brief.write(t, TTL, () => channels[0]?.set("k", "old", { ttl: TTL }) ?? Promise.resolve());
        await brief.gone();
        const tries = channels.flatMap((channel) => [1, 2].map((n) => channel.compareAndSet("k", null, n)));
        const winners = (await Promise.all(tries)).filter(({ ok }) => ok);
        assert.equal(winners.length, 1, `${winners.length} took over an expired entry`);
        await channels[0]?.unset("k");
      }
    },
  },
  {
    id: "TTL-026",
    law: "Each write of a commit has a time to live of its own.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      const brief = await Brief.write(t, TTL, () =>
        channel.commit([
          { put: "brief", value: 1, ttl: TTL },
          { put: "longer", value: 2, ttl: 86_400_000 },
          { put: "stays", value: 3 },
        ]),
      );
      await bothSides(t, brief, channel, "brief");
      assert.deepEqual(await channel.getKeys(), ["longer", "stays"]);
    },
  },
];
