import assert from "node:assert/strict";
import type { Channel } from "@ojm/core";
import type { CaseGroup } from "../../case/case.js";
import { rejectsWith } from "../../support/assert.js";
import { listener, rawKey, rawRange, readOne, write } from "../../support/raw.js";
import { within } from "../../support/within.js";
import { Follower } from "../watch/follower.js";
import { processes } from "./processes.js";

const CALLS: Readonly<Record<string, (channel: Channel) => Promise<unknown>>> = {
  get: (channel) => channel.get("k"),
  entry: (channel) => channel.entry("k"),
  set: (channel) => channel.set("k", 1),
  unset: (channel) => channel.unset("k"),
  compareAndSet: (channel) => channel.compareAndSet("k", null, 1),
  commit: (channel) => channel.commit([{ put: "k", value: 1 }]),
  getAll: (channel) => channel.getAll(),
  getKeys: (channel) => channel.getKeys(),
  size: (channel) => channel.size(),
  shift: (channel) => channel.shift(),
  watch: (channel) => channel.watch().next(),
};

/** Opening and closing. */
export const lifecycle: CaseGroup = {
  prefix: "LIF",
  title: "lifecycle",
  cases: [
    {
      id: "LIF-001",
      law: "Closing a channel again does nothing, and so does closing it while it is being closed.",
      async run(t) {
        const channel = await t.channel();
        await Promise.all([channel.close(), channel.close()]);
        await channel.close();
        await channel[Symbol.asyncDispose]();
        assert.equal(channel.closed, true);
      },
    },
    {
      id: "LIF-002",
      law: "Every call to a closed channel rejects with CLOSED.",
      async run(t) {
        const channel = await t.channel();
        await channel.close();
        for (const [name, call] of Object.entries(CALLS)) {
          const error = await rejectsWith(() => call(channel), "CLOSED").catch((thrown: Error) => {
            throw new Error(`${name}: ${thrown.message}`);
          });
          assert.equal(error.outcome, "not-applied");
        }
        assert.equal(await (await t.channel()).size(), 0);
      },
    },
    {
      id: "LIF-003",
      law: "Closing a channel ends its scans with CLOSED and its watches without an error.",
      needs: ["watch"],
      async run(t) {
        const channel = await t.channel();
        for (const n of [1, 2, 3]) await channel.set(n, n);
        const follower = await Follower.start(t, channel);
        const scan = channel.entries();
        await scan.next();
        await channel.close();
        await rejectsWith(() => scan.next(), "CLOSED");
        await t.until("the watch ended", () => follower.ended);
        assert.equal(follower.error, undefined);
      },
    },
    {
      id: "LIF-004",
      law: "Closing one client leaves the others, what they watch, and what is stored.",
      async run(t) {
        const [one, two] = await t.clients(2);
        if (one === undefined || two === undefined) return;
        const key = rawKey(t.name, "k");
        const version = await write(one, { key, value: "1" });
        const heard = listener();
        if (t.supports.watch) await two.watch(rawRange(t.name), heard);
        await t.closeClient(one);
        assert.deepEqual(await readOne(two, key), { key, value: "1", version });
        await write(two, { key, value: "2" });
        if (t.supports.watch) await t.until("the other client got the change", () => heard.changes.length > 0);
      },
    },
    {
      id: "LIF-005",
      law: "Calls that are under way when their client is closed end, one way or the other.",
      scales: true,
      async run(t) {
        for (let i = 0; i < t.scale(2, 10, 100); i++) {
          const client = await t.client();
          const key = rawKey(t.name, "k");
          const calls = [
            client.read([key]),
            client.commit({ checks: [], writes: [{ key, value: "1" }] }),
            client.scan({ ...rawRange(t.name), reverse: false, limit: 10, values: true }),
          ];
          const ends = Promise.allSettled(calls);
          await t.closeClient(client);
          await within(t.deadline + 5_000, ends, "a call never ended");
        }
      },
    },
    {
      id: "LIF-006",
      law: "What was written is there for a client that is opened when all others are closed.",
      async run(t) {
        const keeper = t.supports.durability === "none" ? await t.client() : undefined;
        const first = await t.client();
        const key = rawKey(t.name, "k");
        const version = await write(first, { key, value: "1" });
        await t.closeClient(first);
        await t.closeClient(await t.main());
        const second = await t.client();
        assert.deepEqual(await readOne(second, key), { key, value: "1", version });
        const later = await write(second, { key, value: "2" });
        assert.ok(BigInt(later) > BigInt(version), "versions went back");
        assert.equal((await readOne(keeper ?? second, key))?.version, later);
      },
    },
    {
      id: "LIF-007",
      law: "Opening and closing clients again and again leaves no timers, sockets or files behind.",
      profile: "full",
      async run(t) {
        const cycle = async (): Promise<void> => {
          const client = await t.client();
          const stop = t.supports.watch ? await client.watch(rawRange(t.name), listener()) : undefined;
          await write(client, { key: rawKey(t.name, "k"), value: "1" });
          stop?.();
          await t.closeClient(client);
        };
        for (let i = 0; i < 3; i++) await cycle();
        const before = process.getActiveResourcesInfo().length;
        for (let i = 0; i < 15; i++) await cycle();
        // Closing may take a moment, and other code in this process may have opened something: wait, and
        // allow a few more.
        await t.until("no more is open than before", () => process.getActiveResourcesInfo().length < before + 12);
      },
    },
    ...processes,
  ],
};
