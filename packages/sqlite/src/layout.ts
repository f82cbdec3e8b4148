import { ChannelError } from "@ojm/core/backend";
import { bootId } from "@ojm/core/internal";
import type { Database } from "better-sqlite3";

/** "ojm1" in ASCII, in the header of the file: `file jobs.db` shows it. */
const APPLICATION_ID = 0x6f6a6d31;

/** Raise it when the tables change: old programs then refuse the file, and `upgradeTables` upgrades it. */
const SCHEMA_VERSION = 2;

/**
 * The step of the version counter after a restart of the host. With durability `process`, a power cut can
 * undo the last commits and the counter with them, but a version must never be given out twice. The step is
 * larger than the number of commits that a system can have in memory but not yet on its disk, and allows nine
 * million restarts.
 */
const LEAP = 1_000_000_000;

const WATCHED = `
  CREATE TABLE watched (
    wide INTEGER NOT NULL,     -- 0: the one key "start", which one look into the index finds
    start TEXT NOT NULL,
    stop TEXT NOT NULL,        -- the first key beyond
    watcher INTEGER NOT NULL,
    PRIMARY KEY (wide, start, stop, watcher)
  ) STRICT, WITHOUT ROWID;
`;

// `value` is the last column: a scan without values then never reads the overflow pages of long values.
const TABLES = `
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,  -- the last version given out
    watching INTEGER NOT NULL, -- how many processes watch; while none does, "changes" stays empty
    logged INTEGER NOT NULL,   -- the position of the last change
    trimmed INTEGER NOT NULL,  -- the position up to which changes were thrown away
    boot TEXT NOT NULL         -- the boot of the host in which the file was last opened
  ) STRICT;
  CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    deadline REAL,             -- when it expires: ms on the monotonic clock of "boot"
    boot TEXT,
    expires REAL,              -- the same as ms since 1970, for people and for later boots
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entries_by_deadline ON entries (boot, deadline) WHERE deadline IS NOT NULL;
  CREATE TABLE changes (
    position INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    deadline REAL,
    boot TEXT,
    expires REAL,
    value TEXT                 -- NULL: deleted
  ) STRICT;
  CREATE TABLE watchers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: a watcher notices that it was taken for dead
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    started TEXT NOT NULL,
    deadline REAL NOT NULL,    -- when it counts as gone if it did not renew this
    boot TEXT NOT NULL,
    expires REAL NOT NULL
  ) STRICT;
  ${WATCHED}
`;

// The upgrade from format 1, which logged every change and woke every watcher. A program that still has the
// file open in format 1 fails with an error, because `meta` no longer has `watched`. Otherwise it would miss
// changes that others no longer log.
const FROM_1 = `
  ALTER TABLE meta RENAME COLUMN watched TO watching;
  UPDATE meta SET watching = 0, trimmed = logged;
  DELETE FROM watchers;
  DELETE FROM changes;
  ${WATCHED}
`;

function pragma(db: Database, name: string): number {
  return Number(db.pragma(name, { simple: true }));
}

/**
 * Whether the file is ours (`true`) or empty (`false`). Changes nothing: the database of another program must
 * stay as it is.
 *
 * @throws ChannelError `INVALID_CONFIG` for a database of another program or of a newer version of this
 * package
 */
export function recognise(db: Database): boolean {
  // Read all as of one moment: half-made tables of another process would look like another program's.
  const look = db.transaction(() => ({
    application: pragma(db, "application_id"),
    version: pragma(db, "user_version"),
    tables: db.prepare<[], number>("SELECT count(*) FROM sqlite_schema").pluck().get(),
  }));
  const { application, version, tables } = look();
  if (application === APPLICATION_ID) {
    if (version <= SCHEMA_VERSION) return true;
    throw new ChannelError(
      "INVALID_CONFIG",
      `SQLite file ${db.name} was written by a newer version of @ojm/sqlite (its format is ${version}, this version knows ${SCHEMA_VERSION}): upgrade`,
    );
  }
  if (application === 0 && version === 0 && tables === 0) return false;
  throw new ChannelError(
    "INVALID_CONFIG",
    `SQLite file ${db.name} is the database of another program: give a file of its own to the channel`,
  );
}

/** Creates the tables, unless another process was faster. May throw SQLite's "busy". */
export function createTables(db: Database): void {
  const create = db.transaction(() => {
    if (recognise(db)) return;
    db.exec(TABLES);
    db.prepare("INSERT INTO meta VALUES (1, 0, 0, 0, 0, ?)").run(bootId());
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
    db.pragma(`application_id = ${APPLICATION_ID}`);
  });
  create.immediate();
}

/** Upgrades the tables of an older version, unless another process was faster. May throw SQLite's "busy". */
export function upgradeTables(db: Database): void {
  if (pragma(db, "user_version") >= SCHEMA_VERSION) return;
  const upgrade = db.transaction(() => {
    if (pragma(db, "user_version") >= SCHEMA_VERSION) return;
    db.exec(FROM_1);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  });
  upgrade.immediate();
}

/** Raises the version counter after a restart, with `synchronous` at FULL. May throw SQLite's "busy". */
export function enterBoot(db: Database): void {
  const boot = db.prepare<[], string>("SELECT boot FROM meta").pluck();
  if (boot.get() === bootId()) return;
  const leap = db.transaction(() => {
    if (boot.get() === bootId()) return;
    db.prepare("UPDATE meta SET boot = ?, version = version + ?").run(bootId(), LEAP);
  });
  // The new counter must survive the next power cut. Otherwise the same versions would be given out again.
  db.pragma("synchronous = FULL");
  leap.immediate();
}
