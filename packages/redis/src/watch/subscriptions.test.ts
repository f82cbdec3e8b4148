import { type RedisServer, startRedis, until, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { startProxy } from "../testing/proxy.js";
import { open, put, watchKey } from "../testing/stores.js";

const missing = whyMissing("redis-server");
if (missing !== undefined) console.warn(`skipped, the listening connection of Redis: ${missing}`);

async function server(): Promise<RedisServer> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return redis;
}

/** The warnings of the process, from now until the test ends. */
function warnings(): string[] {
  const all: string[] = [];
  const note = ({ name, message }: Error): void => void all.push(`${name}: ${message}`);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  return all;
}

describe.skipIf(missing !== undefined)("the listening connection of Redis", () => {
  it("a connection that breaks before any of thirty watches is confirmed causes no process warning", async () => {
    const redis = await server();
    const proxy = await startProxy(redis.port);
    const warned = warnings();
    const store = await open({ host: "127.0.0.1", port: proxy.port, deadline: 20_000 });
    const watches = await Promise.all(Array.from({ length: 30 }, (_, i) => watchKey(store, `jobs "${i} `)));
    proxy.cutOn("subscribe", 3);
    await redis.command("CLIENT", "KILL", "TYPE", "pubsub");
    await until(() => watches.every(({ gaps }) => gaps === 1), "all watches report a gap");
    // A warning comes in the next tick of the process.
    await new Promise((resolve) => setImmediate(resolve));
    expect(warned).toEqual([]);
    for (let i = 0; i < 30; i++) await put(store, `jobs "${i} `, "1");
    await until(() => watches.every(({ changes }) => changes.length === 1), "all listen again");
  });

  it("a connection that no longer receives anything is noticed, though neither side closed it, and the watch reports a gap", async () => {
    const redis = await server();
    const proxy = await startProxy(redis.port);
    const store = await open({ host: "127.0.0.1", port: proxy.port, deadline: 1_500 });
    const notes = await watchKey(store, 'jobs "a ');
    proxy.silence();
    await until(() => notes.gaps > 0, "the watch reports a gap");
    const writer = await open({ url: redis.url });
    await until(async () => {
      await put(writer, 'jobs "a ', "1");
      return notes.changes.length > 0;
    }, "it listens again");
  });
});
