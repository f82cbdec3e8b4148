import { randomUUID } from "node:crypto";
import type { Backend } from "@ojm/core/backend";
import { channel, Recorder, write } from "@ojm/testing/backends";
import { type EtcdServer, etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { Etcd3 } from "etcd3";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test, vi } from "vitest";
import { openEtcd, put, until } from "../testing/backends.js";

const missing = etcdMissing();
if (missing !== undefined) test.skip(`ttl on etcd: ${missing}`, () => undefined);

describe.skipIf(missing !== undefined)("ttl on etcd", () => {
  let server: EtcdServer;
  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(() => server.stop());

  const open = (keyPrefix: string, args: Record<string, unknown> = {}): Promise<Backend> =>
    openEtcd({ hosts: server.host, keyPrefix, ...args });

  function rawClient(): Etcd3 {
    const client = new Etcd3({ hosts: server.host });
    onTestFinished(() => client.close());
    return client;
  }

  /**
   * Reads until the entry is gone: when the last read that saw it was sent, and when the one that did not was
   * answered.
   */
  async function watchItGo(etcd: Backend, key: string): Promise<{ lastSeen: number; gone: number }> {
    let lastSeen = Number.NEGATIVE_INFINITY;
    for (;;) {
      const sent = performance.now();
      const [entry] = await etcd.read([key]);
      if (entry === undefined) return { lastSeen, gone: performance.now() };
      expect(entry.expiresIn).toBeGreaterThan(0);
      lastSeen = sent;
    }
  }

  it("an entry is shown until its deadline and never after, to its writer and to its readers", async () => {
    const prefix = `${randomUUID()}/`;
    const [writer, reader] = [await open(prefix), await open(prefix)];
    const sent = performance.now();
    await put(writer, "c a", "1", 300);
    const answered = performance.now();
    const watched = await Promise.all([
      watchItGo(writer, "c a"),
      reader
        .read(["c a"])
        .then(async ([entry]) => ({ entry, seen: performance.now(), ...(await watchItGo(reader, "c a")) })),
    ]);
    for (const { gone } of watched) expect(gone).toBeGreaterThanOrEqual(sent + 300);
    expect(watched[0].lastSeen).toBeLessThan(answered + 300);
    expect(watched[1].lastSeen).toBeLessThan(watched[1].seen + 300);
  });

  it("each write restarts the ttl of an entry, and a write without a ttl ends it", async () => {
    const etcd = await open(`${randomUUID()}/`);
    await put(etcd, "c a", "1", 150);
    await put(etcd, "c kept", "1", 150);
    await put(etcd, "c kept", "2");
    const sent = performance.now();
    await put(etcd, "c a", "2", 400);
    expect((await watchItGo(etcd, "c a")).gone).toBeGreaterThanOrEqual(sent + 400);
    expect((await etcd.read(["c kept"]))[0]).toMatchObject({ value: "2" });
    expect((await etcd.read(["c kept"]))[0]).not.toHaveProperty("expiresIn");
  });

  it("an expired entry counts as absent in scans, in checks for absence and in checks of its version", async () => {
    const etcd = await open(`${randomUUID()}/`);
    const version = await put(etcd, "c a", "1", 100);
    const end = performance.now() + 100;
    await until(() => performance.now() >= end);
    const scan = etcd.scan({ ...channel("c"), reverse: false, limit: 1, values: true });
    const stale = etcd.commit({ checks: [{ key: "c a", version }], writes: [{ key: "c a", value: "2" }] });
    expect(await stale).toEqual({ ok: false, current: [undefined] });
    expect(await scan).toEqual({ entries: [], more: false });
    const create = await etcd.commit({ checks: [{ key: "c a", version: null }], writes: [{ key: "c a", value: "3" }] });
    expect(create.ok).toBe(true);
  });

  describe("an expired entry whose timer does not fire, as in a process that does not come to its timers", () => {
    /** Runs `write`, and keeps the timers that it starts from ever firing. */
    async function withoutTimers<T>(write: () => Promise<T>): Promise<T> {
      vi.useFakeTimers({ toFake: ["setTimeout"] });
      try {
        return await write();
      } finally {
        vi.useRealTimers();
      }
    }

    async function expired(etcd: Backend, key: string): Promise<string> {
      const version = await withoutTimers(() => put(etcd, key, "1", 50));
      const end = performance.now() + 50;
      await until(() => performance.now() > end);
      return version;
    }

    it("a read or a scan deletes an expired entry from the store, so that all other readers find it gone", async () => {
      const prefix = `${randomUUID()}/`;
      // Their lease must not end before we have looked.
      const etcd = await open(prefix, { deadline: 20_000 });
      const raw = rawClient();
      const looks = {
        "c read": () => etcd.read(["c read"]),
        "c two": () => etcd.read(["c two", "c other"]),
        "c scan": () => etcd.scan({ ...channel("c"), reverse: false, limit: 9, values: false }),
      };
      for (const [key, look] of Object.entries(looks)) {
        await expired(etcd, key);
        expect(await raw.get(prefix + key).string()).not.toBeNull();
        await look();
        expect(await raw.get(prefix + key).string()).toBeNull();
      }
    });

    it("a commit treats an expired entry as absent: its version is refused, and it can be created again", async () => {
      const etcd = await open(`${randomUUID()}/`);
      const version = await expired(etcd, "c a");
      const stale = { checks: [{ key: "c a", version }], writes: [{ key: "c a", value: "2" }] };
      expect(await etcd.commit(stale)).toEqual({ ok: false, current: [undefined] });
      await expired(etcd, "c b");
      const create = { checks: [{ key: "c b", version: null }], writes: [{ key: "c b", value: "3" }] };
      expect(await etcd.commit(create)).toMatchObject({ ok: true });
    });

    it("a commit treats an expired entry as absent, even if its backend has only read that entry", async () => {
      const prefix = `${randomUUID()}/`;
      const [writer, reader] = [await open(prefix, { deadline: 20_000 }), await open(prefix)];
      const version = await withoutTimers(async () => {
        const written = await put(writer, "c a", "1", 50);
        await reader.read(["c a"]);
        return written;
      });
      const end = performance.now() + 50;
      await until(() => performance.now() > end);
      const stale = { checks: [{ key: "c a", version }], writes: [{ key: "c a", value: "2" }] };
      expect(await reader.commit(stale)).toEqual({ ok: false, current: [undefined] });
    });
  });

  describe("the ttl of entries that a scan has returned", () => {
    /**
     * An entry of a process that is dead, as `reader` finds it in a scan, and when the scan was sent and
     * answered.
     */
    async function scanned(ttl: number, watch: (reader: Backend) => Promise<unknown> = async () => undefined) {
      const prefix = `${randomUUID()}/`;
      const [writer, reader] = [await open(prefix, { deadline: 20_000 }), await open(prefix)];
      await put(writer, "c a", "1", ttl);
      await writer.close();
      await watch(reader);
      const sent = performance.now();
      const { entries } = await reader.scan({ ...channel("c"), reverse: false, limit: 9, values: true });
      expect(entries).toHaveLength(1);
      return { prefix, reader, sent, answered: performance.now() };
    }

    it("an entry that a scan has returned is not deleted at its deadline, but by the next scan", async () => {
      const { prefix, reader, answered } = await scanned(100);
      await until(() => performance.now() > answered + 200);
      expect(await rawClient().get(`${prefix}c a`).string()).not.toBeNull();
      const { entries } = await reader.scan({ ...channel("c"), reverse: false, limit: 9, values: true });
      expect(entries).toEqual([]);
      expect(await rawClient().get(`${prefix}c a`).string()).toBeNull();
    });

    it.each(["before", "after"])("a watch that began %s the scan reports the expiry of its entry", async (when) => {
      const seen = new Recorder();
      const watch = (reader: Backend): Promise<unknown> => reader.watch(channel("c"), seen);
      const { reader, sent } = await scanned(1_000, when === "before" ? watch : undefined);
      if (when === "after") await watch(reader);
      await until(() => seen.changes.length > 0);
      expect(performance.now()).toBeGreaterThanOrEqual(sent + 1_000);
      expect(seen.changes).toMatchObject([{ key: "c a", value: null }]);
    });
  });

  it("an entry that is written afresh at the moment of expiry is never deleted", async () => {
    const etcd = await open(`${randomUUID()}/`);
    for (let round = 0; round < 20; round++) {
      await put(etcd, "c a", "old", 20);
      const end = performance.now() + 20;
      await until(() => performance.now() >= end - 2);
      const [version] = await Promise.all([put(etcd, "c a", "fresh"), etcd.read(["c a"]), etcd.read(["c a"])]);
      await until(() => performance.now() > end + 5);
      expect(await etcd.read(["c a"])).toEqual([{ key: "c a", value: "fresh", version }]);
    }
  });

  it("an entry whose writer is gone ends with its lease, and not before its deadline", async () => {
    const prefix = `${randomUUID()}/`;
    const writer = await open(prefix, { deadline: 3_000 });
    const raw = rawClient();
    const sent = performance.now();
    await put(writer, "c a", '"x"', 600);
    await writer.close();
    expect(await raw.get(`${prefix}c a`).string()).toBe('ttl=600 "x"');
    await until(async () => (await raw.get(`${prefix}c a`)) === null);
    expect(performance.now()).toBeGreaterThanOrEqual(sent + 600);
  });

  it("the remaining time of an entry that another process wrote long ago is bounded by its lease", async () => {
    const prefix = `${randomUUID()}/`;
    const raw = rawClient();
    const lease = await raw.leaseClient.leaseGrant({ TTL: 100, ID: 4711 });
    // As if written with an hour to live, 3,500 seconds ago.
    await raw.kv.put({ key: Buffer.from(`${prefix}c a`), value: Buffer.from("ttl=3600000 1"), lease: lease.ID });
    const reader = await open(prefix);
    const [entry] = await reader.read(["c a"]);
    expect(entry?.expiresIn).toBeLessThanOrEqual(100_000);
    const { entries } = await (await open(prefix)).scan({ ...channel("c"), reverse: false, limit: 9, values: false });
    expect(entries[0]?.expiresIn).toBeLessThanOrEqual(100_000);
  });

  it("entries share one lease, and the next write takes another lease if that one is revoked", async () => {
    const prefix = `${randomUUID()}/`;
    const etcd = await open(prefix);
    const raw = rawClient();
    const before = new Set((await raw.leaseClient.leaseLeases()).leases.map(({ ID }) => ID));
    await Promise.all(Array.from({ length: 50 }, (_, i) => put(etcd, `c ${i}`, "1", 60_000)));
    const mine = (await raw.leaseClient.leaseLeases()).leases.filter(({ ID }) => !before.has(ID));
    expect(mine.length).toBeLessThan(5);
    for (const { ID } of mine) await raw.leaseClient.leaseRevoke({ ID });
    await put(etcd, "c again", "1", 60_000);
    expect((await etcd.read(["c again", "c 1"])).map((entry) => entry?.value)).toEqual(["1", undefined]);
  });

  it("a write takes a new lease if the lease of an older write could end before the entry does", async () => {
    const prefix = `${randomUUID()}/`;
    const etcd = await open(prefix);
    const raw = rawClient();
    await put(etcd, "c a", "1", 60_000);
    const end = performance.now() + 3_500;
    await until(() => performance.now() > end);
    await put(etcd, "c b", "1", 60_000);
    const leases = await Promise.all(["c a", "c b"].map((key) => raw.get(prefix + key).exec()));
    const [a, b] = leases.map(({ kvs }) => String(kvs[0]?.lease));
    expect(a).not.toBe(b);
  });

  it("an expired entry that is known to be gone is not deleted again by each commit", async () => {
    const etcd = await open(`${randomUUID()}/`);
    await put(etcd, "c a", "1", 30);
    await until(async () => (await etcd.read(["c a"]))[0] === undefined);
    const check = { checks: [{ key: "c a", version: null }], writes: [] };
    await etcd.commit(check);
    const before = await transactions(server.host);
    for (let i = 0; i < 5; i++) await etcd.commit(check);
    expect((await transactions(server.host)) - before).toBe(5);
  });

  it("a watch reports the expiry of an entry as a delete", async () => {
    const prefix = `${randomUUID()}/`;
    const [writer, watcher] = [await open(prefix), await open(prefix)];
    const seen = new Recorder();
    await watcher.watch(channel("c"), seen);
    await put(writer, "c a", "1", 100);
    await until(() => seen.of("c a").includes(null));
    expect(seen.of("c a")).toEqual(["1", null]);
    expect(seen.changes[0]?.expiresIn).toBeGreaterThan(0);
    expect(Number(seen.changes[1]?.version)).toBeGreaterThan(Number(seen.changes[0]?.version));
  });

  it("a write refuses a ttl that no lease can have", async () => {
    const etcd = await open(`${randomUUID()}/`);
    await expect(write(etcd, { key: "c a", value: "1", ttl: 1e15 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

/** How many transactions a server has answered. */
async function transactions(host: string): Promise<number> {
  const metrics = await (await fetch(`http://${host}/metrics`)).text();
  const all = /^grpc_server_handled_total\{grpc_code="OK",grpc_method="Txn",.*\} (\d+)$/m.exec(metrics)?.[1];
  return Number(all);
}
