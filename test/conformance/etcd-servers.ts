import { fileURLToPath } from "node:url";
import { type Harness, http2Requests, onServer } from "@ojm/conformance";
import { backend } from "@ojm/etcd";
import { startEtcd, startEtcdCluster } from "@ojm/testing/etcd";
import { DEADLINE } from "./deadline.js";

const module: string = fileURLToPath(import.meta.resolve("@ojm/etcd"));

/** One node, with every fault. */
export const single: Harness = onServer({
  name: "etcd",
  type: backend,
  module,
  deadline: DEADLINE,
  counter: http2Requests,
  async start() {
    const server = await startEtcd();
    return {
      port: Number(server.host.split(":")[1]),
      faults: {
        async pause() {
          await server.pause();
          return async () => server.resume();
        },
        async restart() {
          await server.kill();
          await server.restart();
        },
      },
      stop: () => server.stop(),
    };
  },
  args: (port, _server, deadline) => ({ hosts: `127.0.0.1:${port}`, deadline }),
});

/** Three nodes. */
export const threeNodes: Harness = onServer({
  name: "etcd, three nodes",
  type: backend,
  module,
  deadline: DEADLINE,
  async start() {
    const nodes = await startEtcdCluster(3);
    return {
      hosts: nodes.map(({ host }) => host),
      async stop() {
        await Promise.all(nodes.map((node) => node.stop()));
      },
    };
  },
  args: (_port, { hosts }, deadline) => ({ hosts, deadline }),
});
