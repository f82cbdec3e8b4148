import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { justAfter } from "@ojm/core/backend";
import { temporaryFolder } from "@ojm/testing/folder";
import { jsArgs } from "@ojm/testing/programs";
import { type RedisServer, type RedisServerOptions, startRedis, until, whyMissing } from "@ojm/testing/redis";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { LeapingClock } from "./testing/clock.js";
import { startProxy } from "./testing/proxy.js";
import { faultOf, get, keysOf, open, put, remove, watch, watchKey, watchPrefix } from "./testing/stores.js";

const KEY = 'jobs "a ';
const missing = whyMissing("redis-server");
if (missing !== undefined) console.warn(`skipped, faults of Redis: ${missing}`);

async function server(options: RedisServerOptions = {}): Promise<RedisServer> {
  const started = await startRedis(options);
  onTestFinished(() => started.stop());
  return started;
}

describe.skipIf(missing !== undefined)("a Redis server that is away", () => {
  it.each(["127.0.0.1", "localhost"])(
    "without a server on this host, the error says how to start one: %s",
    async (host) => {
      const redis = await server();
      await redis.kill();
      await expect(open({ host, port: redis.port, deadline: 1_000 })).rejects.toThrow(
        `no connection within 1 s. To start a server on this host: redis-server --port ${redis.port}, or docker run -p ${redis.port}:6379 redis`,
      );
    },
  );

  it("opening a backend fails with UNAVAILABLE within the deadline if the server is away", async () => {
    const redis = await server();
    await redis.kill();
    expect(await faultOf(open({ url: redis.url, deadline: 3_000 }))).toEqual({
      code: "UNAVAILABLE",
      retryable: true,
      outcome: "not-applied",
      message: expect.stringContaining(`Redis at 127.0.0.1:${redis.port}`),
    });
  });

  it("opening a backend waits until a server that is away comes back", async () => {
    const redis = await server();
    await redis.kill();
    const opening = open({ url: redis.url, deadline: 20_000 });
    await redis.start();
    expect(await get(await opening, KEY)).toBeUndefined();
  });

  it("each call to a server that is away fails as not applied, and never reports an entry as absent", async () => {
    const redis = await server();
    const store = await open({ url: redis.url, deadline: 3_000 });
    await put(store, KEY, "1");
    await redis.kill();
    const range = { from: "jobs ", to: "jobs!", reverse: false, limit: 1, values: true };
    // One call may fail before the client notices.
    await faultOf(store.read([KEY]));
    const faults = await Promise.all([put(store, KEY, "2"), store.read([KEY]), store.scan(range)].map(faultOf));
    for (const fault of faults) {
      expect(fault).toMatchObject({ code: "UNAVAILABLE", retryable: true, outcome: "not-applied" });
    }
    const sink = { change() {}, gap() {}, fail() {} };
    expect(await faultOf(store.watch(range, sink))).toMatchObject({ code: "UNAVAILABLE", retryable: true });
  });

  it("a server that comes back is used at once, also by calls that waited, and versions still increase", async () => {
    const redis = await server();
    const store = await open({ url: redis.url, deadline: 20_000 });
    const version = await put(store, KEY, "1");
    await redis.kill();
    const waiting = put(store, KEY, "2");
    await redis.start();
    // A call that was sent just before the client noticed has no known outcome. All others are done.
    await waiting.catch((error: unknown) => expect(error).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" }));
    // It came back without data, but its versions still increase.
    expect(Number(await put(store, KEY, "3"))).toBeGreaterThan(Number(version));
  });

  it("a watch reports a gap and continues as soon as the server is back", async () => {
    const redis = await server();
    const store = await open({ url: redis.url, deadline: 20_000 });
    const notes = await watch(store, "jobs");
    await redis.kill();
    await redis.start();
    await until(() => notes.gaps === 1, "the watch reports a gap");
    const version = await put(store, KEY, "1");
    await until(() => notes.changes.length === 1, "the watch reports the change");
    expect(notes.all).toEqual(["gap", { key: KEY, value: "1", version }]);
  });

  it("a server that writes each commit to its disk keeps entries and versions when it is killed", async () => {
    const redis = await server({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
    const store = await open({ url: redis.url, deadline: 20_000 });
    expect(store.supports.durability).toBe("host");
    const version = await put(store, KEY, "1");
    await redis.kill();
    await redis.start();
    await until(async () => (await store.read([KEY]).catch(() => [])).length === 1, "it is back");
    expect(await get(store, KEY)).toEqual({ key: KEY, value: "1", version });
    expect(await keysOf(store, "jobs")).toEqual([KEY]);
  });
});

describe.skipIf(missing !== undefined)("a Redis server that is frozen", () => {
  it("a commit to a frozen server times out with an unknown outcome, and calls succeed once the server wakes", async () => {
    const redis = await server();
    const store = await open({ url: redis.url, deadline: 3_000 });
    await put(store, KEY, "1");
    redis.freeze();
    expect(await faultOf(put(store, KEY, "2"))).toMatchObject({ code: "TIMEOUT", retryable: true, outcome: "unknown" });
    // After two silent deadlines the connection is given up: this call may still use it, or not.
    const fault = await faultOf(store.read([KEY]));
    expect(["TIMEOUT", "UNAVAILABLE"]).toContain(fault["code"]);
    redis.thaw();
    await until(async () => (await store.read([KEY]).catch(() => [])).length === 1, "it answers again");
    expect(["1", "2"]).toContain((await get(store, KEY))?.value);
  });

  it("a connection to a server that stays frozen is given up, and calls and watches continue once it wakes", async () => {
    const redis = await server();
    const store = await open({ url: redis.url, deadline: 3_000 });
    const notes = await watch(store, "jobs");
    redis.freeze();
    await until(
      async () => (await faultOf(store.read([KEY])))["outcome"] === "not-applied",
      "the connection was given up: calls are not sent any more",
    );
    redis.thaw();
    await until(async () => (await store.read([KEY]).catch(() => [])).length === 1, "it answers again");
    // If the listening connection survived, it reports the change. If it was given up, the watch reports a
    // gap.
    await put(store, KEY, "1");
    await until(() => notes.all.length > 0, "the watch continues");
  });

  it("an aborted call to a frozen server ends at once, with the outcome unknown only if it was sent", async () => {
    const redis = await server();
    const store = await open({ url: redis.url, deadline: 20_000 });
    redis.freeze();
    const call = new AbortController();
    const commit = store.commit({ checks: [], writes: [{ key: KEY, value: "1" }] }, { signal: call.signal });
    // It is sent at the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    call.abort();
    expect(await faultOf(commit)).toMatchObject({ code: "ABORTED", outcome: "unknown" });
    const never = store.commit({ checks: [], writes: [{ key: KEY, value: "2" }] }, { signal: call.signal });
    expect(await faultOf(never)).toMatchObject({ code: "ABORTED", outcome: "not-applied" });
    redis.thaw();
  });

  it("a frozen server does not keep the process alive after the backend is closed", async () => {
    const redis = await server();
    const program = `
      import { backend } from "@ojm/redis";
      import { systemClock } from "@ojm/core/backend";
      const store = await backend.open({ url: ${JSON.stringify(redis.url)} }, { clock: systemClock });
      await store.watch({ from: "jobs ", to: "jobs!" }, { change() {}, gap() {}, fail() {} });
      process.stdout.write("open");
      await new Promise((resolve) => process.stdin.once("data", resolve));
      process.stdin.destroy();
      await store.close();
    `;
    const flags = [...jsArgs(), "--input-type=module", "--eval", program];
    const child = spawn(process.execPath, flags, { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    redis.freeze();
    child.stdin.write("close");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });
});

describe.skipIf(missing !== undefined)("a Redis server that refuses", () => {
  it("a full server refuses a commit with puts as a whole, with FULL, and still carries out deletes", async () => {
    const redis = await server();
    const store = await open({ url: redis.url });
    const keys = ['jobs "a ', 'jobs "b '];
    for (const key of keys) await put(store, key, "1");
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    const full = { code: "FULL", retryable: true, outcome: "not-applied" };
    expect(await faultOf(put(store, 'jobs "c ', "1"))).toMatchObject(full);
    // A full server accepts a delete. The delete must neither let the puts beside it pass, nor be applied
    // without them.
    const writes = [
      { key: 'jobs "a ', value: null },
      { key: 'jobs "c ', value: "1", ttl: 60_000 },
    ];
    expect(await faultOf(store.commit({ checks: [], writes }))).toMatchObject(full);
    expect(await keysOf(store, "jobs")).toEqual(keys);
    expect((await store.read(keys)).map((entry) => entry?.value)).toEqual(["1", "1"]);
    const versions = [];
    for (const key of keys) versions.push(Number(await remove(store, key)));
    expect(versions[1]).toBeGreaterThan(versions[0] ?? 0);
    expect(await keysOf(store, "jobs")).toEqual([]);
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    expect(Number(await put(store, KEY, "1"))).toBeGreaterThan(versions[1] ?? 0);
  });

  it("a wrong password is refused at once with DENIED, and no error shows the password", async () => {
    const redis = await server({ args: ["--requirepass", "s3cret"], password: "s3cret" });
    for (const args of [{ url: `redis://:wr0ng@127.0.0.1:${redis.port}` }, { url: redis.url }]) {
      const fault = await faultOf(open({ ...args, deadline: 60_000 }));
      expect(fault).toMatchObject({ code: "DENIED", retryable: false, outcome: "not-applied" });
      expect(fault["message"]).not.toContain("wr0ng");
    }
    const error: unknown = await open({ host: "127.0.0.1", port: redis.port, password: "wr0ng" }).catch(
      (e: unknown) => e,
    );
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("wr0ng");
    expect(JSON.stringify((error as Error).cause)).not.toContain("wr0ng");
    const store = await open({ host: "127.0.0.1", port: redis.port, password: "s3cret" });
    await put(store, KEY, "1");
  });

  it("a user with no more rights than the page of Redis names can use a single server", async () => {
    const redis = await server({ args: ["--appendonly", "yes"] });
    const page = readFileSync(new URL("../../../docs/reference/stores/redis.md", import.meta.url), "utf8");
    const [, rights = ""] = /^ACL SETUSER ojm (on [^`]+)$/m.exec(page) ?? [];
    await redis.command("ACL", "SETUSER", "ojm", ...rights.replace("PASSWORD", "pw").trim().split(/\s+/));
    const store = await open({ host: "127.0.0.1", port: redis.port, username: "ojm", password: "pw" });
    // CONFIG would show more, but this user may not use it.
    expect(store.supports.durability).toBe("process");
    const [notes, one] = [await watch(store, "jobs"), await watchKey(store, KEY)];
    await put(store, KEY, "1", 60_000);
    expect(await keysOf(store, "jobs")).toEqual([KEY]);
    await remove(store, KEY);
    await until(() => notes.changes.length === 2 && one.changes.length === 2, "the watch reports changes");
    const elsewhere = await open({
      host: "127.0.0.1",
      port: redis.port,
      username: "ojm",
      password: "pw",
      keyPrefix: "other:",
    });
    expect(await faultOf(put(elsewhere, KEY, "1"))).toMatchObject({ code: "DENIED", outcome: "not-applied" });
    const sink = { change() {}, gap() {}, fail() {} };
    for (const range of [
      { from: "jobs ", to: "jobs!" },
      { from: KEY, to: justAfter(KEY) },
    ]) {
      expect(await faultOf(elsewhere.watch(range, sink))).toMatchObject({ code: "DENIED" });
    }
  });

  it("a commit succeeds even if the user may not run the clean-up commands that follow it", async () => {
    const redis = await server();
    const denied = ["-zrandmember", "-exists", "-zrem", "-zcard"];
    await redis.command("ACL", "SETUSER", "ojm", "on", ">pw", "~*", "&*", "+@all", ...denied);
    const store = await open({ host: "127.0.0.1", port: redis.port, username: "ojm", password: "pw" });
    for (let i = 0; i < 100; i++) await put(store, `jobs "${i} `, "1", 60_000);
    expect(await keysOf(store, "jobs")).toHaveLength(100);
  });

  it("a watch ends with DENIED if its user has lost the right to listen when the watch reconnects", async () => {
    const redis = await server();
    const acl = ["ACL", "SETUSER", "ojm", "on", ">pw", "~*", "+@all"] as const;
    const [acl0, ...rest] = acl;
    await redis.command(acl0, ...rest, "&*");
    const store = await open({ host: "127.0.0.1", port: redis.port, username: "ojm", password: "pw" });
    const notes = await watch(store, "jobs");
    // Redis closes the connections of a user who listens to a channel that he may no longer use.
    await redis.command(acl0, ...rest, "resetchannels");
    await until(() => notes.all.length > 0, "the watch ended");
    expect(notes.all).toEqual([expect.objectContaining({ code: "DENIED" })]);
  });

  it("a watch of one first part hears the whole channel if its user may listen to no pattern", async () => {
    const redis = await server();
    const user = ["SETUSER", "ojm", "on", ">pw", "~*", "+@all", "resetchannels", "&ojm:*"];
    await redis.command("ACL", ...user);
    const store = await open({ host: "127.0.0.1", port: redis.port, username: "ojm", password: "pw" });
    const [a, b] = await Promise.all([watchPrefix(store, 'jobs "a '), watchPrefix(store, 'jobs "b ')]);
    const versions = [await put(store, 'jobs "a "x ', "1"), await put(store, 'jobs "b "x ', "1")];
    await until(() => a.all.length > 0 && b.all.length > 0, "both watches report the change");
    expect(a.all).toEqual([{ key: 'jobs "a "x ', value: "1", version: versions[0] }]);
    expect(b.all).toEqual([{ key: 'jobs "b "x ', value: "1", version: versions[1] }]);
    expect(await redis.command("PUBSUB", "NUMPAT")).toBe(0);
  });

  it("a watch of one key ends with DENIED if its user loses that right, and other watches continue", async () => {
    const redis = await server();
    const user = ["SETUSER", "ojm", "on", ">pw", "~*", "+@all", "resetchannels"];
    await redis.command("ACL", ...user, "&ojm:{jobs}", "&ojm:{jobs}:*");
    const store = await open({ host: "127.0.0.1", port: redis.port, username: "ojm", password: "pw" });
    const [all, one] = [await watch(store, "jobs"), await watchKey(store, KEY)];
    await redis.command("ACL", ...user, "&ojm:{jobs}");
    await until(() => one.all.length > 0 && all.gaps > 0, "one ended, the other listens again");
    expect(one.all).toEqual([expect.objectContaining({ code: "DENIED" })]);
    const again = { from: KEY, to: justAfter(KEY) };
    expect(await faultOf(store.watch(again, { change() {}, gap() {}, fail() {} }))).toMatchObject({ code: "DENIED" });
    const writer = await open({ url: redis.url });
    await put(writer, KEY, "1");
    await until(() => all.changes.length === 1, "the watch reports the change");
  });

  it("a database number that the server does not have is refused, and database 0 is not used instead", async () => {
    const redis = await server({ args: ["--databases", "2"] });
    const store = await open({ url: `${redis.url}/1` });
    await put(store, KEY, "1");
    expect(await keysOf(await open({ url: redis.url, db: 0 }), "jobs")).toEqual([]);
    expect(await keysOf(await open({ url: redis.url, db: 1 }), "jobs")).toEqual([KEY]);
    const fault = await faultOf(open({ url: redis.url, db: 7, deadline: 60_000 }));
    expect(fault).toMatchObject({ code: "INVALID_CONFIG", retryable: false });
  });

  it("a server that evicts entries when full is refused, unless allowEviction is set", async () => {
    const redis = await server({ args: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"] });
    const fault = await faultOf(open({ url: redis.url }));
    expect(fault).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining("allkeys-lru") });
    await put(await open({ url: redis.url, allowEviction: true }), KEY, "1");
  });

  it("a policy that evicts entries is warned of when it is set while a backend is open, once each time", async () => {
    const redis = await server();
    const warnings: string[] = [];
    const note = (warning: Error & { code?: string }): void => {
      if (warning.code === "OJM_EVICTION") warnings.push(warning.message);
    };
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const clock = new LeapingClock();
    const store = await open({ url: redis.url, deadline: 3_600_000 }, clock);
    const allowed = await open({ url: redis.url, deadline: 3_600_000, allowEviction: true }, clock);
    /** The work of heartbeats, without their pauses. */
    const beat = async (): Promise<void> => {
      clock.leap(5_000);
      await Promise.all([put(store, KEY, "1"), put(allowed, KEY, "1")]);
    };
    await redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await beat();
    await redis.command("CONFIG", "SET", "maxmemory", "100mb");
    for (const round of [1, 2]) {
      const warned = async (): Promise<boolean> => {
        await beat();
        return warnings.length >= round;
      };
      await until(warned, "the warning is there");
      expect(warnings[round - 1]).toContain("maxmemory-policy allkeys-lru");
      await beat();
      await beat();
      expect(warnings).toHaveLength(round);
      await redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
      for (let i = 0; i < 3; i++) await beat();
      await redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    }
  });

  it("a user who may not call INFO is warned of no policy, and keeps its connection", async () => {
    const redis = await server();
    await redis.command("ACL", "SETUSER", "default", "-info");
    const clock = new LeapingClock();
    const store = await open({ url: redis.url, deadline: 3_600_000 }, clock);
    for (let i = 0; i < 3; i++) {
      clock.leap(5_000);
      await put(store, KEY, "1");
    }
    expect(await get(store, KEY)).toMatchObject({ value: "1" });
  });

  it("a write fails with READ_ONLY on a replica, and with UNAVAILABLE if too few replicas are connected", async () => {
    const redis = await server({ args: ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "10"] });
    const store = await open({ url: redis.url });
    expect(await faultOf(put(store, KEY, "1"))).toMatchObject({
      code: "UNAVAILABLE",
      retryable: true,
      outcome: "not-applied",
    });
    const replica = await server({ args: ["--replicaof", "127.0.0.1", String(redis.port)] });
    await until(
      async () =>
        store.commit({ checks: [], writes: [{ key: KEY, value: "1" }] }).then(
          ({ ok }) => ok,
          () => false,
        ),
      "the replica is there",
    );
    const onReplica = await open({ url: replica.url });
    expect(await faultOf(put(onReplica, KEY, "1"))).toMatchObject({
      code: "READ_ONLY",
      retryable: true,
      outcome: "not-applied",
    });
  });

  it("a read fails with CORRUPT if the Redis key of the entry holds another type of value", async () => {
    const redis = await server();
    const store = await open({ url: redis.url });
    await redis.command("LPUSH", `ojm:{jobs}:${KEY.slice(5)}`, "of somebody else");
    expect(await faultOf(store.read([KEY]))).toMatchObject({ code: "CORRUPT", outcome: "not-applied" });
  });
});

const noTls = spawnSync("openssl", ["version"]).status === 0 ? missing : (missing ?? "openssl is not installed");
if (noTls !== undefined) console.warn(`skipped, TLS: ${noTls}`);

describe.skipIf(noTls !== undefined)("TLS to Redis", () => {
  it("a backend speaks TLS, and opening fails at once if the certificate is not trusted", async () => {
    const folder = temporaryFolder();
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"];
    const request = ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    execFileSync("openssl", [...request, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
    const files = [
      "--tls-cert-file",
      cert,
      "--tls-key-file",
      key,
      "--tls-ca-cert-file",
      cert,
      "--tls-auth-clients",
      "no",
    ];
    const redis = await server();
    for (let at = 0; at < files.length; at += 2) {
      await redis.command("CONFIG", "SET", String(files[at]).slice(2), String(files[at + 1]));
    }
    const port = await listenByTls(redis);
    const store = await open({ url: `rediss://localhost:${port}`, tls: { ca: readFileSync(cert, "utf8") } });
    const notes = await watch(store, "jobs");
    await put(store, KEY, "1");
    await until(() => notes.changes.length === 1, "the watch reports the change");
    const fault = await faultOf(open({ url: `rediss://localhost:${port}`, deadline: 60_000 }));
    expect(fault).toMatchObject({ code: "UNAVAILABLE", retryable: false, outcome: "not-applied" });
    expect(fault["message"]).toContain("tls");
    const without = await faultOf(open({ url: redis.url.replace("redis:", "rediss:"), deadline: 1_000 }));
    expect(without).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(without["message"]).toContain("asks for TLS: does the server speak it?");
  });
});

describe.skipIf(missing !== undefined)("configuration of a Redis backend", () => {
  it("backends with different key prefixes see only their own entries, even if one prefix begins with another", async () => {
    const redis = await server();
    const prefixes = ["ojm:", "ojm:x", "*", "", "{tag}:"];
    for (const keyPrefix of prefixes) await put(await open({ url: redis.url, keyPrefix }), KEY, keyPrefix);
    for (const keyPrefix of prefixes) {
      const store = await open({ url: redis.url, keyPrefix });
      expect((await get(store, KEY))?.value).toBe(keyPrefix);
      expect(await keysOf(store, "jobs")).toEqual([KEY]);
    }
  });

  it("a client that the caller passed in stays open and unchanged when the backend is closed", async () => {
    const redis = await server();
    const client = new Redis(redis.url, { keyPrefix: "mine:" });
    onTestFinished(() => client.disconnect());
    const store = await open({ client });
    const notes = await watch(store, "jobs");
    await put(store, KEY, "1");
    await until(() => notes.changes.length === 1, "the watch reports the change");
    await store.close();
    expect(await client.ping()).toBe("PONG");
    expect(client.mode).toBe("normal");
    expect(await client.get('ojm:{jobs}:"a ')).toMatch(/^[0-9]+ - 1$/);
  });

  it("a closed backend rejects calls with CLOSED", async () => {
    const redis = await server();
    const store = await open({ url: redis.url });
    const [pending] = await Promise.allSettled([put(store, KEY, "1"), store.close()]);
    if (pending.status === "rejected") expect(pending.reason).toMatchObject({ code: "CLOSED" });
    expect(await faultOf(store.read([KEY]))).toMatchObject({ code: "CLOSED", outcome: "not-applied" });
  });
});

describe.skipIf(missing !== undefined)("a lost reply of Redis", () => {
  it("a commit whose reply is lost ends with an unknown outcome, is applied once and is not sent again", async () => {
    const redis = await server();
    const proxy = await startProxy(redis.port);
    const store = await open({ host: "127.0.0.1", port: proxy.port, deadline: 20_000 });
    const version = await put(store, KEY, "0");
    proxy.cutAfterNextAnswer();
    const once = { checks: [{ key: KEY, version }], writes: [{ key: KEY, value: "1" }] };
    expect(await faultOf(store.commit(once))).toMatchObject({
      code: "UNAVAILABLE",
      retryable: true,
      outcome: "unknown",
    });
    const entry = await get(store, KEY);
    expect(entry?.value).toBe("1");
    const published = String(await redis.command("INFO", "commandstats")).match(/cmdstat_publish:calls=(\d+)/)?.[1];
    // Each of the two commits under two names.
    expect(published).toBe("4");
  });
});

/** Lets a server listen on one more port, where it speaks TLS. */
async function listenByTls(redis: RedisServer): Promise<number> {
  for (let port = redis.port + 1; ; port++) {
    const taken = await redis.command("CONFIG", "SET", "tls-port", String(port)).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    if (taken === undefined) return port;
    if (!/listen/i.test(taken)) throw new Error(taken);
  }
}
