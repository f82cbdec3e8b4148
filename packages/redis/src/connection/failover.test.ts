import { isChannelError } from "@ojm/core/backend";
import { commandOnce, startRedis, startRedisCluster, startSentinel, until, whyMissing } from "@ojm/testing/redis";
import { Cluster } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { applied, faultOf, get, keysOf, open, put, watch, watchKey } from "../testing/stores.js";

const missing = whyMissing("redis-server");
if (missing !== undefined) console.warn(`skipped, Sentinel and Cluster: ${missing}`);

describe.skipIf(missing !== undefined)("failover by Sentinel", () => {
  it("a backend finds the new master by Sentinel when the old one dies, and its watches report a gap", async () => {
    const setup = await startSentinel();
    onTestFinished(() => setup.stop());
    const { sentinels, name } = setup;
    const store = await open({ sentinels, name, deadline: 5_000 });
    // Regardless of the disks, the replica may lack an acknowledged write.
    expect(store.supports).toMatchObject({ durability: "none", commitAcrossChannels: true });
    const notes = await watch(store, "jobs");
    const key = 'jobs "a ';
    const version = await put(store, key, "1");
    const old = await setup.master();
    await old.kill();
    await until(async () => (await setup.master()) !== old, "there is a new master");
    // A write that WAIT confirmed has survived the failover.
    await until(async () => (await store.read([key]).catch(() => [])).length === 1, "the new master answers");
    expect(await get(store, key)).toEqual({ key, value: "1", version });
    await until(() => notes.gaps > 0, "the watch listens to the new master");

    // No remaining replica could have it.
    const next = { checks: [{ key, version }], writes: [{ key, value: "2" }] };
    const fault = await faultOf(store.commit(next));
    expect(fault).toMatchObject({ code: "UNAVAILABLE", retryable: true, outcome: "not-applied" });
    expect(await get(store, key)).toEqual({ key, value: "1", version });
    const master = await setup.master();
    const another = await startRedis({ args: ["--replicaof", "127.0.0.1", String(master.port)] });
    onTestFinished(() => another.stop());
    const commit = (): Promise<boolean> =>
      store.commit(next).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(commit, "another replica is there");
    const entry = await get(store, key);
    expect(Number(entry?.version)).toBeGreaterThan(Number(version));
    await until(() => notes.changes.some(({ value }) => value === "2"), "the watch reports the change");
  });
});

describe.skipIf(missing !== undefined)("a master that is none any more", () => {
  it("a backend leaves it for the one that the Sentinels name, and so do its watches", async () => {
    const setup = await startSentinel();
    onTestFinished(() => setup.stop());
    const { sentinels, name } = setup;
    const store = await open({ sentinels, name, deadline: 1_000 });
    const notes = await watch(store, "jobs");
    const key = 'jobs "a ';
    await put(store, key, "1");
    // The state of a master that comes back: its replica is the master now, and it has not learned that yet.
    const old = await setup.master();
    const next = setup.servers.find((server) => server !== old);
    const another = await startRedis({ args: ["--replicaof", "127.0.0.1", String(next?.port)] });
    onTestFinished(() => another.stop());
    for (const { port } of sentinels) await commandOnce({ port, host: "127.0.0.1" }, "SENTINEL", ["REMOVE", name]);
    await next?.command("REPLICAOF", "NO", "ONE");
    await until(async () => String(await next?.command("INFO", "replication")).includes("state=online"), "in step");
    for (const { port } of sentinels) {
      const monitor = ["MONITOR", name, "127.0.0.1", String(next?.port), "2"];
      await commandOnce({ port, host: "127.0.0.1" }, "SENTINEL", monitor);
    }
    const alone = async (): Promise<boolean> =>
      /role:master\r\nconnected_slaves:0/.test(String(await old.command("INFO", "replication")));
    await until(alone, "the old master has no replica");

    let version: string | undefined;
    await until(async () => {
      version = await put(store, key, "2").catch(() => undefined);
      return version !== undefined;
    }, "the backend writes to the new master");
    const written = await open({ url: next?.url });
    expect(await get(written, key)).toMatchObject({ value: "2", version });
    await until(() => notes.gaps > 0, "the watch listens to the new master");
    await put(store, key, "3");
    await until(() => notes.changes.at(-1)?.value === "3", "the watch reports the change");
  });
});

