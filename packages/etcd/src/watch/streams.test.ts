import { randomUUID } from "node:crypto";
import { type Backend, justAfter } from "@ojm/core/backend";
import { channel, Recorder, write } from "@ojm/testing/backends";
import { type EtcdServer, etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { openEtcd, put, until } from "../testing/backends.js";

const missing = etcdMissing();
if (missing !== undefined) test.skip(`many watches of etcd: ${missing}`, () => undefined);

/** The range that holds this key alone. */
const only = (key: string): { from: string; to: string } => ({ from: key, to: justAfter(key) });

describe.skipIf(missing !== undefined)("many watches of etcd", () => {
  let server: EtcdServer;
  beforeEach(async () => {
    server = await startEtcd();
  });
  afterEach(() => server.stop());

  const open = (): Promise<Backend> => openEtcd({ hosts: server.host, keyPrefix: `${randomUUID()}/` });
  const keys = Array.from({ length: 32 }, (_, i) => `c "${i} `);
  const streams = (): Promise<number> => metric(server, "etcd_debugging_mvcc_watch_stream_total");
  const watchers = (): Promise<number> => metric(server, "etcd_debugging_mvcc_watcher_total");

  it("many watches share one stream, and leave nothing behind in etcd once they are stopped", async () => {
    const etcd = await open();
    const stops = await Promise.all(keys.map((key) => etcd.watch(only(key), new Recorder())));
    await expect.poll(async () => [await streams(), await watchers()]).toEqual([1, keys.length]);
    for (const stop of stops.splice(1)) stop();
    await expect.poll(async () => [await streams(), await watchers()]).toEqual([1, 1]);
    stops[0]?.();
    stops[0]?.();
    await until(async () => (await streams()) === 0);
    // And once more, on a new one.
    const seen = new Recorder();
    await etcd.watch(only("c a"), seen);
    await put(etcd, "c a", "1");
    await until(() => seen.changes.length > 0);
  });

  it("many watches keep their stream while nothing happens", async () => {
    const etcd = await open();
    await put(etcd, "c a", "1");
    for (const key of keys) await etcd.watch(only(key), new Recorder());
    const [sent, started] = ["msg_received", "started"].map(
      (what) => () => metric(server, `grpc_server_${what}_total`, "Watch"),
    ) as [() => Promise<number>, () => Promise<number>];
    // Each sign of life takes two messages. On a busy machine one may come too late, so that the stream is
    // replaced, but not each time.
    await until(async () => {
      const [before, stream] = [await sent(), await started()];
      await until(async () => (await sent()) >= before + 4);
      return (await started()) === stream;
    });
    await until(async () => (await watchers()) === keys.length);
  });

  it("watches that come and go at once report every write of their time, and none from before", async () => {
    const prefix = `${randomUUID()}/`;
    const [etcd, other] = [
      await openEtcd({ hosts: server.host, keyPrefix: prefix }),
      await openEtcd({ hosts: server.host, keyPrefix: prefix }),
    ];
    const all = new Recorder();
    await etcd.watch(channel("c"), all);
    const visit = async (visitor: number): Promise<void> => {
      const key = `c "${visitor % 3} `;
      for (let i = 0; i < 12; i++) {
        const before = await put(etcd, key, "before");
        const seen = new Recorder();
        const stop = await etcd.watch(only(key), seen);
        const version = await put(visitor % 2 === 0 ? etcd : other, key, `${visitor} ${i}`);
        await until(() => seen.changes.some((change) => change.version === version));
        stop();
        const versions = seen.changes.map((change) => Number(change.version));
        expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
        expect(versions[0]).toBeGreaterThan(Number(before));
        expect(seen.gaps).toBe(0);
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, visitor) => visit(visitor)));
    await until(() => all.changes.length === 16 * 12 * 2);
    expect([all.gaps, all.error]).toEqual([0, undefined]);
    await until(async () => (await watchers()) === 1);
  });

  it("watches continue after the node was killed and came back, even a new one, and a stopped one stays silent", async () => {
    const etcd = await open();
    const seen = keys.map(() => new Recorder());
    const stops = await Promise.all(keys.map((key, i) => etcd.watch(only(key), seen[i] as Recorder)));
    await write(etcd, ...keys.map((key) => ({ key, value: "1" })));
    await until(() => seen.every(({ changes }) => changes.length === 1));
    await server.kill();
    stops[0]?.();
    const late = new Recorder();
    const opening = etcd.watch(only("c late "), late);
    await server.restart();
    await opening;
    await write(etcd, ...[...keys, "c late "].map((key) => ({ key, value: "2" })));
    await until(() => [late, ...seen.slice(1)].every(({ changes }) => changes.at(-1)?.value === "2"));
    expect(seen.map(({ changes, gaps, error }) => [changes.length, gaps, error])).toEqual(
      keys.map((_, i) => [i === 0 ? 1 : 2, 0, undefined]),
    );
    expect([late.changes.length, late.gaps]).toEqual([1, 0]);
    await until(async () => (await watchers()) === keys.length && (await streams()) === 1);
  });

  it("each of many watches reports one gap when the store was set back", async () => {
    const etcd = await open();
    for (let i = 0; i < 10; i++) await put(etcd, "c x", String(i));
    const seen = keys.map(() => new Recorder());
    await Promise.all(keys.map((key, i) => etcd.watch(only(key), seen[i] as Recorder)));
    await server.kill();
    server.wipe();
    await server.restart();
    await until(() => seen.every(({ gaps }) => gaps > 0));
    await write(etcd, ...keys.map((key) => ({ key, value: "after" })));
    await until(() => seen.every(({ changes }) => changes.length > 0));
    expect(seen.map(({ changes, gaps, error }) => [changes.length, gaps, error])).toEqual(
      keys.map(() => [1, 1, undefined]),
    );
  });
});

/** What the node counts: the sum of a metric, of one gRPC method if given. */
async function metric(server: EtcdServer, name: string, method?: string): Promise<number> {
  const text = await (await fetch(`http://${server.host}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  const counted = lines.filter((line) => method === undefined || line.includes(`grpc_method="${method}"`));
  return counted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}
