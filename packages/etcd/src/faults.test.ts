import { randomUUID } from "node:crypto";
import { type Backend, isChannelError } from "@ojm/core/backend";
import { channel, Recorder } from "@ojm/testing/backends";
import { type EtcdServer, etcdMissing, startEtcd, startEtcdCluster } from "@ojm/testing/etcd";
import { afterEach, describe, expect, it, onTestFinished, test } from "vitest";
import { TcpProxy } from "../../conformance/src/proxy/tcp-proxy.js";
import { openEtcd, put, until } from "./testing/backends.js";

const missing = etcdMissing();
if (missing !== undefined) test.skip(`faults of etcd: ${missing}`, () => undefined);

const servers: EtcdServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** A proxy in front of a node, closed when the test ends. */
async function proxyOf({ host }: EtcdServer): Promise<TcpProxy> {
  const proxy = await TcpProxy.start({ port: Number(host.split(":")[1]) });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Puts until `stop`, and records which puts were acknowledged and which stayed unknown. */
function writeOn(etcd: Backend): {
  stop: () => Promise<void>;
  /** The put that is being made. */
  current: () => number;
  acknowledged: number[];
  unknown: number[];
  codes: Set<string>;
} {
  const account = { acknowledged: [] as number[], unknown: [] as number[], codes: new Set<string>() };
  let stopped = false;
  let i = 0;
  const running = (async () => {
    for (; !stopped; i++) {
      try {
        await put(etcd, `c ${i}`, String(i));
        account.acknowledged.push(i);
      } catch (error) {
        if (!isChannelError(error)) throw error;
        account.codes.add(error.code);
        if (error.outcome === "unknown") account.unknown.push(i);
      }
    }
  })();
  return {
    ...account,
    current: () => i,
    stop() {
      stopped = true;
      return running;
    },
  };
}

async function keysOf(etcd: Backend): Promise<Set<number>> {
  const found = new Set<number>();
  for (let { from, to } = channel("c"), more = true; more; ) {
    const page = await etcd.scan({ from, to, reverse: false, limit: 500, values: true });
    for (const { key, value } of page.entries) {
      found.add(Number(value));
      from = `${key}\0`;
    }
    more = page.more;
  }
  return found;
}

describe.skipIf(missing !== undefined)("one etcd node", () => {
  const open = async (args: Record<string, unknown> = {}): Promise<[EtcdServer, Backend]> => {
    const server = await startEtcd();
    servers.push(server);
    return [server, await openEtcd({ hosts: server.host, ...args })];
  };

  it("calls wait for a node that is away, for as long as the deadline", async () => {
    const [server, etcd] = await open();
    await put(etcd, "c a", "1");
    await server.kill();
    const [read] = await Promise.all([etcd.read(["c a"]), server.restart()]);
    expect(read[0]?.value).toBe("1");
    await put(etcd, "c a", "2");
  });

  it("a node that is away never makes an entry look absent", async () => {
    const [server, etcd] = await open({ deadline: 3_000 });
    const version = await put(etcd, "c a", "1");
    await server.kill();
    const away = { code: "UNAVAILABLE", retryable: true, outcome: "not-applied" };
    await expect(etcd.read(["c a"])).rejects.toMatchObject(away);
    await expect(etcd.scan({ ...channel("c"), reverse: true, limit: 1, values: true })).rejects.toMatchObject(away);
    await expect(put(etcd, "c a", "2")).rejects.toMatchObject(away);
    await expect(put(etcd, "c a", "2", 1_000)).rejects.toMatchObject(away);
    await expect(openEtcd({ hosts: server.host, deadline: 3_000 })).rejects.toMatchObject({
      ...away,
      message: expect.stringContaining(server.host),
    });
    await server.restart();
    expect((await etcd.read(["c a"]))[0]?.version).toBe(version);
  });

  it("calls to a frozen node time out, and a commit ends with an unknown outcome and is not made twice", async () => {
    const [server, etcd] = await open({ deadline: 3_000 });
    const version = await put(etcd, "c a", "1");
    await server.pause();
    await expect(etcd.read(["c a"])).rejects.toMatchObject({
      code: "TIMEOUT",
      retryable: true,
      outcome: "not-applied",
    });
    const commit = { checks: [{ key: "c a", version }], writes: [{ key: "c a", value: "2" }] };
    await expect(etcd.commit(commit)).rejects.toMatchObject({ code: "TIMEOUT", retryable: true, outcome: "unknown" });
    server.resume();
    const outcome = await eventually(() => etcd.commit(commit));
    // Either the first was carried out after all, or the second is the only one.
    expect((await etcd.read(["c a"]))[0]?.value).toBe("2");
    if (!outcome.ok) expect(outcome.current[0]?.value).toBe("2");
  });

  it("a node killed amid writes keeps all acknowledged writes, and others that it keeps were reported as unknown", async () => {
    const server = await startEtcd();
    servers.push(server);
    const direct = await openEtcd({ hosts: server.host });
    const proxy = await proxyOf(server);
    const etcd = await openEtcd({ hosts: `127.0.0.1:${proxy.port}`, deadline: 10_000 });
    const writer = writeOn(etcd);
    for (let round = 0; round < 3; round++) {
      const count = writer.acknowledged.length;
      await until(() => writer.acknowledged.length > count + 50);
      // Kill the node when it has carried out a put whose reply is lost.
      const heal = await proxy.dropReplies();
      // The writer gets the replies that the proxy passed on before. After that it waits for one that was
      // dropped.
      await direct.read(["c 0"]);
      const key = `c ${writer.current()}`;
      await until(async () => (await direct.read([key]))[0] !== undefined);
      await server.kill();
      proxy.cut();
      await heal();
      await server.restart();
    }
    await writer.stop();
    const found = await keysOf(direct);
    expect(writer.acknowledged.filter((i) => !found.has(i))).toEqual([]);
    const told = new Set([...writer.acknowledged, ...writer.unknown]);
    expect([...found].filter((i) => !told.has(i))).toEqual([]);
    expect(writer.unknown.filter((i) => found.has(i)).length).toBeGreaterThanOrEqual(3);
    expect([...writer.codes].filter((code) => code !== "UNAVAILABLE")).toEqual([]);
  });

  it("a contender whose reply was lost has created the entry, gets an unknown outcome, and no other contender creates it", async () => {
    const [server, observer] = await open();
    const proxy = await proxyOf(server);
    const behind = await openEtcd({ hosts: `127.0.0.1:${proxy.port}` });
    const others = await Promise.all(Array.from({ length: 3 }, () => openEtcd({ hosts: server.host })));
    for (let round = 0; round < 3; round++) {
      const key = `c ${round}`;
      await eventually(() => behind.read([key]));
      const heal = await proxy.dropReplies();
      const first = create(behind, key, "0");
      await until(async () => (await observer.read([key]))[0] !== undefined);
      const contest = Promise.all([first, ...others.map((etcd, i) => create(etcd, key, String(i + 1)))]);
      proxy.cut();
      await heal();
      const results = await contest;
      expect(results).toEqual(["unknown", "lost", "lost", "lost"]);
      await expectOneCreator(observer, key, results);
    }
  });

  it("a commit without checks whose reply was lost is reported as unknown, and not made again", async () => {
    const [server, observer] = await open();
    const proxy = await proxyOf(server);
    const behind = await openEtcd({ hosts: `127.0.0.1:${proxy.port}` });
    await eventually(() => behind.read(["c a"]));
    const heal = await proxy.dropReplies();
    const lost = put(behind, "c a", "1");
    const version = async (): Promise<string | undefined> => (await observer.read(["c a"]))[0]?.version;
    await until(async () => (await version()) !== undefined);
    const first = await version();
    proxy.cut();
    await heal();
    await expect(lost).rejects.toMatchObject({ outcome: "unknown" });
    expect(await version()).toBe(first);
  });

  it("a full node refuses writes with FULL, and can still be read", async () => {
    const server = await startEtcd({ args: ["--quota-backend-bytes", "200000"] });
    servers.push(server);
    const etcd = await openEtcd({ hosts: server.host });
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 1_000; i++) await put(etcd, `c ${i}`, JSON.stringify("x".repeat(10_000)));
    };
    await expect(fill()).rejects.toMatchObject({ code: "FULL", retryable: false, outcome: "not-applied" });
    expect((await etcd.read(["c 0"]))[0]?.key).toBe("c 0");
  });
});

