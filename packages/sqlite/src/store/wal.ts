import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";

/**
 * How long the write-ahead log may be, in bytes. SQLite's own checkpoint (after 4 MB) copies the log back into the database
 * but can start it anew only at a moment at which nobody has written since. Where many processes write without a pause, there
 * is no such moment, and the log grows by megabytes a second.
 */
const LONGEST = 16 * 1024 * 1024;

/** How often to look, in ms. */
const LOOK = 10;

/** How long writes stand back for a checkpoint at the most, in ms: as long as a slow disk may take. */
const STAND_BACK = 2_000;

/** How many tries may fail because somebody reads the log. A backup reads it for minutes, and must not stop everybody. */
const READERS_TRIES = 50;

/** How long to leave it alone after that, in ms. */
const REST = 5_000;

/** Looks like what SQLite throws when another process is in the way, and is treated as that. */
class Busy extends Error {
  readonly code = "SQLITE_BUSY";
}

/** What SQLite says of a checkpoint. `log` is -1 if another process is at one. */
interface Checkpoint {
  readonly busy: number;
  readonly log: number;
}

/** Keeps the write-ahead log short: while it is too long, no process adds to it. */
export class Wal {
  readonly #path: string;
  readonly #db: Database;
  #nextLook = 0;
  /** Since when writes stand back; 0 while they do not. */
  #since = 0;
  #readersTries = 0;

  constructor(file: string, db: Database) {
    this.#path = `${file}-wal`;
    this.#db = db;
  }

  /** Called before each write transaction. Throws "busy" to put it off by a moment. */
  keepShort(): void {
    const now = performance.now();
    if (now < this.#nextLook) return;
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    const inTheWay = size > LONGEST ? this.#truncate() : "nobody";
    if (inTheWay === "nobody") this.#goOn(now + LOOK);
    else this.#standBack(now, inTheWay);
  }

  #standBack(now: number, inTheWay: "others" | "readers"): void {
    if (this.#since === 0) this.#since = now;
    if (inTheWay === "readers") this.#readersTries++;
    if (now - this.#since > STAND_BACK || this.#readersTries > READERS_TRIES) this.#goOn(now + REST);
    else throw new Busy("the write-ahead log is too long");
  }

  #goOn(nextLook: number): void {
    this.#since = 0;
    this.#readersTries = 0;
    this.#nextLook = nextLook;
  }

  /** Copies all of the log into the database and empties it. Says who is in the way. */
  #truncate(): "nobody" | "others" | "readers" {
    const [result] = this.#db.pragma("wal_checkpoint(TRUNCATE)") as Checkpoint[];
    if (result?.busy !== 1) return "nobody";
    return result.log === -1 ? "others" : "readers";
  }
}
