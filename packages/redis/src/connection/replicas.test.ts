import { openChannel, openLocks, registerBackend } from "@ojm/core";
import type { Backend } from "@ojm/core/backend";
import type { LocksValue } from "@ojm/core/internal";
import {
  type RedisServer,
  type RedisServerOptions,
  startRedis,
  startSentinel,
  until,
  whyMissing,
} from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { backend } from "../index.js";
import { applied, faultOf, get, open, put } from "../testing/stores.js";

const KEY = 'jobs "a ';
const missing = whyMissing("redis-server");
if (missing !== undefined) console.warn(`skipped, writes that wait for replicas: ${missing}`);

async function server(options: RedisServerOptions = {}): Promise<RedisServer> {
  const started = await startRedis(options);
  onTestFinished(() => started.stop());
  return started;
}

async function isConnected(master: RedisServer): Promise<boolean> {
  return String(await master.command("INFO", "replication")).includes("state=online");
}

/** A replica of `master`, in sync. */
async function replicaOf(master: RedisServer): Promise<RedisServer> {
  const replica = await server({ args: ["--replicaof", "127.0.0.1", String(master.port)] });
  await until(() => isConnected(master), "the replica is in sync");
  return replica;
}

const write = (store: Backend, version: string | null, value: string): ReturnType<Backend["commit"]> =>
  store.commit({ checks: [{ key: KEY, version }], writes: [{ key: KEY, value }] });

const unanswered = { code: "UNAVAILABLE", retryable: true };

describe.skipIf(missing !== undefined)("writes that wait for replicas", () => {
  it("a write is not applied while no replica is connected, and succeeds again once one is", async () => {
    const master = await server();
    const replica = await replicaOf(master);
    const store = await open({ url: master.url, waitReplicas: 1 });
    const version = await put(store, KEY, "1");
    await replica.kill();
    await until(async () => !(await isConnected(master)), "the master misses its replica");
    expect(await faultOf(write(store, version, "2"))).toMatchObject({ ...unanswered, outcome: "not-applied" });
    expect(await get(store, KEY)).toEqual({ key: KEY, value: "1", version });
    // It can be read, and a commit that only compares does not wait.
    expect((await store.commit({ checks: [{ key: KEY, version }], writes: [] })).ok).toBe(true);
    await replica.start();
    await until(() => isConnected(master), "the replica is back");
    await until(
      () =>
        write(store, version, "2").then(
          ({ ok }) => ok,
          () => false,
        ),
      "it takes writes",
    );
  });

  it("a write is applied, with an unknown outcome, while the replica is frozen", async () => {
    const master = await server();
    const replica = await replicaOf(master);
    const store = await open({ url: master.url, waitReplicas: 1, deadline: 4_000 });
    const version = await put(store, KEY, "1");
    replica.freeze();
    expect(await faultOf(write(store, version, "2"))).toMatchObject({ ...unanswered, outcome: "unknown" });
    expect((await get(store, KEY))?.value).toBe("2");
    replica.thaw();
    const seen = await get(store, KEY);
    await applied(store, {
      checks: [{ key: KEY, version: seen?.version ?? null }],
      writes: [{ key: KEY, value: "3" }],
    });
  });

  it("a failed check does not reveal a write as long as no replica has that write", async () => {
    const master = await server();
    const replica = await replicaOf(master);
    const store = await open({ url: master.url, waitReplicas: 1, deadline: 4_000 });
    const version = await put(store, KEY, "1");
    replica.freeze();
    expect(await faultOf(write(store, version, "2"))).toMatchObject({ outcome: "unknown" });
    expect(await faultOf(write(store, version, "3"))).toMatchObject({ ...unanswered, outcome: "not-applied" });
    // This also holds on a connection that has not written anything itself.
    const other = await open({ url: master.url, waitReplicas: 1, deadline: 4_000 });
    expect(await faultOf(write(other, version, "3"))).toMatchObject({ ...unanswered, outcome: "not-applied" });
    replica.thaw();
    expect(await write(other, version, "3")).toMatchObject({ ok: false, current: [{ value: "2" }] });
  });

  it("fifty concurrent writes wait together, and ask the replicas only once or twice", async () => {
    const master = await server();
    const replica = await replicaOf(master);
    const store = await open({ url: master.url, waitReplicas: 1, deadline: 6_000 });
    await put(store, KEY, "1");
    const asked = async (): Promise<number> => {
      const stats = String(await master.command("INFO", "commandstats"));
      return Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1]);
    };
    const before = await asked();
    replica.freeze();
    const commits = Array.from({ length: 50 }, (_, i) => put(store, `jobs "${i} `, "1"));
    const [first] = await Promise.all([
      Promise.allSettled(commits),
      until(async () => (await asked()) > before, "asked"),
    ]);
    for (const { status } of first) expect(status).toBe("rejected");
    expect((await asked()) - before).toBeLessThanOrEqual(2);
    replica.thaw();
    // The server answers in order, so all pending questions have been asked by then.
    await put(store, KEY, "2");
    expect((await asked()) - before).toBeLessThanOrEqual(4);
    await Promise.all(Array.from({ length: 50 }, (_, i) => put(store, `jobs "${i} `, "1")));
  });

  it("a user with the rights that the page of Redis names can make writes that wait for replicas", async () => {
    const master = await server();
    await replicaOf(master);
    const rights =
      "on >pw ~ojm:* &ojm:* -@all +@connection +info +eval +evalsha +time +get +getrange +set +del +exists +wait";
    const more = "+zadd +zrem +zrange +zrandmember +publish +subscribe +unsubscribe";
    await master.command("ACL", "SETUSER", "ojm", ...`${rights} ${more}`.split(" "));
    const store = await open({ url: master.url, username: "ojm", password: "pw", waitReplicas: 1 });
    const version = await put(store, KEY, "1");
    expect(await write(store, "17", "2")).toEqual({ ok: false, current: [{ key: KEY, value: "1", version }] });
  });

  it("a lease ends if its holder and the master are cut off together, as no renewal reaches a replica", async () => {
    const master = await server();
    const replica = await replicaOf(master);
    registerBackend(backend);
    const args = { url: master.url, waitReplicas: 1, deadline: 1_000 };
    const channel = await openChannel<LocksValue>("locks", { type: "redis", args });
    const locks = openLocks(channel, { ttl: 4_000 });
    onTestFinished(async () => {
      replica.thaw();
      await locks.close();
      await channel.close();
    });
    const lease = await locks.acquire("a");
    replica.freeze();
    await until(() => lease.signal.aborted, "the lease is over");
  });
});

