import assert from "node:assert/strict";
import type { Channel, CommitResult, Entry } from "@ojm/core";
import type { Case } from "../../case/case.js";
import type { CaseContext } from "../../case/context.js";
import { rawKey, rawRange, readRange, write } from "../../support/raw.js";

const ACCOUNTS = 4;
const EACH = 100;

/** Concurrent commits of several keys. */
export const transfers: readonly Case[] = [
  {
    id: "CNC-020",
    law: "Transfers between accounts conserve the money: no commit is applied in part, and no snapshot shows part of one.",
    scales: true,
    async run(t) {
      const [observer, ...tellers] = await t.channels(4);
      if (observer === undefined) return;
      for (let n = 0; n < ACCOUNTS; n++) await observer.set(["account", n], EACH);
      let open = true;
      const watching = observe(t, observer, () => open);
      await Promise.all(tellers.map((teller) => transfer(t, teller, t.scale(15, 50, 1_000))));
      open = false;
      const looks = await watching;
      assert.ok(looks > 0);
      const total = (await observer.getAll()).reduce((sum: number, balance) => sum + Number(balance), 0);
      assert.equal(total, ACCOUNTS * EACH);
    },
  },
  {
    id: "CNC-021",
    law: "A page of a scan shows a commit whole or not at all.",
    scales: true,
    async run(t) {
      const [writer, reader] = await t.clients(2);
      if (writer === undefined || reader === undefined) return;
      const keys = ["a", "m", "z"].map((part) => rawKey(t.name, part));
      await write(writer, ...keys.map((key) => ({ key, value: "0" })));
      let writing = true;
      const work = (async () => {
        for (let i = 1; i <= t.scale(50, 300, 5_000); i++) {
          await write(writer, ...keys.map((key) => ({ key, value: String(i) })));
        }
        writing = false;
      })();
      while (writing) {
        const found = await readRange(reader, rawRange(t.name));
        assert.equal(new Set(found.map(({ value }) => value)).size, 1, "a page shows half of a commit");
        assert.equal(new Set(found.map(({ version }) => version)).size, 1, "a page shows half of a commit");
        await t.breathe();
      }
      await work;
    },
  },
];

async function transfer(t: CaseContext, channel: Channel, count: number): Promise<void> {
  for (let done = 0; done < count; ) {
    const [from = 0, to = 0] = t.random.shuffle(Array.from({ length: ACCOUNTS }, (_, n) => n));
    const [payer, payee] = await Promise.all([channel.entry(["account", from]), channel.entry(["account", to])]);
    if (payer === undefined || payee === undefined) throw new Error("an account is gone");
    const amount = 1 + t.random.int(20);
    if (Number(payer.value) < amount) continue;
    const result = await channel.commit([
      { check: payer.key, version: payer.version },
      { check: payee.key, version: payee.version },
      { put: payer.key, value: Number(payer.value) - amount },
      { put: payee.key, value: Number(payee.value) + amount },
    ]);
    if (result.ok) done++;
    await t.breathe();
  }
}

/**
 * Takes snapshots while `open()` is true, and throws if one of them shows half of a transfer. A refused
 * commit reports all its entries as they were at one moment. No other call returns a snapshot of several
 * keys.
 */
async function observe(t: CaseContext, channel: Channel, open: () => boolean): Promise<number> {
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => ({ check: ["account", n], version: "1" }));
  const checks = [...accounts, { check: "never written", version: "1" }];
  let looks = 0;
  while (open()) {
    const result: CommitResult = await channel.commit(checks);
    assert.ok(!result.ok, "an entry that was never written is at some version");
    const entries = result.failed.flatMap(({ current }): Entry[] => (current === undefined ? [] : [current]));
    if (entries.length === ACCOUNTS) {
      const total = entries.reduce((sum, { value }) => sum + Number(value), 0);
      assert.equal(total, ACCOUNTS * EACH, "a snapshot shows half of a transfer");
      looks++;
    }
    await t.breathe();
  }
  return looks;
}