describe.skipIf(missing !== undefined)("a Redis Cluster", () => {
  it("a Cluster refuses a commit across channels, unless a hash tag keeps the channels in one slot", async () => {
    const setup = await startRedisCluster();
    onTestFinished(() => setup.stop());
    const cluster = { nodes: setup.nodes };
    const store = await open({ cluster });
    expect(store.supports.commitAcrossChannels).toBe(false);
    const commit = {
      checks: [{ key: 'locks "a ', version: null }],
      writes: [{ key: 'jobs "a ', value: "1" }],
    };
    expect(await faultOf(store.commit(commit))).toMatchObject({ code: "NOT_SUPPORTED", outcome: "not-applied" });
    expect(await get(store, 'jobs "a ')).toBeUndefined();

    const tagged = await open({ cluster, keyPrefix: "{shop}:" });
    expect(tagged.supports.commitAcrossChannels).toBe(true);
    const version = await applied(tagged, commit);
    expect(await tagged.read(['jobs "a ', 'locks "a '])).toEqual([{ key: 'jobs "a ', value: "1", version }, undefined]);

    // Channels on all nodes can be read in one call.
    const keys = Array.from({ length: 20 }, (_, i) => `channel-${i} "a `);
    for (const key of keys) await put(store, key, key);
    expect((await store.read(keys)).map((entry) => entry?.value)).toEqual(keys);
  });

  it("a user with no more rights than the page of Redis names can use a Cluster", async () => {
    const setup = await startRedisCluster();
    onTestFinished(() => setup.stop());
    const rights =
      "on >pw ~ojm:* &ojm:* -@all +@connection +info +eval +evalsha +time +get +getrange +set +del +exists +zadd +zrem +zrange " +
      "+zrandmember +cluster|slots +cluster|info +cluster|keyslot +spublish +ssubscribe +sunsubscribe";
    for (const server of setup.servers) await server.command("ACL", "SETUSER", "ojm", ...rights.split(" "));
    const store = await open({ cluster: { nodes: setup.nodes }, username: "ojm", password: "pw" });
    const [notes, one] = [await watch(store, "jobs"), await watchKey(store, 'jobs "a ')];
    await put(store, 'jobs "a ', "1", 60_000);
    expect(await keysOf(store, "jobs")).toEqual(['jobs "a ']);
    await until(() => notes.changes.length === 1 && one.changes.length === 1, "the watch reports the change");
    const denied = open({ cluster: { nodes: setup.nodes }, username: "ojm", password: "wr0ng", deadline: 60_000 });
    expect(await faultOf(denied)).toMatchObject({ code: "DENIED", retryable: false });
  });

  it("a Cluster is opened while the node that has the mark of the layout is away, and the mark is checked later", async () => {
    const setup = await startRedisCluster({ args: ["--cluster-require-full-coverage", "no"] });
    onTestFinished(() => setup.stop());
    const [some] = setup.servers;
    const slot = Number(await some?.command("CLUSTER", "KEYSLOT", "ojm:layout"));
    const node = [5_461, 10_923, 16_384].findIndex((end) => slot < end);
    const owner = setup.servers[node];
    if (owner === undefined) throw new Error(`no node has slot ${slot}`);
    const others = setup.nodes.filter(({ port }) => port !== owner.port);
    await owner.kill();
    // Repeated, because ioredis chooses the node that each open asks about itself: sometimes the dead one.
    for (let i = 0; i < 7; i++) await open({ cluster: { nodes: others }, deadline: 20_000 });
    const store = await open({ cluster: { nodes: others }, deadline: 3_000 });

    await owner.start();
    const marked = (): Promise<boolean> => owner.command("SET", "ojm:layout", "2").then(Boolean, () => false);
    await until(marked, "the node accepts the mark of a newer layout");
    const refused = async (): Promise<boolean> => {
      const fault = await put(store, 'jobs "a ', "1").then(
        () => undefined,
        (error: unknown) => error,
      );
      return isChannelError(fault) && fault.message.includes("layout 2");
    };
    await until(refused, "a write has started the check");
  });

  it("entries and watches follow a slot that moves to another node of the Cluster", async () => {
    const setup = await startRedisCluster();
    onTestFinished(() => setup.stop());
    const client = new Cluster([...setup.nodes]);
    onTestFinished(() => client.disconnect());
    const store = await open({ client, deadline: 20_000 });
    const [notes, one] = [await watch(store, "jobs"), await watchKey(store, 'jobs "10 ')];
    const keys = Array.from({ length: 30 }, (_, i) => `jobs "${10 + i} `);
    for (const key of keys) await put(store, key, "1");
    await until(() => notes.changes.length === keys.length, "the watches report everything");

    const [slot, from, to] = await moveTarget(setup, "ojm:{jobs}");
    await to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", String(await from.command("CLUSTER", "MYID")));
    await from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", String(await to.command("CLUSTER", "MYID")));
    const moving = (await from.command("CLUSTER", "GETKEYSINSLOT", slot, "1000")) as string[];
    const half = moving.filter((name) => name !== "ojm:{jobs}").slice(0, 15);
    for (const name of half) await from.command("MIGRATE", "127.0.0.1", String(to.port), name, "0", "5000");
    // During a migration, an entry on the other node is not absent, and its key stays in the set.
    for (const key of keys) expect((await get(store, key))?.value).toBe("1");
    const range = { from: "jobs ", to: "jobs!", reverse: false, limit: 100, values: false };
    expect(await faultOf(store.scan(range))).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    const left = (await from.command("CLUSTER", "GETKEYSINSLOT", slot, "1000")) as string[];
    for (const name of left) await from.command("MIGRATE", "127.0.0.1", String(to.port), name, "0", "5000");
    const id = String(await to.command("CLUSTER", "MYID"));
    await to.command("CLUSTER", "SETSLOT", slot, "NODE", id);
    await from.command("CLUSTER", "SETSLOT", slot, "NODE", id);

    expect(await keysOf(store, "jobs")).toEqual(keys);
    await until(() => notes.gaps > 0 && one.gaps > 0, "the watches listen to the other node");
    await put(store, 'jobs "10 ', "2");
    await until(
      () => [notes, one].every(({ changes }) => changes.at(-1)?.value === "2"),
      "the watch reports the change",
    );
  });

  it("reads, writes and watches continue when a node of the Cluster that died comes back", async () => {
    const setup = await startRedisCluster();
    onTestFinished(() => setup.stop());
    const store = await open({ cluster: { nodes: setup.nodes }, deadline: 5_000 });
    const notes = await watch(store, "jobs");
    const key = 'jobs "a ';
    const version = await put(store, key, "1");
    const [, owner] = await moveTarget(setup, "ojm:{jobs}");
    await owner.kill();
    expect(await faultOf(put(store, key, "2"))).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(await faultOf(store.read([key]))).toMatchObject({ retryable: true });
    await owner.start();
    await until(async () => (await store.read([key]).catch(() => [])).length === 1, "it answers again");
    // It came back without data.
    let next: string | undefined;
    await until(async () => {
      next = await put(store, key, "3").catch(() => undefined);
      return next !== undefined;
    }, "it can be written to again");
    expect(Number(next)).toBeGreaterThan(Number(version));
    await until(() => notes.gaps > 0, "the watch listens again");
  });
});

type Setup = Awaited<ReturnType<typeof startRedisCluster>>;
type Server = Setup["servers"][number];

/** The slot of a name, the server that has it and one that has not. */
async function moveTarget(setup: Setup, name: string): Promise<[slot: string, from: Server, to: Server]> {
  const slot = String(await setup.servers[0]?.command("CLUSTER", "KEYSLOT", name));
  const has = await Promise.all(
    setup.servers.map((server) =>
      server.command("EXISTS", name).then(
        () => true,
        () => false,
      ),
    ),
  );
  const from = setup.servers[has.indexOf(true)];
  const to = setup.servers[has.indexOf(false)];
  if (from === undefined || to === undefined) throw new Error(`no server has slot ${slot}`);
  return [slot, from, to];
}