describe.skipIf(missing !== undefined)("three etcd nodes", () => {
  const open = async (args: Record<string, unknown> = {}): Promise<[EtcdServer[], Backend]> => {
    const cluster = await startEtcdCluster(3);
    servers.push(...cluster);
    return [cluster, await openEtcd({ hosts: cluster.map(({ host }) => host), ...args })];
  };

  it("writes and watches continue if any one of three nodes is killed, and no acknowledged write is lost", async () => {
    const [cluster, etcd] = await open();
    const seen = new Recorder();
    await etcd.watch(channel("c"), seen);
    const writer = writeOn(etcd);
    for (const server of cluster) {
      await until(() => writer.acknowledged.length > 0);
      await server.kill();
      const count = writer.acknowledged.length;
      await until(() => writer.acknowledged.length > count + 20);
      await server.restart();
    }
    await writer.stop();
    const found = await keysOf(etcd);
    expect(writer.acknowledged.filter((i) => !found.has(i))).toEqual([]);
    await until(() => seen.changes.length >= found.size);
    expect(new Set(seen.changes.map(({ value }) => Number(value)))).toEqual(found);
    expect(seen.changes.length).toBe(found.size);
    expect([seen.gaps, seen.error]).toEqual([0, undefined]);
  });

  it("reads and writes continue if any one of three nodes is frozen", async () => {
    const [cluster, etcd] = await open({ deadline: 8_000 });
    await put(etcd, "c a", "0");
    for (const server of cluster) {
      await server.pause();
      // The first may be on its way to the frozen node. Later calls go elsewhere.
      await put(etcd, "c a", "1").catch((error) =>
        expect(error).toMatchObject({ retryable: true, outcome: "unknown" }),
      );
      const value = randomUUID();
      await eventually(() => put(etcd, "c a", value));
      expect((await etcd.read(["c a"]))[0]?.value).toBe(value);
      server.resume();
    }
  });

  it("calls fail without a quorum of nodes, and succeed again once there is one", async () => {
    const [cluster, etcd] = await open({ deadline: 3_000 });
    await put(etcd, "c a", "1");
    const [first, second] = cluster as [EtcdServer, EtcdServer, EtcdServer];
    await Promise.all([first.kill(), second.kill()]);
    await expect(etcd.read(["c a"])).rejects.toMatchObject({ retryable: true });
    const failed: unknown = await put(etcd, "c a", "2").catch((error: unknown) => error);
    expect(failed).toMatchObject({ retryable: true, code: expect.stringMatching(/^(TIMEOUT|UNAVAILABLE)$/) });
    await first.restart();
    const [entry] = await eventually(() => etcd.read(["c a"]));
    const maybe = (failed as { outcome?: string }).outcome === "unknown" ? ["1", "2"] : ["1"];
    expect(maybe).toContain(entry?.value);
    await eventually(() => put(etcd, "c a", "3"));
  });

  it("at most one of eight contenders creates an entry while a node is killed and restarted, and no other wrote it", async () => {
    const [cluster, observer] = await open();
    const hosts = cluster.map(({ host }) => host).join(",");
    const clients = await Promise.all(Array.from({ length: 8 }, () => openEtcd({ hosts })));
    for (let round = 0; round < 6; round++) {
      const key = `c ${round}`;
      const contest = Promise.all(clients.map((etcd, i) => create(etcd, key, String(i))));
      if (round === 2) await cluster[0]?.kill();
      if (round === 4) await cluster[0]?.restart();
      await expectOneCreator(observer, key, await contest);
    }
  });
});

