import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { rejectsWith } from "../../support/assert.js";
import { Brief, bothSides, GRAIN } from "./clocked.js";

const TTL = 120;
const DAY = 86_400_000;

/** When an entry is visible, and when it is not. */
export const deadlines: readonly Case[] = [
  {
    id: "TTL-001",
    law: "An entry is visible until its deadline and absent from then on, to a client that did not write it.",
    scales: true,
    needs: ["ttl"],
    async run(t) {
      const [writer, reader] = await t.channels(2);
      if (writer === undefined || reader === undefined) return;
      for (let i = 0; i < t.scale(2, 5, 50); i++) {
        const brief = await Brief.write(t, TTL, () => writer.set("k", i, { ttl: TTL }));
        await bothSides(t, brief, reader, "k");
      }
    },
  },
  {
    id: "TTL-002",
    law: "An expired entry is in no list, no count, and no page.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      await channel.set("a", 1);
      const brief = await Brief.write(t, TTL, () => channel.set("b", 2, { ttl: TTL }));
      await channel.set("c", 3);
      await brief.gone();
      assert.deepEqual(await channel.getKeys(), ["a", "c"]);
      assert.deepEqual(await channel.getKeys({ reverse: true }), ["c", "a"]);
      assert.deepEqual(await channel.getAll({ after: "a" }), [3]);
      assert.deepEqual(await channel.getKeys({ limit: 2 }), ["a", "c"]);
      assert.equal(await channel.size(), 2);
      assert.deepEqual(await channel.getSortedKeys(), ["a", "c"]);
    },
  },
  {
    id: "TTL-003",
    law: "Pages full of expired entries do not hide what comes after them.",
    scales: true,
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      const most = Math.min(100, t.supports.maxOps);
      const size = t.scale(120, 1_100, 3_000);
      const brief = await Brief.write(t, TTL, async () => {
        for (let i = 0; i < size; i += most) {
          await channel.commit(Array.from({ length: most }, (_, n) => ({ put: i + n, value: 0, ttl: TTL })));
        }
      });
      await channel.set(-1, "first");
      await channel.set(1e6, "last");
      await brief.gone();
      assert.deepEqual(await channel.getAll(), ["first", "last"]);
      assert.deepEqual(await channel.getAll({ reverse: true }), ["last", "first"]);
      assert.deepEqual(await channel.getAll({ after: -1, limit: 1 }), ["last"]);
    },
  },
  {
    id: "TTL-004",
    law: "Writing an entry again with a time to live counts it from then.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      const long = 2 * TTL;
      let brief = await Brief.write(t, long, () => channel.set("k", 0, { ttl: long }));
      for (let i = 1; i <= 4; i++) {
        await t.elapse(TTL);
        brief = await Brief.write(t, long, async () => {
          const { seen, visible } = await brief.look(() => channel.get("k"));
          if (visible === true) assert.equal(seen, i - 1, "the entry was gone although it was renewed");
          await channel.set("k", i, { ttl: long });
        });
      }
      const late = await Brief.write(t, TTL, () => channel.set("k", "shorter", { ttl: TTL }));
      await bothSides(t, late, channel, "k");
    },
  },
  {
    id: "TTL-005",
    law: "Writing an entry again without a time to live makes it stay.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      const brief = await Brief.write(t, TTL, () => channel.set("k", 1, { ttl: TTL }));
      const version = await channel.set("k", 2);
      await brief.gone();
      await t.elapse(TTL);
      assert.deepEqual(await channel.entry("k"), { key: "k", value: 2, version });
    },
  },
  {
    id: "TTL-006",
    law: "The deadline of an entry that was deleted does not reach the entry that was written after it.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      const brief = await Brief.write(t, TTL, () => channel.set("k", 1, { ttl: TTL }));
      await channel.unset("k");
      const version = await channel.set("k", 2);
      await channel.set("other", 1, { ttl: TTL });
      await channel.set("other", 2, { ttl: DAY });
      await brief.gone();
      await t.elapse(TTL);
      assert.deepEqual(await channel.entry("k"), { key: "k", value: 2, version });
      assert.equal(await channel.get("other"), 2);
    },
  },
  {
    id: "TTL-007",
    law: "The time to live counts down from the given time, and reads and lists return the same.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      await channel.set("for-ever", 1);
      await channel.set("k", 1, { ttl: DAY });
      const first = (await channel.entry("k"))?.expiresIn ?? Number.NaN;
      assert.ok(first > DAY - 3_600_000 && first <= DAY + GRAIN, `${first} of ${DAY} ms are left`);
      await t.elapse(20);
      const second = (await channel.entry("k"))?.expiresIn ?? Number.NaN;
      assert.ok(second < first, "what is left does not become less");
      for await (const { key, expiresIn } of channel.entries()) {
        if (key === "k") assert.ok(expiresIn !== undefined && expiresIn <= second, "a list tells another time");
        else assert.equal(expiresIn, undefined, "an entry that stays tells a time");
      }
      const lost = await channel.compareAndSet("k", null, 2);
      assert.ok(!lost.ok && (lost.current?.expiresIn ?? 0) > 0, "a lost race does not tell what is left");
    },
  },
  {
    id: "TTL-008",
    law: "A time to live of weeks and years is kept, and so is one of a fraction of a millisecond over.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      // A timer of 32 bits overflows at 2^31 ms, which is within the 25th day.
      for (const ttl of [24 * DAY, 25 * DAY, 50 * DAY, 400 * DAY, 1_000_000.5, 2 ** 31, 2 ** 32 + 5]) {
        await channel.set("k", ttl, { ttl });
        await t.elapse(2);
        const { value, expiresIn = Number.NaN } = (await channel.entry("k")) ?? {};
        assert.equal(value, ttl, `an entry with a time to live of ${ttl} ms is gone`);
        assert.ok(expiresIn > ttl - 600_000 && expiresIn <= ttl + GRAIN, `${expiresIn} of ${ttl} ms are left`);
      }
    },
  },
  {
    id: "TTL-009",
    law: "A time to live that is not above 0 is refused, and nothing is written.",
    needs: ["ttl"],
    async run(t) {
      const channel = await t.channel();
      for (const ttl of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "5" as unknown as number]) {
        await rejectsWith(() => channel.set("k", 1, { ttl }), "INVALID_ARGUMENT");
      }
      assert.equal(await channel.entry("k"), undefined);
    },
  },
];
