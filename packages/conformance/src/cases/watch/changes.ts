import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { Follower } from "./follower.js";

/** What a watch reports. */
export const changes: readonly Case[] = [
  {
    id: "WCH-001",
    law: "A watch of an empty channel reports at once that its snapshot is complete.",
    needs: ["watch"],
    async run(t) {
      const follower = await Follower.start(t, await t.channel());
      assert.deepEqual(follower.log, ["synced"]);
    },
  },
  {
    id: "WCH-002",
    law: "A watch first reports the existing entries, in order, and then that its snapshot is complete.",
    needs: ["watch"],
    async run(t) {
      const channel = await t.channel();
      for (const n of [3, 1, 2]) await channel.set(n, n);
      await channel.set(4, 4);
      await channel.unset(4);
      const follower = await Follower.start(t, channel);
      assert.deepEqual(follower.log, ["put 1 1", "put 2 2", "put 3 3", "synced"]);
    },
  },
  {
    id: "WCH-003",
    law: "A watch reports writes and deletes by its own and by other clients, in their order, with the versions that the writers received.",
    needs: ["watch"],
    async run(t) {
      const [own, foreign] = await t.channels(2);
      if (own === undefined || foreign === undefined) return;
      const follower = await Follower.start(t, own);
      const first = await own.set("k", 1);
      const second = await foreign.set("k", 2);
      await foreign.unset("k");
      const third = await foreign.compareAndSet("k", null, 3);
      await own.unset("k");
      await t.until("the watch reports everything", () => follower.log.length >= 6);
      assert.deepEqual(follower.log, ["synced", "put k 1", "put k 2", "delete k", "put k 3", "delete k"]);
      const versions = follower.events.flatMap((event) => (event.type === "put" ? [event.entry.version] : []));
      assert.deepEqual(versions, [first, second, third.ok ? third.version : ""]);
    },
  },
  {
    id: "WCH-004",
    law: "A watch reports a write that repeats the current value; it does not report a refused write.",
    needs: ["watch"],
    async run(t) {
      const channel = await t.channel();
      const stale = await channel.set("k", "same");
      const follower = await Follower.start(t, channel);
      await channel.set("k", "same");
      assert.ok(!(await channel.compareAndSet("k", stale, "refused")).ok);
      assert.ok(!(await channel.compareAndSet("k", null, "refused")).ok);
      await channel.set("end", 1);
      await t.until("the watch reports the last write", () => follower.state.has("end"));
      assert.deepEqual(follower.log, ['put k "same"', "synced", 'put k "same"', "put end 1"]);
    },
  },
  {
    id: "WCH-005",
    law: "A watch reports all writes of a commit, at its one version.",
    needs: ["watch"],
    async run(t) {
      const [channel, writer] = await t.channels(2);
      if (channel === undefined || writer === undefined) return;
      await channel.set("gone", 0);
      const follower = await Follower.start(t, channel);
      const result = await writer.commit([{ put: "a", value: 1 }, { delete: "gone" }, { put: "b", value: 2 }]);
      await t.until("the watch reports everything", () => follower.events.length >= 5);
      const reported = follower.events.slice(2).map((event) => {
        if (event.type === "put") return [event.entry.key, event.entry.version];
        return event.type === "delete" ? [event.key, event.version] : [];
      });
      const version = result.ok ? result.version : "";
      assert.deepEqual(reported.sort(), [
        ["a", version],
        ["b", version],
        ["gone", version],
      ]);
    },
  },
  {
    id: "WCH-006",
    law: "A watch with a prefix reports the keys that begin with its parts, and no others.",
    needs: ["watch"],
    async run(t) {
      const [channel, writer] = await t.channels(2);
      if (channel === undefined || writer === undefined) return;
      await writer.set(["a", 0], 0);
      await writer.set(["ab", 0], 0);
      const follower = await Follower.start(t, channel, ["a"]);
      for (const name of ["ab", "b", "A", "a b", "a*", "a"]) await writer.set([name, 1], 1);
      await writer.unset(["ab", 0]);
      await writer.unset(["a", 0]);
      await t.until("the watch reports the last change", () => follower.log.length >= 4);
      assert.deepEqual(follower.log, ["put a,0 0", "synced", "put a,1 1", "delete a,0"]);
    },
  },
  {
    id: "WCH-007",
    law: "A watch reports an entry that reaches its deadline as deleted and expired, and not before.",
    needs: ["watch", "ttl"],
    async run(t) {
      const [channel, writer] = await t.channels(2);
      if (channel === undefined || writer === undefined) return;
      await writer.set("renewed", 0, { ttl: 400 });
      await writer.set("old", 0, { ttl: 300 });
      const follower = await Follower.start(t, channel);
      await writer.set("new", 0, { ttl: 60 });
      await writer.set("renewed", 1);
      await t.until("the watch reports the last write", () => follower.state.get("renewed")?.value === 1);
      await t.elapseUntil(
        "the watch reports both expiries",
        () => expired(follower, "old") && expired(follower, "new"),
      );
      await t.elapse(200);
      assert.equal(await channel.get("old"), undefined, "the watch reported the expiry of an entry that is there");
      assert.equal(
        follower.state.get("renewed")?.value,
        1,
        "the watch reported the expiry of an entry that was renewed",
      );
      await follower.catchesUp(t, channel);
    },
  },
  {
    id: "WCH-008",
    law: "While an entry is renewed in time, a watch reports the renewals and no expiry.",
    needs: ["watch", "ttl"],
    async run(t) {
      const channel = await t.channel();
      const follower = await Follower.start(t, channel);
      const ttl = 5_000;
      for (let i = 0; i < 6; i++) {
        const sent = t.clock.monotonic();
        await channel.set("k", i, { ttl });
        await t.elapse(t.store.advance === undefined ? 20 : ttl / 2);
        // The machine stalled for longer than `ttl`, so the entry expired: this proves nothing about the
        // store.
        if (t.store.advance === undefined && t.clock.monotonic() - sent > ttl) return;
      }
      await t.until("the watch reports the last renewal", () => follower.state.get("k")?.value === 5);
      assert.deepEqual(follower.log, ["synced", ...[0, 1, 2, 3, 4, 5].map((i) => `put k ${i}`)]);
    },
  },
];

/**
 * Whether the watch reported the entry as expired, or never reported it: on a slow machine it expired before
 * the watch saw it.
 */
function expired({ log, state }: Follower, key: string): boolean {
  return log.includes(`expired ${key}`) || log.includes(`delete ${key}`) || !state.has(key);
}
