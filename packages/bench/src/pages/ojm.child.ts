import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openJobManager } from "@ojm/core";
import { openUi } from "@ojm/ui";

/* Serves our pages of a store. Arguments: the type of the store, and its args as JSON. */
const [type = "", args = "{}"] = process.argv.slice(2);
const store = { type, args: JSON.parse(args) };
const manager = await openJobManager({ chJobs: store, chLocks: store });
const ui = openUi({ manager, authorize: () => ({ user: "ana", role: "admin" }) });
const server = createServer(ui.listener);
server.listen(0, "127.0.0.1", () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
});
process.once("disconnect", async () => {
  await ui.close();
  await manager.close();
  process.exit();
});
