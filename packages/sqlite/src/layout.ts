import { ChannelError, refuseNewerLayout } from "@ojm/core/backend";
import { bootId, type ProcessIdentity, processIsGone } from "@ojm/core/internal";
import type { Database } from "better-sqlite3";

/** "ojm1" in ASCII, in the header of the file: `file jobs.db` shows it. */
const APPLICATION_ID = 0x6f6a6d31;

/**
 * The number of the layout, in `user_version`: the tables, and what a touch of a wake file means.
 *
 * If programs of this layout can live with a change, as with a new table or a column with a default, keep the
 * number. Otherwise raise it: older programs then refuse the file. `upgradeTables` changes the tables once no
 * other process has the file open, so no program meets tables or wakes of another layout.
 */
export const LAYOUT = 2;

/** The layout of a file without tables. */
export const EMPTY = 0;

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

// The upgrade to the next layout will name the processes to stop by `watchers.layout` and `watchers.version`.
// Until then nothing reads `layout`, and `version` only the upgrade from layout 1, which does not have it.
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
    expires REAL NOT NULL,
    layout INTEGER NOT NULL DEFAULT 2,     -- the newest layout that its program knows
    version TEXT NOT NULL DEFAULT ''       -- the version of its program; "": not known
  ) STRICT;
  ${WATCHED}
`;

// Layout 1 logged every change and woke every watcher.
const FROM_1 = `
  ALTER TABLE meta RENAME COLUMN watched TO watching;
  UPDATE meta SET watching = 0, trimmed = logged;
  DELETE FROM watchers;
  DELETE FROM changes;
  ${WATCHED}
`;

// Programs that do not know these columns of layout 2 share the table: they name the columns that they write.
const WATCHER_VERSIONS = `
  ALTER TABLE watchers ADD COLUMN layout INTEGER NOT NULL DEFAULT 2;
  ALTER TABLE watchers ADD COLUMN version TEXT NOT NULL DEFAULT '';
`;

function pragma(db: Database, name: string): number {
  return Number(db.pragma(name, { simple: true }));
}

/**
 * The layout of the file. Changes nothing: the database of another program must stay as it is.
 *
 * @throws ChannelError `INVALID_CONFIG` for a database of another program or of a newer layout; `CORRUPT` for
 * a number that is not a layout
 */
export function layoutOf(db: Database): number {
  // Read all as of one moment: half-made tables of another process would look like another program's.
  const look = db.transaction(() => ({
    application: pragma(db, "application_id"),
    version: pragma(db, "user_version"),
    tables: db.prepare<[], number>("SELECT count(*) FROM sqlite_schema").pluck().get(),
  }));
  const { application, version, tables } = look();
  if (application === APPLICATION_ID) {
    const store = `SQLite file ${db.name}`;
    if (version < 1)
      throw new ChannelError("CORRUPT", `${store}: its header has layout ${version}, which does not exist`);
    refuseNewerLayout(version, { store, package: "@ojm/sqlite", known: LAYOUT });
    return version;
  }
  if (application === 0 && version === 0 && tables === 0) return EMPTY;
  throw new ChannelError(
    "INVALID_CONFIG",
    `SQLite file ${db.name} is the database of another program: give a file of its own to the channel`,
  );
}

/** Creates the tables, unless another process was faster. Returns their layout. May throw SQLite's "busy". */
export function createTables(db: Database): number {
  const create = db.transaction(() => {
    const layout = layoutOf(db);
    if (layout !== EMPTY) return layout;
    db.exec(TABLES);
    db.prepare("INSERT INTO meta VALUES (1, 0, 0, 0, 0, ?)").run(bootId());
    db.pragma(`user_version = ${LAYOUT}`);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    return LAYOUT;
  });
  return create.immediate();
}

/**
 * Upgrades the tables of an older layout, unless another process was faster. Throws SQLite's "busy" while
 * another process has the file open: one that knows only the older layout would fail, or misread our writes.
 *
 * @param db a connection that has read nothing yet
 */
export function upgradeTables(db: Database): void {
  // SQLite's exclusive mode waits for the locks that each connection holds, in WAL mode, until it is closed.
  db.pragma("locking_mode = EXCLUSIVE");
  const upgrade = db.transaction(() => {
    if (layoutOf(db) !== 1) return;
    db.exec(FROM_1);
    addWatcherVersions(db);
    db.pragma(`user_version = ${LAYOUT}`);
  });
  upgrade.exclusive();
}

interface Watching extends ProcessIdentity {
  readonly expires: number;
  /** Absent in layout 1, the only older one so far: every process is "version unknown" today. */
  readonly version?: string;
}

/** The error if another process has a file of an older layout open; `undefined` if one has upgraded it. */
export function stillInUse(db: Database): ChannelError | undefined {
  const layout = layoutOf(db);
  if (layout === LAYOUT) return undefined;
  const watching = db.prepare<[], Watching>("SELECT * FROM watchers").all();
  const processes = watching
    .filter((row) => !processIsGone(row) && row.expires > Date.now())
    .map(({ pid, host, version }) => `process ${pid} on ${host} (${version ? `ojm ${version}` : "version unknown"})`);
  const them = processes.length > 0 ? processes.join(", ") : "them";
  const message = `SQLite file ${db.name} has layout ${layout}. It is upgraded to layout ${LAYOUT} when no other process has it open: stop ${them} first ("lsof ${db.name}" lists all)`;
  return new ChannelError("IN_USE", message, { retryable: true });
}

/** Adds the columns that the first programs of this layout did not create. Call it in a write transaction. */
export function addWatcherVersions(db: Database): void {
  const columns = db.prepare<[], string>("SELECT name FROM pragma_table_info('watchers')").pluck().all();
  if (!columns.includes("version")) db.exec(WATCHER_VERSIONS);
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
