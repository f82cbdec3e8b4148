import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TcpProxy } from "@ojm/conformance";
import { openChannel } from "@ojm/core";
import { copyData, type PostgresServer, postgresMissing, postgresVersion, startPostgres } from "@ojm/testing/postgres";
import { hasEnded } from "../../../packages/conformance/src/proxy/process-tree.js";
import { eventually } from "../cluster/nodes/cluster.js";
import type { Heal } from "../faults/heal.js";
import { fill } from "./disk.js";
import { JoinedCalls, LostCall, postgresCallsIn } from "./joined-calls.js";
import { wayOf } from "./redis.js";
import { DEADLINE, type StoreKind } from "./store.js";

/**
 * One PostgreSQL server. It writes its log before it acknowledges a commit, and does not wait for the disk:
 * no cell cuts the power.
 */
export const postgres: StoreKind = {
  name: "postgres",
  type: "postgres",
  apart: false,
  networked: true,
  byWallClock: true,
  shared: true,
  lasting: true,
  // An empty database takes 40 MB.
  smallDisk: 64,
  isNew: true,
  outgrowsLoss: true,
  missing: postgresMissing(),
  version: () => `PostgreSQL ${postgresVersion()}`,
  async start({ workers, folder, smallDisk, clock }) {
    const template = await newDatabase();
    const server = await startPostgres({ below: folder, template, ...(clock && { env: clock.env }) });
    const ways: TcpProxy[] = [];
    const calls = Array.from({ length: workers }, () => new JoinedCalls(postgresCallsIn, async () => true));
    for (const { counter } of calls) ways.push(await TcpProxy.start({ port: server.port, counter }));
    const args = (port: number, name: string) => ({
      url: `postgres://ojm@127.0.0.1:${port}/postgres?application_name=${name}`,
      deadline: DEADLINE,
    });
    return {
      args: (worker) => args(wayOf(ways, worker).port, connectionsOf(worker)),
      directArgs: args(server.port, "harness"),
      network: (worker) => wayOf(ways, worker),
      loseJoined: (worker) => new LostCall(wayOf(ways, worker), wayOf(calls, worker)),
      freeze: () => server.pause(),
      // Without data, the backup of a database that has the tables alone is restored: no process may create
      // them again while others run.
      restart: ({ data }) => server.restart(async () => (data ? undefined : copyData(template, server.data))),
      async setWallClock(ahead) {
        clock?.set(ahead);
        for (;;) {
          const [row] = await server.sql("select extract(epoch from clock_timestamp())::float8 as seconds");
          if (Math.abs(Number(row?.["seconds"]) - Date.now() / 1_000 - ahead) < 60) return;
        }
      },
      ...(smallDisk && { fillDisk: () => fillDisk(folder, server) }),
      postgres: server,
      async stop() {
        for (const way of ways) await way.close();
        await server.stop();
      },
    };
  },
};

/** The `application_name` of the connections of a worker. */
export function connectionsOf(worker: number): string {
  return `worker-${worker}`;
}

let database: Promise<string> | undefined;

/** The data of a server with the tables of ojm and no entry. Made once, for all cells of this process. */
export function newDatabase(): Promise<string> {
  database ??= makeDatabase();
  return database;
}

async function makeDatabase(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "ojm-torture-postgres-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, "data");
  const server = await startPostgres();
  try {
    const channel = await openChannel("torture", { type: "postgres", args: { url: server.url } });
    await channel.close();
    await server.sql("checkpoint");
    await server.pause();
    copyData(server.data, data);
    return data;
  } finally {
    await server.stop();
  }
}

/** A server that cannot write its log ends, and the operator starts it again once there is room. */
async function fillDisk(folder: string, server: PostgresServer): Promise<Heal> {
  const free = fill(folder);
  return async () => {
    await free();
    await eventually("the server answers", async () => {
      if (hasEnded(server.pid)) await server.restart();
      return server.sql("select 1");
    });
  };
}
