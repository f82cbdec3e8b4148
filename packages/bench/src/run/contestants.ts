import { openChannel, openJobManager } from "@ojm/core";
import { loadRivals } from "../rivals.js";
import { stores } from "../stores.js";
import type { Contestant, RawStore, Spec } from "./contestant.js";

type Opener = (address: string) => Contestant | Promise<Contestant>;

async function rival(file: string, name: string): Promise<Opener> {
  return (await loadRivals(file))[name] as Opener;
}

/** The contestants beside our manager. Each is loaded only in its own process. */
const others: Readonly<Record<string, () => Promise<Opener>>> = {
  "floor on simple": async () => (await import("../floors/memory.js")).memoryFloor,
  "floor on level": async () => (await import("../floors/level.js")).levelFloor,
  "floor on sqlite": async () => (await import("../floors/sqlite.js")).sqliteFloor,
  "floor on redis": async () => (await import("../floors/redis.js")).redisFloor,
  "floor on etcd": async () => (await import("../floors/etcd.js")).etcdFloor,
  "redlock on redis": async () => rival("redis.ts", "redlockPeer"),
  "redis-semaphore on redis": async () => rival("redis.ts", "redisSemaphorePeer"),
  "bullmq on redis": async () => rival("redis.ts", "bullmqPeer"),
  "floor on postgres": async () => (await import("../floors/postgres.js")).postgresFloor,
  "etcd3 Lock on etcd": async () => (await import("../peers/etcd.js")).etcdLockPeer,
  "pg-boss on postgres": async () => rival("postgres.ts", "pgBossPeer"),
  "graphile-worker on postgres": async () => rival("postgres.ts", "graphileWorkerPeer"),
  "bullmq on postgres": async () => rival("postgres.ts", "bullmqPeer"),
};

/** The contestants on a store, ours first if it has a backend for it. */
export function contestantsOn(store: string): string[] {
  const suffix = ` on ${store}`;
  const names = Object.keys(others).flatMap((each) => (each.endsWith(suffix) ? [each.slice(0, -suffix.length)] : []));
  return names.includes("floor") ? ["ojm", ...names] : names;
}

/** Opens our manager, a floor or a peer. */
export async function openContestant(spec: Spec): Promise<Contestant> {
  return spec.clients === undefined ? openOne(spec) : openClients(spec, spec.clients);
}

/** Several clients as one contestant: each runs the names that fall to it, under a prefix of this process. */
async function openClients(spec: Spec, count: number): Promise<Contestant> {
  const all = await Promise.all(Array.from({ length: count }, () => openOne(spec)));
  const [first] = all;
  if (first === undefined) throw new Error("there is no client");
  return {
    run: (job) => (all[Number(job.split("-").at(-1)) % count] ?? first).run(`${process.pid}-${job}`),
    records: () => first.records(),
    async close() {
      for (const client of all) await client.close();
    },
  };
}

async function openOne({ name, store, address }: Spec): Promise<Contestant> {
  if (name === "ojm") return openOurs(store, address);
  const load = others[`${name} on ${store}`];
  if (load === undefined) throw new Error(`there is no contestant "${name}" on ${store}`);
  return (await load())(address);
}

async function openOurs(name: string, address: string): Promise<Contestant> {
  const options = stores.find((store) => store.name === name)?.options(address) ?? {};
  const manager = await openJobManager(options);
  const channel = await openChannel("verbs", options.chJobs ?? {});
  const verbs: RawStore = {
    get: (key) => channel.get(key),
    set: (key, value) => channel.set(key, value as string),
    async compareAndSet(key, version, value) {
      const result = await channel.compareAndSet(key, version, value as string);
      return result.ok ? result.version : undefined;
    },
  };
  return {
    run: (job) => manager.run(job, () => undefined),
    verbs,
    async records() {
      let records = 0;
      for await (const record of manager.history()) if (record.status === "completed") records++;
      return records;
    },
    async close() {
      await channel.close();
      await manager.close();
    },
  };
}
