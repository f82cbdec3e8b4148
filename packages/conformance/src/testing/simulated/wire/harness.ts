import { type Clock, systemClock } from "@ojm/core/backend";
import type { Harness } from "../../../harness/harness.js";
import { TcpProxy } from "../../../proxy/tcp-proxy.js";
import { Server } from "../server.js";
import { WireClient } from "./client.js";
import { Host } from "./host.js";

const clock: Clock = systemClock;

const DEADLINE = 1_500;

/**
 * The simulated store behind real sockets and the proxy, with clients in other processes. It tests the tools
 * of the suite as a whole.
 */
export const wired: Harness = {
  name: "simulated, over TCP",
  deadline: DEADLINE,
  async open({ patient = false } = {}) {
    const deadline = patient ? 20_000 : DEADLINE;
    const host = new Host(new Server(clock));
    await host.listen();
    const proxy = await TcpProxy.start({ port: host.port });
    const { partition, dropReplies, delay } = proxy;
    return {
      client: async () => new WireClient({ port: proxy.port, deadline }),
      direct: async () => new WireClient({ port: host.port, deadline }),
      remote: {
        module: new URL(import.meta.url.replace(/harness(\.\w+)$/, "client$1")).href,
        args: { port: proxy.port, deadline },
      },
      faults: { partition, dropReplies, delay, restart: () => host.restart() },
      roundTrips: () => proxy.roundTrips,
      async close() {
        await proxy.close();
        await host.close();
      },
    };
  },
};
