import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TcpProxy } from "@ojm/conformance";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { fill } from "./disk.js";
import { JoinedCalls, LostCall, redisCallsIn } from "./joined-calls.js";
import { DEADLINE, type StoreKind, versionOf } from "./store.js";

/**
 * One Redis server that keeps acknowledged writes. While the disk is full, `everysec` refuses writes;
 * `always` ends the server.
 */
export const redis: StoreKind = {
  name: "redis",
  type: "redis",
  apart: false,
  networked: true,
  byWallClock: true,
  shared: true,
  lasting: true,
  outgrowsLoss: true,
  missing: whyMissing("redis-server"),
  version: () => versionOf("redis-server").replace(/ sha=.*/, ""),
  async start({ workers, folder, smallDisk, clock }) {
    const disk = smallDisk ? ["--dir", folder, "--appendfsync", "everysec"] : ["--appendfsync", "always"];
    const server = await startRedis({ args: ["--appendonly", "yes", ...disk], ...(clock && { env: clock.env }) });
    const ways: TcpProxy[] = [];
    const isLoaded = async (script: string): Promise<boolean> =>
      String(await server.command("SCRIPT", "EXISTS", script)) === "1";
    const calls = Array.from({ length: workers }, () => new JoinedCalls(redisCallsIn, isLoaded));
    for (const { counter } of calls) ways.push(await TcpProxy.start({ port: server.port, counter }));
    const args = (port: number) => ({ host: "127.0.0.1", port, deadline: DEADLINE });
    return {
      args: (worker) => args(ways[worker]?.port ?? 0),
      directArgs: args(server.port),
      network: (worker) => wayOf(ways, worker),
      loseJoined: (worker) => new LostCall(wayOf(ways, worker), wayOf(calls, worker)),
      async freeze() {
        server.freeze();
        return async () => server.thaw();
      },
      async restart({ data }) {
        await server.kill();
        if (!data)
          for (const name of readdirSync(server.folder)) rmSync(join(server.folder, name), { recursive: true });
        await server.start();
      },
      async setWallClock(ahead) {
        clock?.set(ahead);
        for (;;) {
          const [seconds] = (await server.command("TIME")) as [string];
          if (Math.abs(Number(seconds) - Date.now() / 1_000 - ahead) < 60) return;
        }
      },
      ...(smallDisk && { fillDisk: async () => fill(folder) }),
      async stop() {
        for (const way of ways) await way.close();
        await server.stop();
      },
    };
  },
};

/** The proxy of one worker. Throws if the worker does not exist. */
export function wayOf<T>(ways: readonly T[], worker: number): T {
  const way = ways[worker];
  if (way === undefined) throw new Error(`there is no worker ${worker}`);
  return way;
}
