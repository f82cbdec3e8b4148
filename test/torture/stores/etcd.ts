import { TcpProxy } from "@ojm/conformance";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { wayOf } from "./redis.js";
import { DEADLINE, type StoreKind, versionOf } from "./store.js";

/** One etcd node. */
export const etcd: StoreKind = {
  name: "etcd",
  type: "etcd",
  apart: false,
  networked: true,
  byWallClock: false,
  shared: true,
  lasting: true,
  outgrowsLoss: false,
  missing: etcdMissing(),
  version: () => versionOf("etcd"),
  async start({ workers }) {
    const server = await startEtcd();
    const port = Number(server.host.split(":")[1]);
    const ways: TcpProxy[] = [];
    for (let i = 0; i < workers; i++) ways.push(await TcpProxy.start({ port }));
    return {
      args: (worker) => ({ hosts: `127.0.0.1:${wayOf(ways, worker).port}`, deadline: DEADLINE }),
      directArgs: { hosts: server.host, deadline: DEADLINE },
      network: (worker) => wayOf(ways, worker),
      async freeze() {
        await server.pause();
        return async () => server.resume();
      },
      async restart({ data }) {
        await server.kill();
        if (!data) server.wipe();
        await server.restart();
      },
      async stop() {
        for (const way of ways) await way.close();
        await server.stop();
      },
    };
  },
};