describe.skipIf(missing !== undefined)("opening by Sentinel", () => {
  it("a backend opens by Sentinel only if writes need a replica, or with allowLostWrites", async () => {
    const setup = await startSentinel();
    onTestFinished(() => setup.stop());
    const { sentinels, name } = setup;
    const args = { sentinels, name, deadline: 20_000 };
    const fault = await faultOf(open({ ...args, waitReplicas: 0 }));
    expect(fault).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining("allowLostWrites") });
    const asked = async (): Promise<boolean> =>
      String(await (await setup.master()).command("INFO", "commandstats")).includes("cmdstat_wait");
    await put(await open({ ...args, waitReplicas: 0, allowLostWrites: true }), KEY, "1");
    const master = await setup.master();
    await master.command("CONFIG", "SET", "min-replicas-to-write", "1");
    await put(await open({ ...args, waitReplicas: 0 }), KEY, "2");
    expect(await asked()).toBe(false);
    await put(await open(args), KEY, "3");
    expect(await asked()).toBe(true);
  });

  it("opening by Sentinel waits for a replica of the master, and then fails with a message on what to do", async () => {
    const setup = await startSentinel();
    onTestFinished(() => setup.stop());
    const { sentinels, name } = setup;
    const master = await setup.master();
    const replica = setup.servers.find((each) => each !== master);
    await replica?.kill();
    await until(async () => !(await isConnected(master)), "the master misses its replica");
    const fault = await faultOf(open({ sentinels, name, deadline: 1_500 }));
    expect(fault).toMatchObject({ ...unanswered, outcome: "not-applied" });
    for (const word of ["0 connected replicas", "waitReplicas: 0", "allowLostWrites: true"]) {
      expect(fault["message"]).toContain(word);
    }
    const opening = open({ sentinels, name, deadline: 20_000 });
    await replica?.start();
    await put(await opening, KEY, "1");
  });
});
