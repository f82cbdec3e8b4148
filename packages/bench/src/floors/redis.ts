import { Redis } from "ioredis";
import { ended, type FloorStore, type RawStore, started, startTimes } from "./floor.js";

/**
 * Writes lock and record in one script. The fence is a counter, and the records of a name are listed in the
 * order of their start.
 */
const START = `
  if redis.call('EXISTS', KEYS[1]) == 1 then return false end
  local fence = redis.call('INCR', KEYS[4])
  redis.call('HSET', KEYS[1], 'fence', fence, 'value', ARGV[1])
  redis.call('SET', KEYS[2], ARGV[2])
  redis.call('ZADD', KEYS[3], ARGV[3], KEYS[2])
  return fence`;

const END = `
  if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[2], ARGV[2])
  return redis.call('DEL', KEYS[1])`;

const SWAP = `
  local version = redis.call('HGET', KEYS[1], 'version') or ''
  if version ~= ARGV[1] then return false end
  local next = redis.call('INCR', KEYS[2])
  redis.call('HSET', KEYS[1], 'version', next, 'value', ARGV[2])
  return next`;

/** Two scripts on one connection. */
export async function redisFloor(url: string): Promise<FloorStore> {
  const redis = new Redis(url);
  const load = async (script: string): Promise<string> => String(await redis.script("LOAD", script));
  const [start, end, swap] = await Promise.all([START, END, SWAP].map(load));
  const next = startTimes();
  const floor = {
    async run(job: string) {
      const { record, lock } = started(job, next(job));
      const [lockKey, recordKey] = [`floor:lock:${job}`, `floor:record:${job}:${record.startTime}`];
      const texts = [JSON.stringify(lock), JSON.stringify(record)] as const;
      const list = `floor:records:${job}`;
      const fence = await redis.evalsha(
        start ?? "",
        4,
        lockKey,
        recordKey,
        list,
        "floor:fence",
        ...texts,
        String(record.startTime),
      );
      if (fence === null) throw new Error(`${job} is locked`);
      const text = JSON.stringify(ended(record, String(fence), Date.now()));
      const done = await redis.evalsha(end ?? "", 2, lockKey, recordKey, String(fence), text);
      if (done !== 1) throw new Error(`${job} was lost`);
    },
    async records() {
      let count = 0;
      for (const list of await redis.keys("floor:records:*")) count += await redis.zcard(list);
      return count;
    },
    async close() {
      await redis.quit();
    },
  };
  return { floor, raw: rawStore(redis, swap ?? "") };
}

function rawStore(redis: Redis, swap: string): RawStore {
  return {
    async get(key) {
      const text = await redis.get(`raw:${key}`);
      return text === null ? undefined : JSON.parse(text);
    },
    async set(key, value) {
      await redis.set(`raw:${key}`, JSON.stringify(value));
    },
    async compareAndSet(key, version, value) {
      const next = await redis.evalsha(swap, 2, `cas:${key}`, "cas", version ?? "", JSON.stringify(value));
      return next === null ? undefined : String(next);
    },
  };
}
