import { fileURLToPath } from "node:url";
import { type Harness, onServer } from "@ojm/conformance";
import { backend } from "../src/index.js";
import { startPostgres } from "./server.js";

export const harness: Harness = onServer({
  name: "postgres, the example",
  type: backend,
  module: fileURLToPath(new URL("../src/index.ts", import.meta.url)),
  start: startPostgres,
  args: (port, _server, deadline) => ({ url: `postgres://ojm@127.0.0.1:${port}/postgres`, deadline }),
  deadline: 2_500,
});
