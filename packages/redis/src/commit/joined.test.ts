import type { Backend, CallOptions, CommitOutcome } from "@ojm/core/backend";
import { type RedisServer, type RedisServerOptions, startRedis, until, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { startProxy } from "../testing/proxy.js";
import { applied, faultOf, get, keysOf, open, put, watch } from "../testing/stores.js";

const missing = whyMissing("redis-server");
if (missing !== undefined) console.warn(`skipped, joined commits of Redis: ${missing}`);

async function server(options: RedisServerOptions = {}): Promise<RedisServer> {
  const started = await startRedis(options);
  onTestFinished(() => started.stop());
  return started;
}

const keys = (count: number): string[] => Array.from({ length: count }, (_, i) => `jobs "${i} `);

function create(store: Backend, key: string, value: string, options?: CallOptions): Promise<CommitOutcome> {
  return store.commit({ checks: [{ key, version: null }], writes: [{ key, value }] }, options);
}

/** How many scripts the server has run. */
async function scripts(redis: RedisServer): Promise<number> {
  const stats = String(await redis.command("INFO", "commandstats"));
  const count = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  return count("evalsha") + count("eval");
}

/** Makes the server know the script of several commits. */
async function prepared(redis: RedisServer, args: Readonly<Record<string, unknown>> = {}): Promise<Backend> {
  const store = await open({ url: redis.url, ...args });
  const key = 'others "first ';
  await Promise.all([put(store, key, "1"), put(store, key, "2")]);
  await put(store, key, "3");
  return store;
}

async function values(store: Backend, of: readonly string[]): Promise<(string | undefined)[]> {
  return (await store.read(of)).map((entry) => entry?.value);
}

const ended = (calls: readonly Promise<unknown>[]): Promise<PromiseSettledResult<unknown>[]> =>
  Promise.allSettled(calls);

describe.skipIf(missing !== undefined)("commits of one turn", () => {
  it("the commits of one turn are one call, with versions of their own that increase in their order", async () => {
    const redis = await server();
    const store = await prepared(redis);
    const before = await scripts(redis);
    const versions = await Promise.all(keys(20).map((key) => put(store, key, key)));
    expect((await scripts(redis)) - before).toBe(1);
    const numbers = versions.map(BigInt);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => (a < b ? -1 : 1)));
    expect(await store.read(keys(20))).toEqual(keys(20).map((key, i) => ({ key, value: key, version: versions[i] })));
    expect(BigInt(await put(store, 'jobs "later ', "1"))).toBeGreaterThan(numbers.at(-1) ?? 0n);
  });

  it("a commit that is refused gets the entries in its way, and its neighbours are applied", async () => {
    const store = await prepared(await server());
    const [a, b, c] = keys(3) as [string, string, string];
    const version = await put(store, b, "taken");
    const outcomes = await Promise.all([create(store, a, "1"), create(store, b, "1"), create(store, c, "1")]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(outcomes[1]).toEqual({ ok: false, current: [{ key: b, value: "taken", version }] });
    expect(await values(store, [a, b, c])).toEqual(["1", "taken", "1"]);
  });

  it("a refused commit names the entry of each check in the order of the checks", async () => {
    const store = await prepared(await server());
    const [a, b, c, d] = keys(4) as [string, string, string, string];
    const [va, vb, vc] = [await put(store, a, "a"), await put(store, b, "b"), await put(store, c, "c")];
    const checks = [
      { key: a, version: va },
      { key: b, version: null },
      { key: c, version: "1" },
      { key: d, version: null },
    ];
    const current = [
      { key: a, value: "a", version: va },
      { key: b, value: "b", version: vb },
      { key: c, value: "c", version: vc },
      undefined,
    ];
    const refused = { checks, writes: [{ key: d, value: "never" }] };
    expect(await store.commit(refused)).toEqual({ ok: false, current });
    const [one, two] = await Promise.all([store.commit(refused), store.commit(refused)]);
    expect([one, two]).toEqual([
      { ok: false, current },
      { ok: false, current },
    ]);
  });

  it("of two commits of one call on one key the second sees the first", async () => {
    const store = await prepared(await server());
    const [key = ""] = keys(1);
    const [first, second] = await Promise.all([create(store, key, "1"), create(store, key, "2")]);
    if (!first.ok) throw new Error("the first was refused");
    expect(second).toEqual({ ok: false, current: [{ key, value: "1", version: first.version }] });
    const { version } = first;
    const swap = { checks: [{ key, version }], writes: [{ key, value: null }] };
    const [gone, again] = await Promise.all([store.commit(swap), create(store, key, "3")]);
    expect([gone.ok, again.ok]).toEqual([true, true]);
    expect(await values(store, [key])).toEqual(["3"]);
  });

  it("a read comes after the commits that were made before it in the same turn", async () => {
    const store = await prepared(await server());
    const [key = ""] = keys(1);
    // A script that the server does not know is sent a second time, and then arrives later in any case.
    await get(store, key);
    const [, entry] = await Promise.all([put(store, key, "1"), get(store, key)]);
    expect(entry?.value).toBe("1");
  });

  it("a watch reports each commit of a call, in their order", async () => {
    const store = await prepared(await server());
    const notes = await watch(store, "jobs");
    const [a = "", b = ""] = keys(2);
    const versions = await Promise.all([put(store, a, "1"), put(store, b, "1", 60_000), put(store, a, "2")]);
    await until(() => notes.changes.length === 3, "the watches report everything");
    expect(notes.changes.map(({ key, version }) => [key, version])).toEqual(
      [a, b, a].map((key, i) => [key, versions[i]]),
    );
  });

  it("the versions of a call continue from the last one if that is ahead of the clock, and stay in the store", async () => {
    const redis = await server();
    const store = await prepared(redis);
    const ahead = (BigInt(Date.now()) + 3_600_000n) * 1_000n;
    await redis.command("SET", "ojm:version", String(ahead));
    const versions = await Promise.all(keys(3).map((key) => put(store, key, "1")));
    expect(versions).toEqual([1n, 2n, 3n].map((i) => String(ahead + i)));
    expect(await redis.command("GET", "ojm:version")).toBe(String(ahead + 3n));
  });

  it("a call takes 32 commits at most, and a large commit gets a call of its own", async () => {
    const redis = await server();
    const store = await prepared(redis);
    const count = async (made: readonly Promise<unknown>[]): Promise<number> => {
      await Promise.all(made);
      return scripts(redis);
    };
    const before = await scripts(redis);
    const many = await count(keys(100).map((key) => put(store, key, "1")));
    expect(many - before).toBe(4);
    const large = await count(keys(3).map((key) => put(store, key, "v".repeat(40_000))));
    expect(large - many).toBe(3);
    expect(await values(store, keys(3))).toEqual(keys(3).map(() => "v".repeat(40_000)));
  });

  it("a call whose script the server has forgotten is repeated by its text, once", async () => {
    const redis = await server();
    const store = await prepared(redis);
    await redis.command("SCRIPT", "FLUSH");
    const outcomes = await Promise.all(keys(3).map((key) => create(store, key, "1")));
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true]);
    await redis.command("SCRIPT", "FLUSH");
    expect(await values(store, keys(3))).toEqual(["1", "1", "1"]);
  });
});