type Contest = "won" | "lost" | "unknown";

/** Creates an entry. A commit that was surely not applied is made again. */
async function create(etcd: Backend, key: string, value: string): Promise<Contest> {
  for (;;) {
    try {
      const { ok } = await etcd.commit({ checks: [{ key, version: null }], writes: [{ key, value }] });
      return ok ? "won" : "lost";
    } catch (error) {
      if (!isChannelError(error) || !error.retryable) throw error;
      if (error.outcome === "unknown") return "unknown";
    }
  }
}

/**
 * Expects that the entry is that of the only winner. Without a winner, it is that of a contender who may have
 * won, or absent if all outcomes are unknown.
 */
async function expectOneCreator(etcd: Backend, key: string, results: readonly Contest[]): Promise<void> {
  const [entry] = await eventually(() => etcd.read([key]));
  const creator = entry === undefined ? "unknown" : results[Number(entry.value)];
  expect(results.filter((result) => result === "won")).toEqual(creator === "won" ? ["won"] : []);
  expect(["won", "unknown"]).toContain(creator);
  // A contender cannot lose against an absent entry.
  if (entry === undefined) expect(results).not.toContain("lost");
}

/** Tries until the store answers; the timeout of the test bounds it. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isChannelError(error) || !error.retryable) throw error;
    }
  }
}
