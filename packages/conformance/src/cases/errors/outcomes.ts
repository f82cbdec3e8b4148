import assert from "node:assert/strict";
import type { JsonValue } from "@ojm/core";
import type { Case } from "../../case/case.js";
import { type CaseContext, sleep } from "../../case/context.js";
import { rejectsWith, settle } from "../../support/assert.js";
import { increment } from "../../support/increment.js";

/** The error of a failed write reports its outcome correctly. */
export const outcomes: readonly Case[] = [
  {
    id: "ERR-020",
    law: "A write whose answer was lost does not claim that it was not applied, and is never made twice.",
    needs: ["dropReplies"],
    async run(t) {
      const [channel, other] = await t.channels(2);
      if (channel === undefined || other === undefined) return;
      await channel.set("k", 0);
      const heal = await t.store.faults?.dropReplies?.();
      const result = await settle(channel.set("k", 1));
      await heal?.();
      const first = await eventually(t, () => other.entry("k"));
      if ("error" in result && result.error.outcome === "not-applied") assert.equal(first?.value, 0, "it was applied");
      await sleep(100);
      assert.deepEqual(await eventually(t, () => other.entry("k")), first, "it was applied late, or again");
    },
  },
  {
    id: "ERR-021",
    law: "A create whose answer was lost never loses against itself.",
    scales: true,
    needs: ["dropReplies"],
    async run(t) {
      for (let i = 0; i < t.scale(1, 3, 20); i++) {
        const channel = await t.channel({ by: await t.client() });
        const heal = await t.store.faults?.dropReplies?.();
        const creating = settle(channel.compareAndSet(i, null, "mine"));
        await sleep(20);
        await heal?.();
        const result = await creating;
        if ("value" in result) assert.ok(result.value.ok, "it was refused because of what it had written itself");
      }
    },
  },
  {
    id: "ERR-022",
    law: "Increments over lost answers: as many are counted as were acknowledged, and at most those besides that are unknown.",
    scales: true,
    needs: ["dropReplies"],
    cap: 180_000,
    run: (t) => increments(t, "dropReplies"),
  },
  {
    id: "ERR-023",
    law: "The same holds over lost connections.",
    scales: true,
    needs: ["partition"],
    cap: 180_000,
    run: (t) => increments(t, "partition"),
  },
  {
    id: "ERR-024",
    law: "While the store is cut off in the midst of many writes, every acknowledged one is there afterwards, and every one that says so is not.",
    scales: true,
    needs: ["partition"],
    cap: 300_000,
    async run(t) {
      const [one, two] = await t.channels(2);
      if (one === undefined || two === undefined) return;
      const results = new Map<string, Awaited<ReturnType<typeof settle<string>>>>();
      let cut = 0;
      const count = t.scale(200, 2_000, 10_000);
      const writers = Array.from({ length: 8 }, async (_, w) => {
        const channel = w % 2 === 0 ? one : two;
        for (let i = w; i < count; i += 8) {
          results.set(`k${i}`, await settle(channel.set(`k${i}`, i)));
          if (results.size > count / 2 && cut++ === 0) void blink(t);
        }
      });
      await Promise.all(writers);
      await eventually(t, () => one.get("k0"));
      const there = new Map<string, JsonValue>();
      for await (const { key, value } of one.entries()) there.set(String(key), value);
      for (const [key, result] of results) {
        if ("value" in result) assert.ok(there.has(key), `${key} was acknowledged and is not there`);
        else if (result.error.outcome === "not-applied")
          assert.ok(!there.has(key), `${key} was said not to be applied`);
      }
    },
  },
  {
    id: "ERR-025",
    law: "A call whose signal fired before it began rejects with ABORTED and does nothing.",
    async run(t) {
      const channel = await t.channel();
      const signal = AbortSignal.abort();
      for (const call of [
        () => channel.set("k", 1, { signal }),
        () => channel.compareAndSet("k", null, 1, { signal }),
        () => channel.get("k", { signal }),
        () => channel.getAll({ signal }),
      ]) {
        const error = await rejectsWith(call, "ABORTED");
        assert.equal(error.outcome, "not-applied");
      }
      assert.equal(await channel.entry("k"), undefined);
    },
  },
  {
    id: "ERR-026",
    law: "A call whose signal fires while it waits rejects at once, and a write then says that it may have been applied.",
    needs: ["partition"],
    async run(t) {
      const channel = await t.channel();
      await channel.set("k", 0);
      const heal = await t.store.faults?.partition?.();
      const stop = new AbortController();
      const calls = [settle(channel.get("k", { signal: stop.signal }))];
      const write = settle(channel.set("k", 1, { signal: stop.signal }));
      await sleep(5);
      stop.abort();
      const [read, written] = await Promise.all([...calls, write]);
      await heal?.();
      assert.ok(read !== undefined && "error" in read && written !== undefined && "error" in written);
      assert.equal(read.error.outcome, "not-applied");
      assert.equal(written.error.outcome, "unknown");
      await eventually(t, () => channel.get("k"));
    },
  },
  {
    id: "ERR-027",
    law: "No message of an error holds a value that was written.",
    uses: ["partition"],
    async run(t) {
      const channel = await t.channel();
      const secret = "s3cr3t-value";
      await channel.set("k", secret);
      const errors = [
        await rejectsWith(() => channel.set("k", { secret, bad: Number.NaN }), "INVALID_VALUE"),
        await rejectsWith(() => channel.set("k", [secret, undefined] as JsonValue), "INVALID_VALUE"),
        await rejectsWith(() => channel.set("k", secret, { ttl: -1 }), "INVALID_ARGUMENT", "NOT_SUPPORTED"),
      ];
      if (t.store.faults?.partition !== undefined) {
        const heal = await t.store.faults.partition();
        errors.push(await rejectsWith(channel.set("k", secret)));
        await heal();
        await eventually(t, () => channel.get("k"));
      }
      for (const { message } of errors) assert.ok(!message.includes(secret), `a message tells a value: ${message}`);
    },
  },
];

