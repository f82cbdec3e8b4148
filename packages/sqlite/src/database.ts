import { existsSync } from "node:fs";
import { ChannelError, isChannelError } from "@ojm/core/backend";
import type Database from "better-sqlite3";
import { openFile } from "./driver.js";
import { isBusy } from "./errors.js";
import { createTables, enterBoot, recognise, upgradeTables } from "./layout.js";
import type { Durability } from "./options.js";
import { patiently } from "./patience.js";

function enterWal(db: Database.Database, file: string): void {
  const mode = db.pragma("journal_mode = WAL", { simple: true });
  if (mode === "wal") return;
  throw new ChannelError(
    "INVALID_CONFIG",
    `SQLite file ${file}: this file system cannot hold a write-ahead log because it has no shared memory: use a local disk`,
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

function hasItsFiles(file: string): boolean {
  return existsSync(`${file}-wal`) && existsSync(`${file}-shm`);
}

/**
 * Makes sure that no other process uses the database without a `-wal` and a `-shm` at their paths. If they
 * were deleted while it runs, it still has the old ones, and we would get new ones, with other locks and
 * without its latest commits.
 *
 * If a file is missing, no other process may have the database open: SQLite's exclusive mode proves that, and
 * it touches neither file. Throws SQLite's "busy" while another process is there, such as one that is just
 * about to create them.
 */
function checkNoneUsesDeletedFiles(file: string): void {
  if (hasItsFiles(file)) return;
  const db = openFile(file);
  try {
    db.pragma("locking_mode = EXCLUSIVE");
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
  } finally {
    db.close();
  }
}

async function refuseDeletedFiles(file: string): Promise<void> {
  try {
    await patiently(() => checkNoneUsesDeletedFiles(file), file);
  } catch (error) {
    if (!(isChannelError(error) && isBusy(error.cause)) || hasItsFiles(file)) throw error;
    throw new ChannelError(
      "GONE",
      `SQLite file ${file}: ${file}-wal or ${file}-shm was deleted while another process has the database open. End that process first ("lsof ${file}" lists it)`,
      { cause: error },
    );
  }
}

/**
 * Opens the database at `file`, of `preparePlace`, or creates it. Several processes may do so at once.
 *
 * @throws ChannelError, see `toChannelError` and `recognise`
 */
export async function openDatabase(file: string, durability: Durability): Promise<Database.Database> {
  await refuseDeletedFiles(file);
  const db = await patiently(() => openFile(file), file);
  try {
    await prepare(db, file, durability);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
