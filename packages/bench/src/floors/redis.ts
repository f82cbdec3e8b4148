import { Redis } from "ioredis";
import type { RawStore } from "../run/contestant.js";
import { ended, type Floor, SESSION, session, started, startTimes, TTL } from "./floor.js";

/**
 * KEYS: session, lock, queue, record, records of the name, records of all names, last fence. Writes lock and
 * record in one step. Two sorted sets list the records in the order of their start.
 */
const START = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('GONE the session is over') end
  if redis.call('EXISTS', KEYS[2], KEYS[3]) ~= 0 then return false end
  local fence = redis.call('INCR', KEYS[7])
  redis.call('HSET', KEYS[2], 'fence', fence, 'value', ARGV[1])
  redis.call('SET', KEYS[4], ARGV[2])
  redis.call('ZADD', KEYS[5], ARGV[3], KEYS[4])
  redis.call('ZADD', KEYS[6], ARGV[3], KEYS[4])
  return fence`;

/** KEYS: session, lock, record. Publishes the release on the name of the lock, for the waiters. */
const END = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('GONE the session is over') end
  if redis.call('HGET', KEYS[2], 'fence') ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[3], ARGV[2])
  redis.call('DEL', KEYS[2])
  redis.call('PUBLISH', KEYS[2], 'free')
  return 1`;

const SWAP = `
  local version = redis.call('HGET', KEYS[1], 'version') or ''
  if version ~= ARGV[1] then return false end
  local next = redis.call('INCR', KEYS[2])
  redis.call('HSET', KEYS[1], 'version', next, 'value', ARGV[2])
  return next`;

const SESSION_KEY = `floor:session:${SESSION}`;

/** Two scripts on one connection. */
export async function redisFloor(url: string): Promise<Floor> {
  const redis = new Redis(url);
  const load = async (script: string): Promise<string> => String(await redis.script("LOAD", script));
  const [start = "", end = "", swap = ""] = await Promise.all([START, END, SWAP].map(load));
  const renew = (): Promise<unknown> => redis.set(SESSION_KEY, JSON.stringify(session), "PX", TTL);
  await renew();
  const heartbeat = setInterval(renew, TTL / 3);
  const next = startTimes();
  return {
    async run(job) {
      const { record, lock } = started(job, next(job));
      const [lockKey, recordKey] = [`floor:lock:${job}`, `floor:record:${job}:${record.startTime}`];
      const lists = [`floor:records:${job}`, "floor:records"] as const;
      const keys = [SESSION_KEY, lockKey, `floor:queue:${job}`, recordKey, ...lists, "floor:fence"] as const;
      const texts = [JSON.stringify(lock), JSON.stringify(record)] as const;
      const fence = await redis.evalsha(start, 7, ...keys, ...texts, record.startTime);
      if (fence === null) throw new Error(`${job} is locked`);
      const text = JSON.stringify(ended(record, String(fence), Date.now()));
      const done = await redis.evalsha(end, 3, SESSION_KEY, lockKey, recordKey, String(fence), text);
      if (done !== 1) throw new Error(`${job} was lost`);
    },
    async records() {
      let ofNames = 0;
      for (const list of await redis.keys("floor:records:*")) ofNames += await redis.zcard(list);
      return Math.min(ofNames, await redis.zcard("floor:records"));
    },
    async close() {
      clearInterval(heartbeat);
      await redis.quit();
    },
    verbs: rawStore(redis, swap),
  };
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
