import { fileURLToPath } from "node:url";
import { type Harness, onServer } from "@ojm/conformance";
import { backend } from "@ojm/postgres";
import { startPostgres } from "@ojm/testing/postgres";
import { DEADLINE } from "./deadline.js";

/** One server, with every fault. It keeps its data over a restart. */
export const single: Harness = onServer({
  name: "postgres",
  type: backend,
  module: fileURLToPath(import.meta.resolve("@ojm/postgres")),
  deadline: DEADLINE,
  async start() {
    const server = await startPostgres();
    const { port, begin, restart, pause, stop } = server;
    return { port, begin, faults: { restart, pause }, stop };
  },
  transaction: ({ begin }) => begin(),
  args: (port, _server, deadline) => ({ url: `postgres://ojm@127.0.0.1:${port}/postgres`, deadline }),
});
