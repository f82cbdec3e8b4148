import assert from "node:assert/strict";
import type { CommitOutcome } from "@ojm/core/backend";
import type { Case } from "../../case/case.js";
import { countTogether } from "../../support/increment.js";
import { rawKey, readOne, write } from "../../support/raw.js";

/** Many clients at once. */
export const races: readonly Case[] = [
  {
    id: "CNC-001",
    law: "Of many increments by compare-and-set, none is lost.",
    scales: true,
    async run(t) {
      await countTogether(t, await t.channels(4), t.scale(20, 60, 1_000));
    },
  },
  {
    id: "CNC-002",
    law: "Of many clients that expect absence at once, exactly one wins, and all others get its entry.",
    scales: true,
    async run(t) {
      const channels = await t.channels(4);
      for (let i = 0; i < t.scale(10, 50, 1_000); i++) {
        const tries = channels.flatMap((channel, c) => [0, 1].map((n) => channel.compareAndSet(i, null, `${c} ${n}`)));
        const outcomes = await Promise.all(tries);
        const winners = outcomes.filter(({ ok }) => ok);
        assert.equal(winners.length, 1, `${winners.length} of ${outcomes.length} won`);
        const entry = await channels[0]?.entry(i);
        for (const outcome of outcomes) if (!outcome.ok) assert.deepEqual(outcome.current, entry);
      }
    },
  },
  {
    id: "CNC-003",
    law: "Of many who expect the same version at once, exactly one wins.",
    scales: true,
    async run(t) {
      const channels = await t.channels(4);
      let version = (await channels[0]?.set("k", "start")) ?? "";
      for (let i = 0; i < t.scale(10, 50, 1_000); i++) {
        const tries = channels.flatMap((channel) => [1, 2].map((n) => channel.compareAndSet("k", version, n)));
        const winners = (await Promise.all(tries)).flatMap((outcome) => (outcome.ok ? [outcome.version] : []));
        assert.equal(winners.length, 1, `${winners.length} won`);
        version = winners[0] ?? "";
      }
    },
  },
  {
    id: "CNC-004",
    law: "Of many getSets whose write ends the match, exactly one wins.",
    scales: true,
    async run(t) {
      const channels = await t.channels(4);
      for (let i = 0; i < t.scale(5, 30, 500); i++) {
        await channels[0]?.set(i, { status: "free" });
        const tries = channels.map((channel, by) => channel.getSet({ status: "free" }, i, { status: "taken", by }));
        assert.equal((await Promise.all(tries)).filter(({ ok }) => ok).length, 1);
      }
    },
  },
  {
    id: "CNC-005",
    law: "Of many who take from a queue, each gets another entry, and none is left.",
    scales: true,
    async run(t) {
      const channels = await t.channels(3);
      const size = t.scale(15, 40, 400);
      await channels[0]?.setAll(
        ["id"],
        Array.from({ length: size }, (_, id) => ({ id })),
      );
      const taken: unknown[] = [];
      await Promise.all(
        channels.map(async (channel, c) => {
          for (;;) {
            const value = await (c === 0 ? channel.pop() : channel.shift());
            await t.breathe();
            if (value === undefined) return;
            taken.push((value as { id: number }).id);
          }
        }),
      );
      taken.sort((a, b) => Number(a) - Number(b));
      assert.deepEqual(
        taken,
        Array.from({ length: size }, (_, id) => id),
      );
    },
  },
  {
    id: "CNC-006",
    law: "No two writes get the same version, from any client and to any key.",
    scales: true,
    async run(t) {
      const channels = await t.channels(4);
      const each = t.scale(40, 200, 3_000);
      const writes = channels.map(async (channel, c) => {
        const versions: string[] = [];
        for (let i = 0; i < each; i++) versions.push(await channel.set(i % 3 === 0 ? "shared" : `${c}`, i));
        return versions;
      });
      const versions = (await Promise.all(writes)).flat();
      assert.equal(new Set(versions).size, versions.length, "a version was given out twice");
    },
  },
  {
    id: "CNC-007",
    law: "Two who each write one key if the other key is absent do not both win.",
    scales: true,
    async run(t) {
      const [one, two] = await t.clients(2);
      if (one === undefined || two === undefined) return;
      for (let i = 0; i < t.scale(20, 100, 2_000); i++) {
        const name = t.freshName();
        const [a, b] = [rawKey(name, "a"), rawKey(name, "b")];
        const outcomes: CommitOutcome[] = await Promise.all([
          one.commit({ checks: [{ key: b, version: null }], writes: [{ key: a, value: "1" }] }),
          two.commit({ checks: [{ key: a, version: null }], writes: [{ key: b, value: "1" }] }),
        ]);
        assert.equal(outcomes.filter(({ ok }) => ok).length, 1, "both won, or neither");
      }
    },
  },
  {
    id: "CNC-008",
    law: "A key that is created and deleted in turn by many has one owner at a time.",
    scales: true,
    async run(t) {
      const clients = await t.clients(4);
      const key = rawKey(t.name, "owner");
      let owners = 0;
      await Promise.all(
        clients.map(async (client) => {
          for (let i = 0; i < t.scale(10, 40, 500); ) {
            const taken = await client.commit({ checks: [{ key, version: null }], writes: [{ key, value: "1" }] });
            await t.breathe();
            if (!taken.ok) continue;
            i++;
            assert.equal(++owners, 1, "two own it at once");
            await readOne(client, key);
            owners--;
            const given = await client.commit({
              checks: [{ key, version: taken.version }],
              writes: [{ key, value: null }],
            });
            assert.ok(given.ok, "the owner could not give it back");
          }
        }),
      );
      await write(clients[0] ?? (await t.main()), { key, value: null });
    },
  },
];
