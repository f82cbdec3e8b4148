import { fileURLToPath } from "node:url";
import { type Harness, onServer } from "@ojm/conformance";
import { backend } from "@ojm/redis";
import { type RedisBinary, startRedis, startRedisCluster, startSentinel } from "@ojm/testing/redis";
import { DEADLINE } from "./deadline.js";

const module: string = fileURLToPath(import.meta.resolve("@ojm/redis"));

/** No node is brought down here: a node that cannot answer on a busy machine must not count as dead. */
const SILENCE = 30_000;

/** One server, with every fault. It keeps its data over a restart. */
export function singleServer(binary: RedisBinary): Harness {
  return onServer({
    name: binary === "redis-server" ? "redis" : "valkey",
    type: backend,
    module,
    deadline: DEADLINE,
    async start() {
      const server = await startRedis({ binary, args: ["--appendonly", "yes", "--appendfsync", "always"] });
      return {
        port: server.port,
        faults: {
          async pause() {
            server.freeze();
            return async () => server.thaw();
          },
          async restart() {
            await server.kill();
            await server.start();
          },
        },
        stop: () => server.stop(),
      };
    },
    args: (port, _server, deadline) => ({ host: "127.0.0.1", port, deadline }),
  });
}

/** A Cluster of three masters. Its clients connect to each node directly, so there is no proxy in between. */
export const cluster: Harness = onServer({
  name: "redis cluster",
  type: backend,
  module,
  deadline: DEADLINE,
  start: () => startRedisCluster({ silence: SILENCE }),
  args: (_port, { nodes }, deadline) => ({ cluster: { nodes }, deadline }),
});

/** A master and its replica under three Sentinels, from which the clients learn where the master is. */
export const sentinel: Harness = onServer({
  name: "redis sentinel",
  type: backend,
  module,
  deadline: DEADLINE,
  start: () => startSentinel({ silence: SILENCE }),
  args: (_port, { name, sentinels }, deadline) => ({ name, sentinels, deadline }),
});
