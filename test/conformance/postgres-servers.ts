import { fileURLToPath } from "node:url";
import { type Harness, onServer, type RunningServer } from "@ojm/conformance";
import { backend } from "@ojm/postgres";
import { type PostgresServer, startPgBouncer, startPostgres } from "@ojm/testing/postgres";
import { DEADLINE } from "./deadline.js";

type Server = RunningServer & Pick<PostgresServer, "begin">;

const common = {
  type: backend,
  module: fileURLToPath(import.meta.resolve("@ojm/postgres")),
  deadline: DEADLINE,
  args: (port: number, _server: unknown, deadline: number) => ({
    url: `postgres://ojm@127.0.0.1:${port}/postgres`,
    deadline,
  }),
};

/** One server, with every fault. It keeps its data over a restart. */
export const single: Harness = onServer<Server>({
  ...common,
  name: "postgres",
  async start() {
    const server = await startPostgres();
    const { port, begin, restart, pause, stop } = server;
    return { port, begin, faults: { restart, pause }, stop };
  },
  transaction: ({ begin }) => begin(),
});

/** The same behind PgBouncer in transaction mode: no notification arrives, so watches poll. */
export const pooled: Harness = onServer<Server>({
  ...common,
  name: "postgres pgbouncer",
  async start() {
    const { port, server, stop } = await startPgBouncer();
    const { begin, restart, pause } = server;
    return { port, begin, faults: { restart, pause }, stop };
  },
  transaction: ({ begin }) => begin(),
});
