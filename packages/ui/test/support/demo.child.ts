import { openJobManager } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { openUiServer } from "@ojm/ui";

/*
 * A server of the pages, as a process that can be killed. Its arguments: the file of the store, and a port.
 * It uses the store of the test, whose jobs run in the process of the test.
 */
const [file = "", port = "0"] = process.argv.slice(2);
const channel = { type: "sqlite", args: { file } };
const manager = await openJobManager({ chJobs: channel, chLocks: channel });
const ui = await openUiServer({
  manager,
  scheduler: openScheduler(manager),
  port: Number(port),
  viewer: { user: "ana", role: "admin" },
  // A session survives the process.
  secret: "a secret of the tests, of no use anywhere else",
});
process.send?.({ url: ui.url, port: ui.port });