async function increments(t: CaseContext, fault: "dropReplies" | "partition"): Promise<void> {
  const channels = await t.channels(3);
  await channels[0]?.set("count", 0);
  const goal = t.scale(15, 40, 400);
  let acknowledged = 0;
  let unknown = 0;
  const work = channels.map(async (channel) => {
    for (let i = 0; i < goal; i++) {
      const result = await settle(increment(t, channel));
      if ("value" in result) acknowledged++;
      else if (result.error.outcome === "unknown") unknown++;
    }
  });
  const disturb = (async () => {
    for (let i = 0; i < t.scale(1, 3, 30); i++) {
      await sleep(5 + t.random.int(10));
      const heal = await t.store.faults?.[fault]?.();
      await sleep(30);
      await heal?.();
    }
  })();
  await Promise.all([...work, disturb]);
  const count = Number(await eventually(t, async () => channels[0]?.get("count")));
  assert.ok(count >= acknowledged, `${acknowledged} increments were acknowledged, ${count} were counted`);
  assert.ok(count <= acknowledged + unknown, `${acknowledged} acknowledged, ${unknown} unknown, but ${count} counted`);
}

/** Cuts the connection for a moment. */
async function blink(t: CaseContext): Promise<void> {
  const heal = await t.store.faults?.partition?.();
  await sleep(50);
  await heal?.();
}

/** Repeats `work` until the store answers again. Resolves to what `work` resolves to. */
async function eventually<T>(t: CaseContext, work: () => Promise<T>): Promise<T> {
  let found: { readonly value: T } | undefined;
  await t.until(
    "the store answers again",
    async () => {
      const result = await settle(work());
      if ("value" in result) found = result;
      return found !== undefined;
    },
    t.recovery,
  );
  if (found === undefined) throw new Error("no answer");
  return found.value;
}
