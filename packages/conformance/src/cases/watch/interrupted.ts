import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { type CaseContext, sleep } from "../../case/context.js";
import { settle } from "../../support/assert.js";
import { listener, rawKey, rawRange, write } from "../../support/raw.js";
import { Follower } from "./follower.js";

/** Watches that end, and watches that must continue. */
export const interrupted: readonly Case[] = [
  {
    id: "WCH-040",
    law: "A watch ends without an error when its signal fires, when its loop is left, and when its channel is closed.",
    needs: ["watch"],
    async run(t) {
      const channel = await t.channel();
      await channel.set("k", 1);
      for await (const event of channel.watch()) if (event.type === "synced") break;
      const follower = await Follower.start(t, channel);
      await follower.stop();
      assert.equal(follower.error, undefined);
      const other = await Follower.start(t, channel);
      await channel.close();
      await t.until("the watch ended", () => other.ended);
      assert.equal(other.error, undefined);
    },
  },
  {
    id: "WCH-041",
    law: "After a watch was stopped, or its client closed, its sink gets nothing more.",
    needs: ["watch"],
    async run(t) {
      const [watcher, writer] = await t.clients(2);
      if (watcher === undefined || writer === undefined) return;
      const [stopped, closed] = [listener(), listener()];
      const stop = await watcher.watch(rawRange(t.name), stopped);
      await watcher.watch(rawRange(t.name), closed);
      await write(writer, { key: rawKey(t.name, "a"), value: "1" });
      await t.until("both got the change", () => stopped.changes.length > 0 && closed.changes.length > 0);
      stop();
      await write(writer, { key: rawKey(t.name, "b"), value: "1" });
      await t.until("the other got the change", () => closed.changes.length > 1);
      await t.closeClient(watcher);
      await write(writer, { key: rawKey(t.name, "c"), value: "1" });
      await sleep(100);
      assert.equal(stopped.changes.length, 1, "a watch that was stopped goes on");
      assert.equal(closed.changes.length, 2, "a watch goes on after its client was closed");
      assert.deepEqual([...stopped.failures, ...closed.failures], [], "ending a watch is no failure of it");
    },
  },
  {
    id: "WCH-042",
    law: "When the store is restarted, a watch continues by itself: with a gap, or with all changes.",
    needs: ["watch", "restart"],
    losesData: true,
    async run(t) {
      const [channel, writer] = await t.channels(2);
      if (channel === undefined || writer === undefined) return;
      await writer.set("before", 1);
      const follower = await Follower.start(t, channel);
      await t.store.faults?.restart?.();
      await retry(t, () => writer.set("after", 1));
      await follower.catchesUp(t, writer);
      await writer.set("later", 1);
      await follower.catchesUp(t, writer);
    },
  },
  {
    id: "WCH-043",
    law: "When the connection is back after a while, a watch continues by itself.",
    needs: ["watch", "partition"],
    async run(t) {
      const [channel, writer] = await t.channels(2);
      if (channel === undefined || writer === undefined) return;
      await writer.set("before", 1);
      const follower = await Follower.start(t, channel);
      const heal = await t.store.faults?.partition?.();
      await settle(writer.set("during", 1));
      await heal?.();
      await retry(t, () => writer.set("after", 1));
      await follower.catchesUp(t, writer);
    },
  },
  {
    id: "WCH-044",
    law: "Writes and deletes of other clients while the connection is lost are reported afterwards, or there is a gap.",
    needs: ["watch", "partition", "direct"],
    async run(t) {
      const channel = await t.channel();
      const others = await t.channel({ by: await t.direct() });
      await others.set("deleted", 1);
      await others.set("changed", 1);
      const follower = await Follower.start(t, channel);
      const heal = await t.store.faults?.partition?.();
      await others.unset("deleted");
      await others.set("changed", 2);
      await others.set("new", 1);
      await sleep(300);
      await heal?.();
      await follower.catchesUp(t, others);
      await others.set("later", 1);
      await follower.catchesUp(t, others);
    },
  },
];

/** Repeats `work` until the store is back. */
async function retry(t: CaseContext, work: () => Promise<unknown>): Promise<void> {
  await t.until("the store is back", async () => "value" in (await settle(work())), t.recovery);
}
