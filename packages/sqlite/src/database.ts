import { ChannelError } from "@ojm/core/backend";
import type Database from "better-sqlite3";
import { openFile } from "./driver.js";
import type { Durability } from "./options.js";
import { patiently } from "./patience.js";
import { createTables, enterBoot, recognise, upgradeTables } from "./schema.js";

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
  // Only now: this would turn a foreign database into one with a write-ahead log.
  await patiently(() => enterWal(db, file), file);
  if (!ours) await patiently(() => createTables(db), file);
  // Also where the file was empty a moment ago: an older program may have been faster.
  await patiently(() => upgradeTables(db), file);
  await patiently(() => enterBoot(db), file);
  await patiently(() => db.pragma(`synchronous = ${durability === "host" ? "FULL" : "NORMAL"}`), file);
}

/**
 * Opens the database at `file`, a path made by `preparePlace`, and creates its tables if it is new. Several processes may do
 * so at once.
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
