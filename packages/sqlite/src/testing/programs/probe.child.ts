/** Repeatedly locks the whole database with plain SQLite, like a process that opens it. Says "probing". */
import { Database } from "../driver.js";
import { argument, tell } from "./program.js";

const file = argument(0);
tell("probing");
for (;;) {
  const db = new Database(file, { timeout: 0 });
  db.pragma("locking_mode = EXCLUSIVE");
  for (let i = 0; i < 100; i++) {
    try {
      db.prepare("SELECT count(*) FROM sqlite_schema").get();
      break;
    } catch {
      // Another process has it open.
    }
  }
  db.close();
}
