import type { Database, Statement } from "better-sqlite3";
import type { Deadline } from "../store/deadlines.js";

/** The bytes of changes that the table retains for slow watchers; always those of the last commit. */
export const LOG_BYTES: number = 16 * 1024 * 1024;

/** The size of a row besides its key and value, in bytes. It bounds the number of rows. */
const ROW_BYTES = 200;

/** How far the log may grow above its bound, in bytes, so that not every commit trims it. */
const SLACK = LOG_BYTES / 16;

/** A row of the table `changes`. */
export interface ChangeRow extends Deadline {
  readonly position: number;
  readonly key: string;
  readonly version: number;
  readonly value: string | null;
}

/** The start and end of the log: columns of `meta`, as of one transaction. */
export interface LogEnds {
  logged: number;
  trimmed: number;
}

/** The changes that watchers have not yet read. Positions grow by size, which bounds the log in bytes. */
export class ChangeLog {
  readonly #append: Statement<[number, string, number, number | null, string | null, number | null, string | null]>;
  readonly #after: Statement<[number, number], ChangeRow>;
  readonly #lastUpTo: Statement<[number], number | null>;
  readonly #trim: Statement<[number]>;
  readonly #empty: Statement<[]>;

  constructor(db: Database) {
    this.#append = db.prepare(
      "INSERT INTO changes (position, key, version, deadline, boot, expires, value) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#after = db.prepare(
      "SELECT position, key, version, deadline, boot, expires, value FROM changes WHERE position > ? ORDER BY position LIMIT ?",
    );
    this.#lastUpTo = db
      .prepare<[number], number | null>("SELECT max(position) FROM changes WHERE position <= ?")
      .pluck();
    this.#trim = db.prepare("DELETE FROM changes WHERE position <= ?");
    this.#empty = db.prepare("DELETE FROM changes");
  }

  /** Appends one change. Call it inside a write transaction. */
  append(ends: LogEnds, key: string, version: number, deadline: Deadline, value: string | null): void {
    // Counts UTF-16 units, not bytes: near enough for a bound, though some take two or three bytes.
    ends.logged += ROW_BYTES + key.length + (value?.length ?? 0);
    this.#append.run(ends.logged, key, version, deadline.deadline, deadline.boot, deadline.expires, value);
  }

  /** Deletes the oldest changes if the log is too long. Call it before the changes of a transaction. */
  trim(ends: LogEnds): void {
    if (ends.logged - ends.trimmed <= LOG_BYTES + SLACK) return;
    const last = this.#lastUpTo.get(ends.logged - LOG_BYTES);
    if (last === null || last === undefined) return;
    this.#trim.run(last);
    ends.trimmed = last;
  }

  /** Deletes all changes, because no watcher is left. Call it inside a write transaction. */
  empty(ends: LogEnds): void {
    this.#empty.run();
    ends.trimmed = ends.logged;
  }

  after(position: number, limit: number): ChangeRow[] {
    return this.#after.all(position, limit);
  }
}
