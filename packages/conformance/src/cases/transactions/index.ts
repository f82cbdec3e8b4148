import assert from "node:assert/strict";
import type { CaseGroup } from "../../case/case.js";
import { assertIncreasing } from "../../support/assert.js";
import { Follower } from "../watch/follower.js";

/** Commits that join a transaction of the caller. */
export const transactions: CaseGroup = {
  prefix: "TXN",
  title: "transactions of the caller",
  cases: [
    {
      id: "TXN-001",
      law: "What joined a transaction is invisible until its commit, which applies all of it in one step, at a version above all others.",
      needs: ["transactions"],
      async run(t) {
        const [channel, foreign] = await t.channels(2);
        if (channel === undefined || foreign === undefined) return;
        const before = await channel.set("old", 1);
        const transaction = await t.transaction();
        await channel.commitIn(transaction.client, [{ put: "new", value: 1 }, { delete: "old" }]);
        await channel.commitIn(transaction.client, [
          { check: "none", version: null },
          { put: "new", value: 2 },
        ]);
        assert.deepEqual([await channel.get("old"), await foreign.get("new")], [1, undefined]);
        const between = await foreign.set("other", 1);
        await transaction.commit();
        const fresh = await foreign.entry("new");
        assert.deepEqual([await channel.get("old"), fresh?.value], [undefined, 2]);
        const after = await foreign.set("other", 2);
        assertIncreasing([before, between, fresh?.version ?? "", after], "the versions");
      },
    },
    {
      id: "TXN-002",
      law: "A transaction that is rolled back leaves nothing, and the next one on its connection begins empty.",
      needs: ["transactions"],
      async run(t) {
        const channel = await t.channel();
        const transaction = await t.transaction();
        await channel.commitIn(transaction.client, [
          { check: "k", version: null },
          { put: "k", value: 1 },
        ]);
        await transaction.rollback();
        assert.equal(await channel.get("k"), undefined);
        const next = await t.transaction();
        await channel.commitIn(next.client, [{ put: "other", value: 1 }]);
        await next.commit();
        assert.deepEqual([await channel.get("k"), await channel.get("other")], [undefined, 1]);
      },
    },
    {
      id: "TXN-003",
      law: "An open transaction holds up no other commit; if one changes an entry that the transaction checks, the transaction fails as a whole.",
      needs: ["transactions"],
      async run(t) {
        const [channel, foreign] = await t.channels(2);
        if (channel === undefined || foreign === undefined) return;
        const version = await channel.set("k", 1);
        const transaction = await t.transaction();
        await channel.commitIn(transaction.client, [{ put: "more", value: 1 }]);
        await channel.commitIn(transaction.client, [
          { check: "k", version },
          { put: "k", value: 2 },
        ]);
        await foreign.set("k", 3);
        await assert.rejects(transaction.commit(), "the transaction committed although its check had failed");
        assert.deepEqual([await channel.get("k"), await channel.get("more")], [3, undefined]);
      },
    },
    {
      id: "TXN-004",
      law: "Commits that join transactions and others lose no update to each other, and a watch reports each of them once, in the order of versions.",
      scales: true,
      needs: ["transactions", "watch"],
      async run(t) {
        const [watched, joining, plain] = await t.channels(3);
        if (watched === undefined || joining === undefined || plain === undefined) return;
        const follower = await Follower.start(t, watched);
        const each = t.scale(5, 30, 300);
        const alternately = async (next: (n: number, version: string | null) => Promise<boolean>): Promise<void> => {
          for (let done = 0; done < each; ) {
            await t.breathe();
            const entry = await plain.entry("n");
            if (await next(Number(entry?.value ?? 0) + 1, entry?.version ?? null)) done++;
          }
        };
        await Promise.all([
          alternately(async (n, version) => (await plain.compareAndSet("n", version, n)).ok),
          ...[1, 2].map(() =>
            alternately(async (n, version) => {
              const transaction = await t.transaction();
              await joining.commitIn(transaction.client, [
                { check: "n", version },
                { put: "n", value: n },
              ]);
              return transaction.commit().then(
                () => true,
                () => false,
              );
            }),
          ),
        ]);
        await t.until("the watch reports the last write", () => follower.state.get("n")?.value === 3 * each);
        assert.deepEqual(
          follower.log.filter((line) => line !== "synced"),
          Array.from({ length: 3 * each }, (_, i) => `put n ${i + 1}`),
        );
      },
    },
  ],
};
