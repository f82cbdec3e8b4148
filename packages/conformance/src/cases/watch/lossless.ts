import assert from "node:assert/strict";
import type { Channel } from "@ojm/core";
import { justAfter, type KeyRange } from "@ojm/core/backend";
import type { Case } from "../../case/case.js";
import type { CaseContext } from "../../case/context.js";
import { listener, padded, rawKey, rawRange, write } from "../../support/raw.js";
import { within } from "../../support/within.js";
import { Follower } from "./follower.js";

/** A watch loses no change, repeats none, and keeps their order. */
export const lossless: readonly Case[] = [
  {
    id: "WCH-020",
    law: "A watch that begins while other clients write misses none of their writes.",
    scales: true,
    needs: ["watch"],
    async run(t) {
      const [channel, ...writers] = await t.channels(3);
      if (channel === undefined) return;
      for (let round = 0; round < t.scale(2, 6, 60); round++) {
        const work = Promise.all(writers.map((writer, n) => churn(t, writer, n, t.scale(60, 150, 500))));
        const followers = await Promise.all([1, 2, 3].map(() => Follower.start(t, channel)));
        await work;
        for (const follower of followers) {
          await follower.catchesUp(t, channel);
          await follower.stop();
        }
      }
    },
  },
  {
    id: "WCH-021",
    law: "Each watch reports every write to a key once, in version order, whichever client wrote it.",
    scales: true,
    needs: ["watch"],
    async run(t) {
      const [channel, ...writers] = await t.channels(4);
      if (channel === undefined) return;
      const follower = await Follower.start(t, channel);
      const count = t.scale(40, 150, 1_000);
      const written = await Promise.all(
        writers.map(async (writer, w) => {
          const versions: string[] = [];
          for (let i = 0; i < count; i++) versions.push(await writer.set("k", [w, i]));
          return versions;
        }),
      );
      await t.until(
        "the watch reports everything",
        () => follower.events.length > count * writers.length || follower.gaps > 0,
      );
      assert.equal(follower.error, undefined);
      const reported = follower.events.flatMap((event) => (event.type === "put" ? [event.entry.version] : []));
      // A slow watch may have a gap, but then it must report it.
      if (follower.gaps === 0) assert.deepEqual(reported, written.flat().sort(byVersion));
      await follower.catchesUp(t, channel);
    },
  },
  {
    id: "WCH-022",
    law: "A watch reports a write that comes right after it was set up, every time.",
    scales: true,
    needs: ["watch"],
    async run(t) {
      const [backend, writer] = await t.clients(2);
      if (backend === undefined || writer === undefined) return;
      for (let i = 0; i < t.scale(20, 100, 1_000); i++) {
        const heard = listener();
        const stop = await backend.watch(rawRange(t.name), heard);
        const key = rawKey(t.name, padded(i));
        const version = await write(i % 2 === 0 ? writer : backend, { key, value: String(i) });
        await t.until("the watch reports the write", () => heard.changes.length > 0 || heard.gaps > 0);
        stop();
        const change = heard.changes.find((it) => it.key === key);
        if (heard.gaps === 0) assert.deepEqual([change?.value, change?.version], [String(i), version]);
      }
    },
  },
  {
    id: "WCH-023",
    law: "The sink of a backend receives changes of its range only: its first key, not its last, and no neighbour.",
    needs: ["watch"],
    async run(t) {
      const backend = await t.main();
      const keys = ["a", "b", "c", "d"].map((part) => rawKey(t.name, part));
      const [, from = "", , to = ""] = keys;
      const heard = listener();
      const stop = await backend.watch({ from, to }, heard);
      for (const key of keys) await write(backend, { key, value: "1" });
      await write(backend, { key: rawKey(t.freshName(), "b"), value: "1" });
      await write(backend, { key: from, value: null });
      await t.until("the watch reports the last change", () => heard.changes.some(({ value }) => value === null));
      stop();
      assert.deepEqual(
        heard.changes.map(({ key, value }) => [key, value]),
        [
          [keys[1], "1"],
          [keys[2], "1"],
          [keys[1], null],
        ],
      );
    },
  },
  {
    id: "WCH-024",
    law: "A reader that is too slow receives a gap and a new snapshot, and its state is right in the end.",
    needs: ["watch"],
    profile: "full",
    async run(t) {
      const [channel, writer] = await t.channels(2);
      if (channel === undefined || writer === undefined) return;
      await writer.set("gone", 0);
      const stop = new AbortController();
      t.later(() => stop.abort());
      const events = channel.watch({ signal: stop.signal });
      for (let event = await events.next(); ; event = await events.next()) {
        if (event.done === true || event.value.type === "synced") break;
      }
      // Take no event while we write more than any bounded queue holds.
      const most = Math.min(500, t.supports.maxOps);
      for (let n = 0; n < 12_000; n += most) {
        await writer.commit(Array.from({ length: most }, (_, i) => ({ put: (n + i) % 1_000, value: n })));
      }
      await writer.unset("gone");
      await writer.set("end", 1);
      const there = new Map<string, string>();
      for await (const { key, version } of channel.keys()) there.set(String(key), version);
      const reported = new Map([["gone", ""]]);
      const reading = (async () => {
        for (let synced = true; !(synced && sameVersions(reported, there)); ) {
          const { value: event, done } = await events.next();
          assert.ok(done !== true, "the watch ended");
          if (event.type === "put") reported.set(String(event.entry.key), event.entry.version);
          else if (event.type === "delete") reported.delete(String(event.key));
          else if (event.type === "gap") reported.clear();
          if (event.type === "synced" || event.type === "gap") synced = event.type === "synced";
        }
      })();
      await within(t.patience, reading, "the watch never reported everything that is there");
    },
  },
  {
    id: "WCH-025",
    law: "Two watches of one channel report the same changes, and ending one does not end the other.",
    needs: ["watch"],
    async run(t) {
      const channel = await t.channel();
      const [one, two] = [await Follower.start(t, channel), await Follower.start(t, channel)];
      await channel.set("k", 1);
      await t.until("both watches report the write", () => one.state.has("k") && two.state.has("k"));
      await one.stop();
      await channel.set("k", 2);
      await t.until("the other watch reports the write", () => two.state.get("k")?.value === 2);
      assert.equal(one.state.get("k")?.value, 1);
    },
  },
  {
    id: "WCH-026",
    law: "A watch of a single key reports every change of that key and of no other, not even of keys that begin with it.",
    scales: true,
    needs: ["watch"],
    async run(t) {
      const [backend, writer] = await t.clients(2);
      if (backend === undefined || writer === undefined) return;
      const key = rawKey(t.name, "a");
      const longer = [rawKey(t.name, "a", ""), rawKey(t.name, "a", "b")];
      const neighbours = [
        ...longer,
        rawKey(t.name),
        rawKey(t.name, "aa"),
        rawKey(t.name, "A"),
        rawKey(t.freshName(), "a"),
      ];
      const heard = listener();
      // Other watches of the same key, one stopped early: none of them may take a change from this watch.
      const stops = [await backend.watch(only(key), listener()), await backend.watch(only(key), listener())];
      stops.pop()?.();
      const stop = await backend.watch(only(key), heard);
      for (const each of stops) each();
      const reported: [value: string | null, version: string][] = [];
      for (let i = 0; i < t.scale(10, 30, 300); i++) {
        const value = i % 3 === 2 ? null : String(i);
        for (const neighbour of neighbours) await write(backend, { key: neighbour, value });
        reported.push([value, await write(i % 2 === 0 ? writer : backend, { key, value })]);
      }
      const together = [...longer, key].map((each) => ({ key: each, value: "end" }));
      reported.push(["end", await write(writer, ...together)]);
      await t.until(
        "the watch reports the last change",
        () => heard.gaps > 0 || heard.changes.length >= reported.length,
      );
      stop();
      assert.deepEqual(
        heard.changes.filter((change) => change.key !== key),
        [],
      );
      if (heard.gaps > 0) return;
      assert.deepEqual(
        heard.changes.map(({ value, version }) => [value, version]),
        reported,
      );
    },
  },
];

/** The range of this key alone. */
function only(key: string): KeyRange {
  return { from: key, to: justAfter(key) };
}

/** Writes and deletes keys: some that only this writer uses, and some that all writers use. */
async function churn(t: CaseContext, channel: Channel, writer: number, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    const key = t.random.chance(50) ? `shared ${t.random.int(5)}` : `${writer} ${t.random.int(10)}`;
    if (t.random.chance(30)) await channel.unset(key);
    else await channel.set(key, i);
  }
}

function sameVersions(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, version]) => b.get(key) === version);
}

function byVersion(a: string, b: string): number {
  return BigInt(a) < BigInt(b) ? -1 : 1;
}
