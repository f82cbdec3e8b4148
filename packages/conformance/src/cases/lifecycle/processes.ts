import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { settle } from "../../support/assert.js";
import { countTogether } from "../../support/increment.js";
import { rawKey, readOne, write } from "../../support/raw.js";
import { Follower } from "../watch/follower.js";

/** Clients in processes of their own. */
export const processes: readonly Case[] = [
  {
    id: "LIF-020",
    law: "A store that declares several processes can be opened by a second process while the first has it open.",
    needs: ["remote", "severalProcesses"],
    async run(t) {
      const here = await t.main();
      const key = rawKey(t.name, "k");
      await write(here, { key, value: "1" });
      assert.equal((await readOne(await t.remote(), key))?.value, "1");
    },
  },
  {
    id: "LIF-021",
    law: "Once a write is acknowledged in one process, every other process reads it, and their watches report it.",
    scales: true,
    needs: ["remote", "severalProcesses", "watch"],
    async run(t) {
      const here = await t.main();
      const there = await t.remote();
      const follower = await Follower.start(t, await t.channel());
      const channel = await t.channel({ by: there });
      for (let i = 0; i < t.scale(10, 50, 500); i++) {
        const key = rawKey(t.name, "k");
        const version = await write(there, { key, value: String(i) });
        assert.deepEqual(await readOne(here, key), { key, value: String(i), version });
        const again = await write(here, { key, value: String(-i) });
        assert.deepEqual(await readOne(there, key), { key, value: String(-i), version: again });
      }
      await channel.unset(["k"]);
      await channel.set("end", 1);
      await follower.catchesUp(t, channel);
    },
  },
  {
    id: "LIF-022",
    law: "Of increments by several processes, none is lost.",
    scales: true,
    needs: ["remote", "severalProcesses"],
    async run(t) {
      const clients = [await t.main(), await t.remote(), await t.remote()];
      const channels = await Promise.all(clients.map((by) => t.channel({ by })));
      await countTogether(t, channels, t.scale(20, 60, 1_000));
    },
  },
  {
    id: "LIF-023",
    law: "If a process is killed during its commits, each of them is applied whole or not at all.",
    scales: true,
    needs: ["remote", "severalProcesses"],
    async run(t) {
      const here = await t.main();
      for (let round = 0; round < t.scale(1, 4, 40); round++) {
        const doomed = await t.remote();
        const keys = ["a", "b", "c"].map((part) => rawKey(t.name, part));
        const acknowledged: string[] = [];
        const work = settle(
          (async () => {
            for (let i = 0; ; i++) {
              acknowledged.push(await write(doomed, ...keys.map((key) => ({ key, value: String(i) }))));
            }
          })(),
        );
        await t.until("the process writes", () => acknowledged.length >= 3 + t.random.int(20));
        await doomed.kill();
        await work;
        const found = await here.read(keys);
        assert.equal(new Set(found.map((entry) => entry?.version)).size, 1, "half of a commit was applied");
        const last = BigInt(acknowledged.at(-1) ?? 0);
        assert.ok(BigInt(found[0]?.version ?? 0) >= last, "an acknowledged commit is gone");
        await write(here, ...keys.map((key) => ({ key, value: '"free"' })));
      }
    },
  },
  {
    id: "LIF-024",
    law: "A process that read, wrote and watched, and then closed its client, ends by itself.",
    needs: ["remote"],
    async run(t) {
      if (t.supports.shared === "process") await t.closeClient(await t.main());
      const there = await t.remote();
      const channel = await t.channel({ by: there });
      if (t.supports.watch) {
        const follower = await Follower.start(t, channel);
        await channel.set("k", 1);
        await t.until("the watch reports the write", () => follower.state.has("k"));
        await follower.stop();
      }
      assert.equal(await there.closeAndExit(), 0, "the process ended with an error");
    },
  },
  {
    id: "LIF-025",
    law: "An open client and its watches do not keep a process alive.",
    needs: ["remote", "watch"],
    async run(t) {
      if (t.supports.shared === "process") await t.closeClient(await t.main());
      const there = await t.remote();
      const key = rawKey(t.name, "k");
      let reported = false;
      // The range of one key, as core watches a lock that it holds.
      await there.watch(
        { from: key, to: `${key}\0` },
        {
          change: () => {
            reported = true;
          },
          gap: () => undefined,
          fail: () => undefined,
        },
      );
      await write(there, { key, value: "1" });
      await t.until("the watch reports the write", () => reported);
      assert.equal(await there.leaveAndExit(), 0, "the process did not end by itself");
    },
  },
];
