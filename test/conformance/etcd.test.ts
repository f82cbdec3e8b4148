import { createRequire } from "node:module";
import { http2Requests, onServer, register } from "@ojm/conformance";
import { backend } from "@ojm/etcd";
import { describe, it } from "vitest";
import { type EtcdServer, startEtcd, startEtcdCluster } from "../../packages/etcd/src/testing/servers.js";

const module = createRequire(import.meta.url).resolve("@ojm/etcd");

const single = onServer({
  name: "etcd",
  type: backend,
  module,
  counter: http2Requests,
  async start() {
    const server = await startEtcd();
    const faults = {
      async restart() {
        await server.kill();
        await server.restart();
      },
      async pause() {
        await server.pause();
        return async () => server.resume();
      },
    };
    return { port: Number(server.host.split(":")[1]), faults, stop: () => server.stop() };
  },
  args: (port) => ({ hosts: `127.0.0.1:${port}`, deadline: 1_500 }),
  deadline: 1_500,
});

const cluster = onServer({
  name: "etcd, three nodes",
  type: backend,
  module,
  async start() {
    const servers: EtcdServer[] = await startEtcdCluster(3);
    let turn = 0;
    const faults = {
      async restart() {
        const server = servers[turn++ % servers.length];
        await server?.kill();
        await server?.restart();
      },
    };
    const stop = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.stop())));
    return { faults, stop, hosts: servers.map(({ host }) => host) };
  },
  args: (_port, { hosts }) => ({ hosts, deadline: 3_000 }),
  deadline: 3_000,
});

register({ describe, it }, single);
register({ describe, it }, cluster, { profile: "smoke" });