describe.skipIf(missing !== undefined)("a caller that aborts one of the commits of a turn", () => {
  it("a commit that is aborted before the turn ends is not applied, and its neighbours are", async () => {
    const store = await prepared(await server());
    const stop = new AbortController();
    const [a, b, c] = keys(3) as [string, string, string];
    const calls = [create(store, a, "1"), create(store, b, "1", { signal: stop.signal }), create(store, c, "1")];
    stop.abort();
    expect(await faultOf(calls[1] as Promise<unknown>)).toMatchObject({ code: "ABORTED", outcome: "not-applied" });
    expect((await ended(calls)).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await values(store, [a, b, c])).toEqual(["1", undefined, "1"]);
  });

  it("a commit that is aborted after its call was sent is unknown at once, and its neighbours are answered", async () => {
    const redis = await server();
    const store = await prepared(redis, { deadline: 20_000 });
    const stop = new AbortController();
    const [a, b] = keys(2) as [string, string];
    redis.freeze();
    const neighbour = create(store, a, "1");
    const aborted = create(store, b, "1", { signal: stop.signal });
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await faultOf(aborted)).toMatchObject({ code: "ABORTED", outcome: "unknown" });
    redis.thaw();
    expect((await neighbour).ok).toBe(true);
  });

  it("a commit that is aborted while there is no connection is never applied", async () => {
    const redis = await server({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
    const store = await prepared(redis, { deadline: 20_000 });
    await redis.kill();
    await until(async () => {
      const probe = new AbortController();
      const call = store.read(keys(1), { signal: probe.signal });
      await new Promise((resolve) => setImmediate(resolve));
      probe.abort();
      return (await faultOf(call))["code"] === "ABORTED";
    }, "the client knows that the server is away");
    const stop = new AbortController();
    const [a, b] = keys(2) as [string, string];
    const calls = [create(store, a, "1", { signal: stop.signal }), create(store, b, "1")];
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await faultOf(calls[0] as Promise<unknown>)).toMatchObject({ code: "ABORTED", outcome: "not-applied" });
    await redis.start();
    expect((await calls[1])?.ok).toBe(true);
    expect(await values(store, [a, b])).toEqual([undefined, "1"]);
  });
});

