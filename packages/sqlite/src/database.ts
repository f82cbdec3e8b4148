import { ChannelError } from "@ojm/core/backend";
import type Database from "better-sqlite3";
import { openFile } from "./driver.js";
import { createTables, enterBoot, recognise, upgradeTables } from "./layout.js";
import type { Durability } from "./options.js";
import { patiently } from "./patience.js";

function enterWal(db: Database.Database, file: string): void {
  const mode = db.pragma("journal_mode = WAL", { simple: true });
  if (mode === "wal") return;
  throw new ChannelError(
    "INVALID_CONFIG",
    `SQLite file ${file}: this file system cannot hold a write-ahead log, as it has no shared memory: use a local disk`,
  );
}

async function prepare(db: Database.Database, file: string, durability: Durability): Promise<void> {
  const ours = await patiently(() => recognise(db), file);
  // Switch to WAL only after the check: it would change the database of another program.
  await patiently(() => enterWal(db, file), file);
  if (!ours) await patiently(() => createTables(db), file);
  // Also upgrade a file that was empty: an older program may have created its tables meanwhile.
  await patiently(() => upgradeTables(db), file);
  await patiently(() => enterBoot(db), file);
  await patiently(() => db.pragma(`synchronous = ${durability === "host" ? "FULL" : "NORMAL"}`), file);
}

/**
 * Opens the database at `file`, a path of `preparePlace`, and creates its tables if it is new. Several
 * processes may do so at once.
 *
 * @throws ChannelError, see `toChannelError` and `recognise`
 */
export async function openDatabase(file: string, durability: Durability): Promise<Database.Database> {
  const db = await patiently(() => openFile(file), file);
  try {
    await prepare(db, file, durability);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
