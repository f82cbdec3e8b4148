import { existsSync } from "node:fs";
import { ChannelError, isChannelError } from "@ojm/core/backend";
import type Database from "better-sqlite3";
import { openFile } from "./driver.js";
import { isBusy } from "./errors.js";
import { createTables, EMPTY, enterBoot, LAYOUT, layoutOf, stillInUse, upgradeTables } from "./layout.js";
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

/** Resolves to the layout of the file. If it is an older one, the rest must follow an upgrade. */
async function prepare(db: Database.Database, file: string, durability: Durability): Promise<number> {
  const found = await patiently(() => layoutOf(db), file);
  if (found !== EMPTY && found !== LAYOUT) return found;
  // Switch to WAL only after the check: it would change the database of another program.
  await patiently(() => enterWal(db, file), file);
  // An older program may have created its tables in the empty file meanwhile.
  const layout = found === EMPTY ? await patiently(() => createTables(db), file) : found;
  if (layout !== LAYOUT) return layout;
  await patiently(() => enterBoot(db), file);
  await patiently(() => db.pragma(`synchronous = ${durability === "host" ? "FULL" : "NORMAL"}`), file);
  return layout;
}

/**
 * Upgrades a file of an older layout, once no other process has it open.
 *
 * @throws ChannelError `IN_USE` if another process still has it open after a while
 */
async function upgrade(file: string): Promise<void> {
  try {
    await patiently(() => using(file, upgradeTables), file);
  } catch (error) {
    if (!isChannelError(error) || !isBusy(error.cause)) throw error;
    const refusal = await patiently(() => using(file, stillInUse), file);
    if (refusal !== undefined) throw refusal;
  }
}

/** Runs `work` on a connection of its own. */
function using<T>(file: string, work: (db: Database.Database) => T): T {
  const db = openFile(file);
  try {
    return work(db);
  } finally {
    db.close();
  }
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
  using(file, (db) => {
    db.pragma("locking_mode = EXCLUSIVE");
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
  });
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
 * @throws ChannelError, see `toChannelError`, `layoutOf` and `upgrade`
 */
export async function openDatabase(file: string, durability: Durability): Promise<Database.Database> {
  await refuseDeletedFiles(file);
  for (;;) {
    const db = await patiently(() => openFile(file), file);
    try {
      if ((await prepare(db, file, durability)) === LAYOUT) return db;
    } catch (error) {
      db.close();
      throw error;
    }
    // An upgrade needs the file alone, without this connection.
    db.close();
    await upgrade(file);
  }
}
