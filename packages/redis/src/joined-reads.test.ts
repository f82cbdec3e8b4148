import { type RedisServer, startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { faultOf, open, put } from "./testing/stores.js";

const missing = whyMissing("redis-server");
if (missing !== undefined) console.warn(`skipped, joined reads of Redis: ${missing}`);

async function server(): Promise<RedisServer> {
  const started = await startRedis();
  onTestFinished(() => started.stop());
  return started;
}

const keys = (count: number): string[] => Array.from({ length: count }, (_, i) => `jobs "${i} `);

/** How many scripts the server has run. */
async function scripts(redis: RedisServer): Promise<number> {
  const stats = String(await redis.command("INFO", "commandstats"));
  const count = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  return count("evalsha") + count("eval");
}

describe.skipIf(missing !== undefined)("reads of one turn", () => {
  it("the reads of one turn are one call, and each gets its own entries in its own order", async () => {
    const redis = await server();
    const store = await open({ url: redis.url });
    const [a, b, c] = keys(3) as [string, string, string];
    const versions = [await put(store, a, "1"), await put(store, b, "2")];
    const [one, two] = [
      { key: a, value: "1", version: versions[0] },
      { key: b, value: "2", version: versions[1] },
    ];
    await store.read([a]);
    const before = await scripts(redis);
    const found = await Promise.all([store.read([b, c, a]), store.read([a]), store.read([]), store.read([c])]);
    expect(found).toEqual([[two, undefined, one], [one], [], [undefined]]);
    expect((await scripts(redis)) - before).toBe(1);
  });

  it("a call has not more than 32 entries, unless they are of one read", async () => {
    const redis = await server();
    const store = await open({ url: redis.url });
    await store.read(keys(1));
    const before = await scripts(redis);
    await Promise.all(keys(65).map((key) => store.read([key])));
    expect((await scripts(redis)) - before).toBe(3);
    await Promise.all([store.read(keys(200)), store.read(keys(1))]);
    expect((await scripts(redis)) - before).toBe(5);
  });

  it("a read sees the commits that were made before it in the same turn", async () => {
    const store = await open({ url: (await server()).url });
    const [key] = keys(1) as [string];
    const writing = put(store, key, "1");
    expect((await store.read([key]))[0]?.value).toBe("1");
    await writing;
  });

  it("a read of what its user may not have is DENIED, and its neighbours are answered", async () => {
    const redis = await server();
    await redis.command("ACL", "SETUSER", "ojm", "on", ">pw", "~ojm:version", "~ojm:{jobs}*", "&*", "+@all");
    const store = await open({ host: "127.0.0.1", port: redis.port, username: "ojm", password: "pw" });
    const [a, b] = keys(2) as [string, string];
    await put(store, a, "1");
    const secret = faultOf(store.read(['secret "x ']));
    const [found, none] = await Promise.all([store.read([a]), store.read([b])]);
    expect(await secret).toMatchObject({ code: "DENIED", outcome: "not-applied" });
    expect([found?.[0]?.value, none]).toEqual(["1", [undefined]]);
  });

  it("an entry that ojm did not write fails its own read alone", async () => {
    const redis = await server();
    const store = await open({ url: redis.url });
    const [a, b] = keys(2) as [string, string];
    await put(store, a, "1");
    await put(store, b, "1");
    await redis.command("SET", 'ojm:{jobs}:"1 ', "nothing of ojm");
    const [fine, broken] = await Promise.all([store.read([a]), faultOf(store.read([b]))]);
    expect(fine[0]?.value).toBe("1");
    expect(broken).toMatchObject({ code: "CORRUPT" });
  });

  it("reads that wait for the end of the turn are answered or refused when the store is closed in that turn", async () => {
    const store = await open({ url: (await server()).url });
    const reading = store.read(keys(1)).then(
      () => "answered",
      ({ code }) => code,
    );
    await store.close();
    expect(["answered", "CLOSED"]).toContain(await reading);
  });
});
