/** Holds the write lock with plain SQLite, from the start ("locked") until it gets a message. */
import { Database } from "../driver.js";
import { argument, letGo, tell, told } from "./program.js";

const db = new Database(argument(0));
db.exec("BEGIN IMMEDIATE");
tell("locked");
await told();
db.exec("COMMIT");
db.close();
letGo();
