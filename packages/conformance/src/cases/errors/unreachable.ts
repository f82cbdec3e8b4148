import assert from "node:assert/strict";
import type { ChannelError } from "@ojm/core";
import type { Case } from "../../case/case.js";
import type { CaseContext } from "../../case/context.js";
import type { Heal } from "../../harness/harness.js";
import { rejectsWith, settle } from "../../support/assert.js";
import { rawKey, rawRange } from "../../support/raw.js";
import { within } from "../../support/within.js";

/** The error codes for a store that cannot be reached. */
const AWAY = ["UNAVAILABLE", "TIMEOUT"] as const;

/** The store cannot be reached. */
export const unreachable: readonly Case[] = [
  {
    id: "ERR-001",
    law: "While the store cannot be reached, reads and scans reject: they never report that nothing is there.",
    needs: ["partition"],
    run: (t) => rejects(t, "partition"),
  },
  {
    id: "ERR-002",
    law: "The same holds while its answers are lost.",
    needs: ["dropReplies"],
    run: (t) => rejects(t, "dropReplies"),
  },
  {
    id: "ERR-003",
    law: "The same holds while it hangs.",
    needs: ["pause"],
    run: (t) => rejects(t, "pause"),
  },
  {
    id: "ERR-004",
    law: "A call rejects within the deadline, with an error that says it may be tried again.",
    needs: ["partition"],
    async run(t) {
      const channel = await t.channel();
      await channel.set("k", 1);
      await during(t, "partition", async () => {
        // A generous limit for a busy machine: the case is about calls that wait for ever.
        const cap = 2 * t.deadline + 2_000;
        const calls = [channel.get("k"), channel.set("k", 2), channel.getKeys(), channel.compareAndSet("k", null, 3)];
        const errors = Promise.all(calls.map((call) => rejectsWith(call, ...AWAY)));
        for (const error of await within(cap, errors, `no end after ${cap} ms; the deadline is ${t.deadline}`)) {
          assert.equal(error.retryable, true, `${error.code} does not say that it may be tried again`);
        }
      });
    },
  },
  {
    id: "ERR-005",
    law: "When the store is back, the same client works again by itself.",
    scales: true,
    needs: ["partition"],
    async run(t) {
      const channel = await t.channel();
      for (let i = 0; i < t.scale(1, 2, 10); i++) {
        await channel.set("k", i);
        await during(t, "partition", async () => void (await rejectsWith(channel.get("k"), ...AWAY)));
        await t.until("the client works again", async () => "value" in (await settle(channel.get("k"))), t.recovery);
        assert.equal(await channel.get("k"), i);
      }
    },
  },
  {
    id: "ERR-006",
    law: "After a restart the same client works again by itself, and versions keep increasing.",
    scales: true,
    needs: ["restart"],
    losesData: true,
    async run(t) {
      const channel = await t.channel();
      let last = await channel.set("before", 0);
      for (let i = 0; i < t.scale(1, 2, 10); i++) {
        await t.store.faults?.restart?.();
        let version = "";
        await t.until(
          "the client works again",
          async () => {
            const result = await settle(channel.set("k", i));
            if ("value" in result) version = result.value;
            return "value" in result;
          },
          t.recovery,
        );
        assert.ok(BigInt(version) > BigInt(last), `version ${version} came after ${last} and a restart`);
        last = version;
      }
    },
  },
  {
    id: "ERR-007",
    law: "A store that outlives its process still has every acknowledged entry after a restart, at the same version.",
    scales: true,
    needs: ["restart"],
    losesData: true,
    async run(t) {
      if (t.supports.durability === "none") return;
      const channel = await t.channel();
      const written = new Map<string, string>();
      for (let i = 0; i < t.scale(20, 200, 2_000); i++) written.set(`k${i}`, await channel.set(`k${i}`, i));
      await channel.unset("k0");
      written.delete("k0");
      await t.store.faults?.restart?.();
      await t.until("the store is back", async () => "value" in (await settle(channel.get("k1"))), t.recovery);
      const found = new Map<string, string>();
      for await (const { key, version } of channel.keys()) found.set(String(key), version);
      assert.deepEqual([...found].sort(), [...written].sort());
    },
  },
];

async function rejects(t: CaseContext, fault: "partition" | "dropReplies" | "pause"): Promise<void> {
  const backend = await t.main();
  const channel = await t.channel();
  await channel.set("k", 1);
  const errors: ChannelError[] = [];
  await during(t, fault, async () => {
    const calls: (() => Promise<unknown>)[] = [
      () => channel.get("k"),
      () => channel.entry("never written"),
      () => channel.getAll(),
      () => channel.size(),
      () => backend.read([rawKey(t.name, "k")]),
      () => backend.scan({ ...rawRange(t.name), reverse: true, limit: 1, values: false }),
    ];
    errors.push(...(await Promise.all(calls.map((call) => rejectsWith(call, ...AWAY)))));
  });
  for (const error of errors) assert.equal(error.outcome, "not-applied", "a read changes nothing");
}

/** Does `work` during a fault. Heals the fault even if `work` rejects. */
async function during(t: CaseContext, fault: "partition" | "dropReplies" | "pause", work: () => Promise<void>) {
  const heal: Heal | undefined = await t.store.faults?.[fault]?.();
  try {
    await work();
  } finally {
    await heal?.();
  }
}
