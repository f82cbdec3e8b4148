import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";

/**
 * The longest write-ahead log, in bytes. SQLite's own checkpoint (after 4 MB) copies the log into the
 * database. It can restart the log only if no process has written since. If many processes write all the
 * time, that never happens, and the log grows by megabytes a second.
 */
const LONGEST = 16 * 1024 * 1024;

/** The interval of the check, in ms. */
const CHECK_INTERVAL = 10;

/** The longest time for which writes wait for a checkpoint, in ms. It allows for a slow disk. */
const STAND_BACK = 2_000;

/** How many attempts may fail because of a reader: a backup of minutes must not stop all writes. */
const READERS_TRIES = 50;

/** How long writes continue before the next check after the attempts were given up, in ms. */
const REST = 5_000;

/** An error like that of SQLite when another process is in the way. It gets the same treatment. */
class Busy extends Error {
  readonly code = "SQLITE_BUSY";
}

/** The result of a checkpoint in SQLite. `log` is -1 if another process runs one. */
interface Checkpoint {
  readonly busy: number;
  readonly log: number;
}

/** Keeps the write-ahead log short: while the log is too long, no process adds to it. */
export class Wal {
  readonly #path: string;
  readonly #db: Database;
  #nextCheck = 0;
  /** When writes began to wait; 0 while they do not. */
  #since = 0;
  #readersTries = 0;

  constructor(file: string, db: Database) {
    this.#path = `${file}-wal`;
    this.#db = db;
  }

  /** Called before each write transaction. Throws "busy" to make it wait a moment. */
  keepShort(): void {
    const now = performance.now();
    if (now < this.#nextCheck) return;
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    const inTheWay = size > LONGEST ? this.#truncate() : "none";
    if (inTheWay === "none") this.#continue(now + CHECK_INTERVAL);
    else this.#standBack(now, inTheWay);
  }

  /**
   * Copies the log into the database if its file was deleted. SQLite does so by itself at the last close, but
   * also counts the connection of a process that is still opening the database and waits for us.
   */
  saveDeleted(): void {
    // If a new log is there, it is another program's: do not copy the old log over that program's data.
    if (statSync(this.#path, { throwIfNoEntry: false }) === undefined) this.#db.pragma("wal_checkpoint(PASSIVE)");
  }

  #standBack(now: number, inTheWay: "others" | "readers"): void {
    if (this.#since === 0) this.#since = now;
    if (inTheWay === "readers") this.#readersTries++;
    if (now - this.#since > STAND_BACK || this.#readersTries > READERS_TRIES) this.#continue(now + REST);
    else throw new Busy("the write-ahead log is too long");
  }

  #continue(nextCheck: number): void {
    this.#since = 0;
    this.#readersTries = 0;
    this.#nextCheck = nextCheck;
  }

  /** Copies the whole log into the database and empties it. Returns the obstacle, if any. */
  #truncate(): "none" | "others" | "readers" {
    const [result] = this.#db.pragma("wal_checkpoint(TRUNCATE)") as Checkpoint[];
    if (result?.busy !== 1) return "none";
    return result.log === -1 ? "others" : "readers";
  }
}
