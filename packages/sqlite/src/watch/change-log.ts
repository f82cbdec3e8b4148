import type { Database, Statement } from "better-sqlite3";
import type { Deadline } from "../store/deadlines.js";

/**
 * How much of the past the table `changes` keeps for watchers that are slow, in bytes. The changes of the last commit are kept however
 * large they are.
 */
export const LOG_BYTES: number = 16 * 1024 * 1024;

/** What a row counts for beside its key and value, in bytes. Bounds the number of rows. */
const ROW_BYTES = 200;

/** How far the log may outgrow its bound before it is trimmed, so that not every commit has to. */
const SLACK = LOG_BYTES / 16;

/** A row of the table `changes`. */
export interface ChangeRow extends Deadline {
  readonly position: number;
  readonly key: string;
  readonly version: number;
  readonly value: string | null;
}

/** Where the log begins and ends: the columns of `meta`, as of one transaction. */
export interface LogEnds {
  logged: number;
  trimmed: number;
}

/**
 * The changes that watchers have still to be told. A change lies at a position that grows by the size of each change, so that
 * the log is bounded in bytes by plain arithmetic.
 */
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

  /** Appends one change. Inside a write transaction. */
  append(ends: LogEnds, key: string, version: number, deadline: Deadline, value: string | null): void {
    // UTF-16 units instead of bytes: half or a third of the truth for other scripts, which is near enough for a bound.
    ends.logged += ROW_BYTES + key.length + (value?.length ?? 0);
    this.#append.run(ends.logged, key, version, deadline.deadline, deadline.boot, deadline.expires, value);
  }

  /** Throws the oldest changes away, if there are too many. Inside a write transaction, before its own changes. */
  trim(ends: LogEnds): void {
    if (ends.logged - ends.trimmed <= LOG_BYTES + SLACK) return;
    const last = this.#lastUpTo.get(ends.logged - LOG_BYTES);
    if (last === null || last === undefined) return;
    this.#trim.run(last);
    ends.trimmed = last;
  }

  /** Throws all away, as nobody watches any more. Inside a write transaction. */
  empty(ends: LogEnds): void {
    this.#empty.run();
    ends.trimmed = ends.logged;
  }

  /** The first `limit` changes after a position. */
  after(position: number, limit: number): ChangeRow[] {
    return this.#after.all(position, limit);
  }
}