describe.skipIf(missing !== undefined)("a call of several commits without an answer", () => {
  it("all commits of a call whose answer is lost are unknown, and each was applied once", async () => {
    const redis = await server();
    const proxy = await startProxy(redis.port);
    const store = await prepared(redis, { url: undefined, host: "127.0.0.1", port: proxy.port, deadline: 20_000 });
    const before = await scripts(redis);
    proxy.cutAfterNextAnswer();
    const faults = await Promise.all(keys(4).map((key) => faultOf(create(store, key, "1"))));
    for (const fault of faults)
      expect(fault).toMatchObject({ code: "UNAVAILABLE", retryable: true, outcome: "unknown" });
    expect(await values(store, keys(4))).toEqual(["1", "1", "1", "1"]);
    // The call, and this read by hash or by text.
    expect((await scripts(redis)) - before).toBeLessThanOrEqual(3);
    expect(await keysOf(store, "jobs")).toEqual(keys(4));
  });

  it("all commits of a call that times out are unknown, and the store shows their outcomes", async () => {
    const redis = await server();
    const proxy = await startProxy(redis.port);
    const store = await prepared(redis, { url: undefined, host: "127.0.0.1", port: proxy.port, deadline: 1_500 });
    proxy.silence();
    const faults = await Promise.all(keys(4).map((key) => faultOf(create(store, key, "1"))));
    for (const fault of faults) expect(fault).toMatchObject({ code: "TIMEOUT", retryable: true, outcome: "unknown" });
    const direct = await open({ url: redis.url });
    expect(await values(direct, keys(4))).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe.skipIf(missing !== undefined)("a server that fails one commit of a call", () => {
  it("a commit that meets foreign data is CORRUPT and not applied, and its neighbours are applied", async () => {
    const redis = await server();
    const store = await prepared(redis);
    const [a, b, c, d] = keys(4) as [string, string, string, string];
    await redis.command("LPUSH", `ojm:{jobs}:${b.slice(5)}`, "of somebody else");
    await redis.command("SET", `ojm:{jobs}:${d.slice(5)}`, "of somebody else");
    const calls = [a, b, d, c].map((key) => create(store, key, "1"));
    const corrupt = { code: "CORRUPT", outcome: "not-applied" };
    expect(await faultOf(calls[1] as Promise<unknown>)).toMatchObject(corrupt);
    expect(await faultOf(calls[2] as Promise<unknown>)).toMatchObject(corrupt);
    expect((await ended(calls)).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect(await values(store, [a, c])).toEqual(["1", "1"]);
  });

  it("a commit that fails after its first write is unknown, and its neighbours are applied", async () => {
    const redis = await server();
    const store = await prepared(redis);
    await redis.command("SET", "ojm:{broken}", "no set");
    const [a, b] = keys(2) as [string, string];
    const calls = [create(store, a, "1"), create(store, 'broken "x ', "1"), create(store, b, "1")];
    expect(await faultOf(calls[1] as Promise<unknown>)).toMatchObject({ code: "CORRUPT", outcome: "unknown" });
    expect((await ended(calls)).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await values(store, [a, b])).toEqual(["1", "1"]);
  });

  it("a full server refuses the puts of a call with FULL, and carries out the deletes between them", async () => {
    const redis = await server();
    const store = await prepared(redis);
    const [a, b, c, d] = keys(4) as [string, string, string, string];
    const [va, vb] = [await put(store, a, "1"), await put(store, b, "1")];
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    const remove = (key: string, version: string): Promise<CommitOutcome> =>
      store.commit({ checks: [{ key, version }], writes: [{ key, value: null }] });
    for (const order of [
      [() => remove(a, va), () => create(store, c, "1"), () => create(store, d, "1")],
      [() => create(store, c, "1"), () => remove(b, vb), () => create(store, d, "1")],
    ]) {
      const results = await ended(order.map((make) => make()));
      const full = results.filter(({ status }) => status === "rejected");
      expect(full).toHaveLength(2);
      for (const each of full) {
        const message = expect.stringContaining(`:${redis.port} `);
        expect(each).toMatchObject({ reason: { code: "FULL", message, retryable: true, outcome: "not-applied" } });
      }
      expect(results).toContainEqual({ status: "fulfilled", value: { ok: true, version: expect.any(String) } });
    }
    expect(await keysOf(store, "jobs")).toEqual([]);
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    expect((await create(store, c, "1")).ok).toBe(true);
  });

  it("a commit to what its user may not have is DENIED, and its neighbours are applied", async () => {
    const redis = await server();
    await redis.command("ACL", "SETUSER", "ojm", "on", ">pw", "~ojm:version", "~ojm:{jobs}*", "&*", "+@all");
    const store = await open({ host: "127.0.0.1", port: redis.port, username: "ojm", password: "pw" });
    const [a, b] = keys(2) as [string, string];
    const calls = [create(store, a, "1"), create(store, 'secret "x ', "1"), create(store, b, "1")];
    expect(await faultOf(calls[1] as Promise<unknown>)).toMatchObject({ code: "DENIED", outcome: "not-applied" });
    expect((await ended(calls)).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await values(store, [a, b])).toEqual(["1", "1"]);
  });

  it("a replica fails all commits of a call with READ_ONLY, and the client looks for another master", async () => {
    const redis = await server();
    const store = await prepared(redis);
    const other = await server();
    await redis.command("REPLICAOF", "127.0.0.1", String(other.port));
    const connections = async (): Promise<number> =>
      Number(/total_connections_received:(\d+)/.exec(String(await redis.command("INFO", "stats")))?.[1]);
    const before = await connections();
    const faults = await Promise.all(keys(3).map((key) => faultOf(create(store, key, "1"))));
    for (const fault of faults)
      expect(fault).toMatchObject({ code: "READ_ONLY", retryable: true, outcome: "not-applied" });
    let asked = 0;
    await until(async () => (await connections()) - before > ++asked, "it connects again");
  });

  it("a commit that needs replicas is a call of its own", async () => {
    const redis = await server();
    await server({ args: ["--replicaof", "127.0.0.1", String(redis.port)] });
    const store = await open({ url: redis.url, waitReplicas: 1 });
    const before = await scripts(redis);
    await Promise.all(keys(3).map((key) => applied(store, { checks: [], writes: [{ key, value: "1" }] })));
    // One may have been repeated by its text.
    expect((await scripts(redis)) - before).toBeGreaterThanOrEqual(3);
  });
});
