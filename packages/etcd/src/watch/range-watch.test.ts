import { randomUUID } from "node:crypto";
import type { Backend } from "@ojm/core/backend";
import { channel, Recorder, write } from "@ojm/testing/backends";
import { type EtcdServer, etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { Etcd3 } from "etcd3";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { openEtcd, put, until } from "../testing/backends.js";

const missing = etcdMissing();
if (missing !== undefined) test.skip(`etcd watch: ${missing}`, () => undefined);

describe.skipIf(missing !== undefined)("etcd watch", () => {
  let server: EtcdServer;
  let prefix: string;
  beforeEach(async () => {
    server = await startEtcd();
    prefix = `${randomUUID()}/`;
  });
  afterEach(() => server.stop());

  const open = (): Promise<Backend> => openEtcd({ hosts: server.host, keyPrefix: prefix });

  it("a watch reports writes and deletes of its range alone, by its own backend and by others, in order", async () => {
    const [mine, other] = [await open(), await open()];
    await put(mine, "c before", "0");
    const seen = new Recorder();
    await mine.watch(channel("c"), seen);
    await put(mine, "c a", "1");
    await put(other, "c a", "2");
    await put(other, "ca x", "1");
    await put(other, "b x", "1");
    const version = await write(other, { key: "c a", value: null }, { key: "c b", value: "3" });
    await put(mine, "c end", "1");
    await until(() => seen.of("c end").length > 0);
    expect(seen.of("c a")).toEqual(["1", "2", null]);
    expect(seen.changes.filter((change) => change.version === version).map(({ key }) => key)).toEqual(["c a", "c b"]);
    expect(new Set(seen.changes.map(({ key }) => key))).toEqual(new Set(["c a", "c b", "c end"]));
    expect([seen.gaps, seen.error]).toEqual([0, undefined]);
  });

  it("a watch reports nothing more once it is stopped", async () => {
    const etcd = await open();
    const [stopped, seen] = [new Recorder(), new Recorder()];
    const stop = await etcd.watch(channel("c"), stopped);
    await etcd.watch(channel("c"), seen);
    stop();
    stop();
    await put(etcd, "c a", "1");
    await until(() => seen.changes.length > 0);
    expect(stopped.changes).toEqual([]);
  });

  it("a watch continues without a gap after the node was killed and came back", async () => {
    const [mine, other] = [await open(), await open()];
    const seen = new Recorder();
    await mine.watch(channel("c"), seen);
    await put(other, "c a", "1");
    await server.kill();
    await server.restart();
    for (let i = 2; i < 30; i++) await put(other, "c a", String(i));
    await until(() => seen.of("c a").includes("29"));
    expect(seen.of("c a")).toEqual(Array.from({ length: 29 }, (_, i) => String(i + 1)));
    expect([seen.gaps, seen.error]).toEqual([0, undefined]);
  });

  it("a watch continues after the node froze for longer than a stream may be silent", async () => {
    const etcd = await open();
    const seen = new Recorder();
    await etcd.watch(channel("c"), seen);
    await server.pause();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    server.resume();
    await put(etcd, "c a", "1");
    await until(() => seen.of("c a").length > 0);
    expect([seen.of("c a"), seen.gaps, seen.error]).toEqual([["1"], 0, undefined]);
  });

  it("a watch reports a gap if the changes that it missed are compacted, and continues", async () => {
    const etcd = await open();
    const seen = new Recorder();
    await etcd.watch(channel("c"), seen);
    await put(etcd, "c a", "1");
    await until(() => seen.changes.length === 1);

    // While the watch looks for its node, the changes that it misses are compacted away.
    await server.kill();
    await missAndCompact(server, prefix);
    await until(() => seen.gaps > 0);
    expect(seen.gaps).toBe(1);
    await put(etcd, "c a", "after");
    await until(() => seen.of("c a").includes("after"));
    expect(seen.of("c a")).toEqual(["1", "after"]);
    expect(seen.error).toBeUndefined();
  });

  it("a watch reports a gap when the store was set back, and continues", async () => {
    const etcd = await open();
    for (let i = 0; i < 10; i++) await put(etcd, "c a", String(i));
    const seen = new Recorder();
    await etcd.watch(channel("c"), seen);
    await server.kill();
    server.wipe();
    await server.restart();
    await until(() => seen.gaps > 0);
    await put(etcd, "c a", "after");
    await until(() => seen.changes.length > 0);
    expect([seen.gaps, seen.of("c a"), seen.error]).toEqual([1, ["after"], undefined]);
  });

  it("a new watch is rejected with UNAVAILABLE while no node answers", async () => {
    const etcd = await openEtcd({ hosts: server.host, keyPrefix: prefix, deadline: 3_000 });
    await server.kill();
    await expect(etcd.watch(channel("c"), new Recorder())).rejects.toMatchObject({
      code: "UNAVAILABLE",
      retryable: true,
    });
  });

  it("a watch passes on a long revision that comes in pieces, whole and once", async () => {
    const etcd = await open();
    const seen = new Recorder();
    await etcd.watch(channel("c"), seen);
    const value = JSON.stringify("x".repeat(10_000));
    const writes = Array.from({ length: 120 }, (_, i) => ({ key: `c ${i}`, value }));
    for (let round = 0; round < 5; round++) await write(etcd, ...writes);
    await until(() => seen.changes.length >= 600);
    await put(etcd, "c end", "1");
    await until(() => seen.of("c end").length > 0);
    expect(seen.changes).toHaveLength(601);
  });
});

/** Starts the node on a port that the watch does not know, changes and compacts, and brings it back. */
async function missAndCompact(server: EtcdServer, prefix: string): Promise<void> {
  await server.restart({ hidden: true });
  const client = new Etcd3({ hosts: server.hiddenHost });
  await client.put(`${prefix}c a`).value("missed");
  const { header } = await client.put(`${prefix}c a`).value("missed too");
  await client.kv.compact({ revision: header.revision, physical: true });
  await client.put(`${prefix}d x`).value("1");
  client.close();
  await server.kill();
  await server.restart();
}
