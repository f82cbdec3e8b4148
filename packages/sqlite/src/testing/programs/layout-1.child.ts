/** Has a file of layout 1 open, and is a watcher of it. On each message, sends the state of the store. */
import { processIdentity } from "@ojm/core/internal";
import { Database } from "../driver.js";
import { argument, tell, told } from "./program.js";

const db = new Database(argument(0), { timeout: 5_000 });
const { host, pid, namespace, started, boot } = processIdentity();
db.prepare(
  "INSERT INTO watchers (host, pid, namespace, started, deadline, boot, expires) VALUES (?, ?, ?, ?, 1e300, ?, 1e300)",
).run(host, pid, namespace, started, boot);
db.exec("UPDATE meta SET watched = 1");
const look = db.prepare("SELECT version, watched, (SELECT count(*) FROM entries) AS entries FROM meta");
tell("ready");
for (;;) {
  await told();
  tell(look.get());
}
