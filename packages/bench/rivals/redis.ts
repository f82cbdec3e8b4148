import { Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import { Mutex } from "redis-semaphore";
import Redlock from "redlock";
import { ended, started, startTimes, TTL } from "../src/floors/floor.js";
import type { Contestant } from "../src/run/contestant.js";

/** Takes the lock of a name. Resolves to a function that releases it. */
type Acquire = (job: string) => Promise<() => Promise<unknown>>;

/**
 * The usual work without a manager: a lock, an open record, the closed record, and the release: four round
 * trips. They are not atomic, so a crash in between leaves half of them, and the record can belong to a
 * holder that lost its lock.
 */
function withTwoWrites(redis: Redis, prefix: string, acquire: Acquire): Contestant {
  const next = startTimes();
  return {
    async run(job) {
      const release = await acquire(`${prefix}:lock:${job}`);
      const { record } = started(job, next(job));
      const key = `${prefix}:record:${job}:${record.startTime}`;
      await redis.set(key, JSON.stringify(record));
      await redis.set(key, JSON.stringify(ended(record, "", Date.now())));
      await release();
    },
    records: async () => (await redis.keys(`${prefix}:record:*`)).length,
    async close() {
      await redis.quit();
    },
  };
}

export function redlockPeer(url: string): Contestant {
  const redis = new Redis(url);
  const locks = new Redlock([redis], { retryDelay: 50 });
  return withTwoWrites(redis, "redlock", async (job) => {
    const lock = await locks.acquire([job], TTL);
    return () => lock.release();
  });
}

export function redisSemaphorePeer(url: string): Contestant {
  const redis = new Redis(url);
  return withTwoWrites(redis, "semaphore", async (job) => {
    const mutex = new Mutex(redis as never, job, { lockTimeout: TTL });
    await mutex.acquire();
    return () => mutex.release();
  });
}

/** A job that is added, and awaited until a worker of this process has completed it. */
export async function bullmqPeer(url: string): Promise<Contestant> {
  const { hostname: host, port } = new URL(url);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const queue = new Queue("runs", { connection });
  const events = new QueueEvents("runs", { connection });
  const worker = new Worker("runs", async () => {}, { connection, concurrency: 1 });
  // A rejected run reports it.
  queue.on("error", () => {});
  events.on("error", () => {});
  worker.on("error", () => {});
  // Each awaited run adds a listener. Without this, the warnings would be measured.
  queue.setMaxListeners(0);
  events.setMaxListeners(0);
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  return {
    async prepare(width) {
      worker.concurrency = width;
    },
    async run(name) {
      const job = await queue.add(name, { name });
      await job.waitUntilFinished(events);
    },
    records: () => queue.getCompletedCount(),
    async close() {
      await worker.close();
      await events.close();
      await queue.close();
    },
  };
}
