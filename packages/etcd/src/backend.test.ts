import { randomUUID } from "node:crypto";
import { type Backend, type ScanRequest, systemClock } from "@ojm/core/backend";
import { channel, write } from "@ojm/testing/backends";
import { type EtcdServer, etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { Etcd3 } from "etcd3";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { openEtcd, put, until } from "./testing/backends.js";

const missing = etcdMissing();
if (missing !== undefined) test.skip(`etcd backend: ${missing}`, () => undefined);

describe.skipIf(missing !== undefined)("etcd backend", () => {
  let server: EtcdServer;
  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(() => server.stop());

  /** A backend on keys that no other test has. */
  const open = (args: Record<string, unknown> = {}): Promise<Backend> =>
    openEtcd({ hosts: server.host, keyPrefix: `${randomUUID()}/`, ...args });

  describe("commit", () => {
    it("a commit creates an absent entry once, and then returns the existing one", async () => {
      const etcd = await open();
      const create = { checks: [{ key: "c a", version: null }], writes: [{ key: "c a", value: "1" }] };
      const first = await etcd.commit(create);
      expect(first.ok).toBe(true);
      const version = first.ok ? first.version : "";
      expect(await etcd.commit(create)).toEqual({ ok: false, current: [{ key: "c a", value: "1", version }] });
    });

    it("a commit applies all of its writes under one version, or none", async () => {
      const etcd = await open();
      const held = await put(etcd, "c held", "0");
      const writes = [
        { key: "c a", value: "1" },
        { key: "c held", value: null },
      ];
      const lost = await etcd.commit({
        checks: [
          { key: "c held", version: held },
          { key: "c a", version: "1" },
        ],
        writes,
      });
      expect(lost).toEqual({ ok: false, current: [{ key: "c held", value: "0", version: held }, undefined] });
      expect(await etcd.read(["c a"])).toEqual([undefined]);

      const won = await etcd.commit({ checks: [{ key: "c held", version: held }], writes });
      const version = won.ok ? won.version : "";
      expect(await etcd.read(["c a", "c held"])).toEqual([{ key: "c a", value: "1", version }, undefined]);
    });

    it("a commit refuses a stale version, even of a deleted entry, or of one recreated with the same value", async () => {
      const etcd = await open();
      const stale = await put(etcd, "c a", "1");
      const retry = { checks: [{ key: "c a", version: stale }], writes: [{ key: "c a", value: "2" }] };
      await write(etcd, { key: "c a", value: null });
      expect(await etcd.commit(retry)).toEqual({ ok: false, current: [undefined] });
      const version = await put(etcd, "c a", "1");
      expect(version).not.toBe(stale);
      expect(await etcd.commit(retry)).toEqual({ ok: false, current: [{ key: "c a", value: "1", version }] });
    });

    it("a commit without writes only compares versions", async () => {
      const etcd = await open();
      const version = await put(etcd, "c a", "1");
      const compare = (at: string | null) => etcd.commit({ checks: [{ key: "c a", version: at }], writes: [] });
      expect((await compare(version)).ok).toBe(true);
      expect((await compare(null)).ok).toBe(false);
    });

    it("versions only increase, even if a write repeats the value or a delete finds no entry", async () => {
      const etcd = await open();
      const versions = [
        await put(etcd, "c a", "1"),
        await put(etcd, "c a", "1"),
        await write(etcd, { key: "c a", value: null }),
        await write(etcd, { key: "c a", value: null }),
        await put(etcd, "c a", "1"),
      ].map(Number);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    });

    it("a commit takes as many checks and writes as supports.maxOps declares, and refuses more before sending", async () => {
      const etcd = await open();
      const { maxOps } = etcd.supports;
      const keys = Array.from({ length: maxOps }, (_, i) => `c ${i}`);
      await write(etcd, ...keys.map((key) => ({ key, value: "1" })));
      expect((await etcd.read(keys)).every((entry) => entry?.value === "1")).toBe(true);
      await write(etcd, ...keys.map((key) => ({ key, value: null })));
      const over = [...keys, "c more"].map((key) => ({ key, value: "1" }));
      await expect(write(etcd, ...over)).rejects.toMatchObject({ code: "TOO_LARGE", outcome: "not-applied" });
      // etcd counts them separately, and would accept these.
      const both = keys.slice(0, maxOps / 2 + 1);
      const commit = {
        checks: both.map((key) => ({ key, version: null })),
        writes: both.map((key) => ({ key, value: "1" })),
      };
      await expect(etcd.commit(commit)).rejects.toMatchObject({ code: "TOO_LARGE", outcome: "not-applied" });
    });

    it("values of the declared maximum length are stored, and a request too large for etcd is refused", async () => {
      const etcd = await open();
      const long = JSON.stringify("é".repeat(etcd.supports.maxValueBytes / 2 - 1));
      await put(etcd, "c a", long);
      await put(etcd, "c b", long);
      for (const key of ["c c", "c d", "c e"]) await put(etcd, key, long);
      const page = await etcd.scan({ ...channel("c"), reverse: false, limit: 10, values: true });
      expect(page.entries.map(({ value }) => value === long)).toEqual([true, true, true, true, true]);
      const both = write(etcd, { key: "c a", value: long }, { key: "c b", value: long });
      await expect(both).rejects.toMatchObject({ code: "TOO_LARGE", retryable: false, outcome: "not-applied" });
    });

    it("no increment of eight concurrent clients is lost", async () => {
      const keyPrefix = `${randomUUID()}/`;
      const clients = await Promise.all(Array.from({ length: 8 }, () => open({ keyPrefix })));
      const increment = async (etcd: Backend): Promise<void> => {
        for (;;) {
          const [entry] = await etcd.read(["c n"]);
          const value = String(Number(entry?.value ?? 0) + 1);
          const checks = [{ key: "c n", version: entry?.version ?? null }];
          if ((await etcd.commit({ checks, writes: [{ key: "c n", value }] })).ok) return;
        }
      };
      await Promise.all(
        clients.map(async (etcd) => {
          for (let i = 0; i < 20; i++) await increment(etcd);
        }),
      );
      expect((await clients[0]?.read(["c n"]))?.[0]?.value).toBe("160");
    });

    it("exactly one of twenty concurrent creates succeeds", async () => {
      const etcd = await open();
      const create = (value: string) =>
        etcd.commit({ checks: [{ key: "c a", version: null }], writes: [{ key: "c a", value }] });
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => create(String(i))));
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    });
  });

  describe("read and scan", () => {
    it("a read takes more keys than one transaction holds, and returns the entries in their order", async () => {
      const etcd = await open();
      await put(etcd, "c 7", "7");
      const keys = Array.from({ length: 300 }, (_, i) => `c ${299 - i}`);
      const entries = await etcd.read(keys);
      expect(entries.map((entry) => entry?.key)).toEqual(keys.map((key) => (key === "c 7" ? key : undefined)));
    });

    it("a scan lists keys in byte order, both ways, within its limit, and none of neighbouring channels", async () => {
      const etcd = await open();
      const keys = ["c ", "c \u0001", "c a", "c a b", "c aa", "c é", "c \uffee", "c \u{1f600}"];
      for (const key of [...keys, "b z", "c!", "c", "ca a", "d "]) await put(etcd, key, JSON.stringify(key));
      const list = async (request: Partial<ScanRequest>) => {
        const page = await etcd.scan({ ...channel("c"), reverse: false, limit: 100, values: true, ...request });
        return [page.entries.map(({ key }) => key), page.more];
      };
      expect(await list({})).toEqual([keys, false]);
      expect(await list({ reverse: true })).toEqual([keys.toReversed(), false]);
      expect(await list({ limit: 3 })).toEqual([keys.slice(0, 3), true]);
      expect(await list({ limit: 8 })).toEqual([keys, false]);
      expect(await list({ reverse: true, limit: 2 })).toEqual([["c \u{1f600}", "c \uffee"], true]);
      expect(await list({ from: "c a", to: "c aa" })).toEqual([["c a", "c a b"], false]);
      expect(await list({ from: "c x", to: "c y" })).toEqual([[], false]);
    });

    it("a scan leaves out the values if the caller does not ask for them", async () => {
      const etcd = await open();
      const version = await put(etcd, "c a", '"long"');
      const { entries } = await etcd.scan({ ...channel("c"), reverse: false, limit: 1, values: false });
      expect(entries).toEqual([{ key: "c a", value: "", version }]);
    });

    it("a reverse scan finds the end of a long range without reading the range", async () => {
      const etcd = await open();
      const keys = Array.from({ length: 2_560 }, (_, i) => `c {"name":"nightly","startTime":${1_700_000_000_000 + i}}`);
      for (let i = 0; i < keys.length; i += 128) {
        await write(etcd, ...keys.slice(i, i + 128).map((key) => ({ key, value: "{}" })));
      }
      const last = await etcd.scan({ ...channel("c"), reverse: true, limit: 10, values: true });
      expect(last.entries.map(({ key }) => key)).toEqual(keys.slice(-10).toReversed());
      expect(last.more).toBe(true);
      const all: string[] = [];
      for (let to = channel("c").to, more = true; more; ) {
        const page = await etcd.scan({ from: "c ", to, reverse: true, limit: 100, values: false });
        all.push(...page.entries.map(({ key }) => key));
        to = page.entries.at(-1)?.key ?? to;
        more = page.more;
      }
      expect(all).toEqual(keys.toReversed());
    });
  });

  describe("the layout of the store", () => {
    let client: Etcd3;
    beforeAll(() => {
      client = new Etcd3({ hosts: server.host });
    });
    afterAll(() => client.close());

    it("a store of a newer layout is refused, with a line that says what to upgrade", async () => {
      const keyPrefix = `${randomUUID()}/`;
      await client.put(`${keyPrefix}\0layout`).value("99");
      await expect(open({ keyPrefix })).rejects.toMatchObject({
        code: "INVALID_CONFIG",
        retryable: false,
        message: `etcd at ${server.host} (keyPrefix ${keyPrefix}) has layout 99, and this version of @ojm/etcd knows layouts up to 1: upgrade @ojm/etcd and the other packages of ojm in this program`,
      });
      await client.put(`${keyPrefix}\0layout`).value("1");
      await put(await open({ keyPrefix }), "c a", "1");
    });

    it("a mark that another program overwrote is left as it is, and stops neither a process nor open", async () => {
      const keyPrefix = `${randomUUID()}/`;
      const mark = `${keyPrefix}\0layout`;
      let leapt = 0;
      const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + leapt };
      const etcd = await openEtcd({ hosts: server.host, keyPrefix }, clock);
      await client.put(mark).value("by another program");
      await put(etcd, "c a", "1");
      leapt += 4_000;
      await put(etcd, "c a", "2");
      await put(etcd, "c a", "3");
      expect(await (await open({ keyPrefix })).read(["c a"])).toMatchObject([{ value: "3" }]);
      expect(await etcd.read(["c a"])).toMatchObject([{ value: "3" }]);
      expect(await client.get(mark).string()).toBe("by another program");
    });

    it("a store gets its mark from the first process that writes, not from those that read", async () => {
      const keyPrefix = `${randomUUID()}/`;
      const etcd = await open({ keyPrefix });
      await etcd.commit({ checks: [{ key: "c a", version: null }], writes: [] });
      expect(await etcd.read(["c a"])).toEqual([undefined]);
      expect(await client.getAll().prefix(keyPrefix).keys()).toEqual([]);
      await put(etcd, "c a", "1");
      await until(async () => (await client.get(`${keyPrefix}\0layout`).string()) === "1");
    });

    it("a process that has the store open gives an emptied store its mark again, and heeds a newer one until it is corrected", async () => {
      const keyPrefix = `${randomUUID()}/`;
      const mark = `${keyPrefix}\0layout`;
      let leapt = 0;
      const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + leapt };
      const etcd = await openEtcd({ hosts: server.host, keyPrefix }, clock);
      await put(etcd, "c a", "1");
      await until(async () => (await client.get(mark).string()) === "1");
      await client.delete().key(mark);
      leapt += 4_000;
      await put(etcd, "c a", "2");
      await until(async () => (await client.get(mark).string()) === "1");

      await client.put(mark).value("2");
      leapt += 4_000;
      await put(etcd, "c a", "3");
      await until(async () => (await etcd.read(["c a"]).catch(() => undefined)) === undefined);
      const page = { ...channel("c"), reverse: false, limit: 1, values: true };
      const sink = { change() {}, gap() {}, fail() {} };
      const calls = [put(etcd, "c a", "4"), etcd.read(["c a"]), etcd.scan(page), etcd.watch(channel("c"), sink)];
      for (const call of calls) {
        await expect(call).rejects.toMatchObject({
          code: "INVALID_CONFIG",
          message: expect.stringContaining("layout 2"),
        });
      }

      await client.put(mark).value("1");
      leapt += 4_000;
      await until(async () => (await etcd.read(["c a"]).catch(() => undefined)) !== undefined);
      await put(etcd, "c a", "5");
    });
  });

  describe("lifecycle of a backend", () => {
    it("a closed backend refuses calls with CLOSED", async () => {
      const etcd = await open();
      await etcd.close();
      await expect(etcd.read(["c a"])).rejects.toMatchObject({ code: "CLOSED" });
      await expect(put(etcd, "c a", "1")).rejects.toMatchObject({ code: "CLOSED", outcome: "not-applied" });
    });

    it("an abort signal ends a read or a commit with ABORTED", async () => {
      const etcd = await open();
      const signal = AbortSignal.abort();
      await expect(etcd.read(["c a"], { signal })).rejects.toMatchObject({ code: "ABORTED" });
      const writes = [{ key: "c a", value: "1" }];
      await expect(etcd.commit({ checks: [], writes }, { signal })).rejects.toMatchObject({
        code: "ABORTED",
        outcome: "not-applied",
      });
      const controller = new AbortController();
      const sent = etcd.commit({ checks: [], writes }, { signal: controller.signal });
      setImmediate(() => controller.abort());
      const outcome = (await sent.catch((error: unknown) => error)) as { ok?: boolean; code?: string };
      expect(outcome.ok === true || outcome.code === "ABORTED", JSON.stringify(outcome)).toBe(true);
    });
  });
});
