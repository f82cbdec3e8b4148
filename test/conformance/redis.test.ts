import { createRequire } from "node:module";
import { type Harness, onServer, register } from "@ojm/conformance";
import { backend } from "@ojm/redis";
import { describe, it } from "vitest";
import { type RedisServer, startRedis } from "../../packages/redis/src/testing/servers.js";

function redis(name: string, args: readonly string[]): Harness {
  return onServer<RedisServer & { faults: object }>({
    name,
    type: backend,
    module: createRequire(import.meta.url).resolve("@ojm/redis"),
    start: async () => withFaults(await startRedis({ args })),
    args: (port) => ({ url: `redis://127.0.0.1:${port}`, deadline: 1_500 }),
    deadline: 1_500,
  });
}

function withFaults(server: RedisServer) {
  const faults = {
    async restart() {
      await server.kill();
      await server.start();
    },
    async pause() {
      server.freeze();
      return async () => server.thaw();
    },
  };
  return { ...server, faults };
}

register({ describe, it }, redis("redis", []));
register({ describe, it }, redis("redis, kept on disk", ["--appendonly", "yes", "--appendfsync", "always"]), {
  only: ["SUP", "TTL", "ERR", "LIN"],
});
