import { type JobManagerOptions, openJobManager, type Run } from "@ojm/core";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { openEtcd, put } from "../packages/etcd/src/testing/backends.js";

/* Entries of ours that another program overwrites with the tools of the store. */

const LOCKS = "oJobManager-locks";
const DEADLINE = 30_000;

interface Server {
  readonly channel: NonNullable<JobManagerOptions["chLocks"]>;
  /** `key` as it is encoded in the channel of the locks. */
  overwrite(key: string, text: string): Promise<unknown>;
}

const servers: readonly { readonly name: string; readonly missing: string | undefined; start(): Promise<Server> }[] = [
  {
    name: "redis",
    missing: whyMissing("redis-server"),
    async start() {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      return {
        channel: { type: "redis", args: { url: server.url, deadline: DEADLINE } },
        overwrite: (key, text) => server.command("SET", `ojm:{${LOCKS}}:${key}`, text),
      };
    },
  },
  {
    name: "etcd",
    missing: etcdMissing(),
    async start() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      const args = { hosts: server.host, deadline: DEADLINE };
      const raw = await openEtcd(args);
      return {
        channel: { type: "etcd", args },
        overwrite: (key, text) => put(raw, `${LOCKS} ${key}`, text),
      };
    },
  },
];

async function isTold(run: Run): Promise<void> {
  await expect.poll(() => run.signal.reason).toMatchObject({ code: "LOST" });
}

describe.each(servers)("entries that another program overwrites on $name", ({ missing, start }) => {
  it.skipIf(missing !== undefined)(
    `a holder is signalled that its lock or its session was overwritten, and no other holder is harmed${missing ? `: ${missing}` : ""}`,
    async () => {
      const { channel, overwrite } = await start();
      const options = { chJobs: channel, chLocks: channel, ttl: 9_000 };
      await using one = await openJobManager(options);
      const [robbed, kept] = [await one.start("robbed"), await one.start("kept")];
      await overwrite('["lock "robbed ', "no JSON");
      await isTold(robbed);
      kept.assertHeld();

      await using two = await openJobManager(options);
      await expect(two.run("robbed", () => "no")).rejects.toMatchObject({ code: "CORRUPT" });
      await expect(two.start("kept", { wait: 0 })).rejects.toMatchObject({ code: "LOCKED" });

      await using three = await openJobManager(options);
      const alone = await three.start("alone");
      expect((await two.heldLocks()).map(({ name }) => name)).toEqual(["alone", "kept"]);
      await expect(two.start("robbed", { wait: 0 })).rejects.toMatchObject({ code: "CORRUPT" });
      // Once it is known that the lock is free.
      await two.channels.locks.unset(["lock", "robbed"]);
      expect((await two.run("robbed", () => "next")).result).toBe("next");

      const { instance } = (await two.heldLocks())[0]?.holder ?? {};
      await overwrite(`["session "${instance} `, "no JSON");
      await isTold(alone);
      expect((await two.run("alone", () => "next", { wait: 60_000 })).result).toBe("next");

      kept.assertHeld();
      await kept.end();
    },
  );
});
