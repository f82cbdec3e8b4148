import { type RedisBinary, type RedisServer, startRedis, startRedisCluster } from "@ojm/testing/redis";

/** Running servers, and the options to open them. */
export interface Setup {
  readonly args: Readonly<Record<string, unknown>>;
  readonly servers: readonly RedisServer[];
  stop(): Promise<void>;
}

async function single(binary: RedisBinary): Promise<Setup> {
  const server = await startRedis({ binary });
  return { args: { url: server.url }, servers: [server], stop: () => server.stop() };
}

async function cluster(): Promise<Setup> {
  const { nodes, servers, stop } = await startRedisCluster();
  return { args: { cluster: { nodes } }, servers, stop };
}

/** The setups on which every behaviour must be the same. */
export const setups: readonly { readonly title: string; readonly binary: RedisBinary; start(): Promise<Setup> }[] = [
  { title: "Redis", binary: "redis-server", start: () => single("redis-server") },
  { title: "Valkey", binary: "valkey-server", start: () => single("valkey-server") },
  { title: "Redis Cluster", binary: "redis-server", start: cluster },
];
