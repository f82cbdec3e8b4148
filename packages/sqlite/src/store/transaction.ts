import type { Commit, CommitOutcome, StoredCheck, StoredWrite } from "@ojm/core/backend";
import type { Database, Statement } from "better-sqlite3";
import type { ChangeLog, LogEnds } from "../watch/change-log.js";
import type { Interests } from "../watch/interests.js";
import { type Deadline, type Deadlines, type Instant, NEVER } from "./deadlines.js";
import type { Reader } from "./reader.js";

type MetaRow = readonly [version: number, watching: number, logged: number, trimmed: number];

// Not `UPDATE … RETURNING`: SQLite builds a temporary table for it, at the cost of ten plain steps.
const READ_META = "SELECT version, watching, logged, trimmed FROM meta";
const WRITE_META = "UPDATE meta SET version = ?, watching = ?, logged = ?, trimmed = ?";
// One number, not a row: most checks need only the version. Negative: the entry has a deadline.
const CHECK = "SELECT CASE WHEN deadline IS NULL THEN version ELSE -version END FROM entries WHERE key = ?";
// The ms that an entry with a deadline has left, like `Deadlines.left`. Computed in SQL, because each run
// checks the session of its process in this way, and reading the row as an object would cost three times as
// much.
const LEFT = "SELECT CASE boot WHEN ? THEN deadline - ? ELSE expires - ? END FROM entries WHERE key = ?";
const PUT = `
  INSERT INTO entries (key, version, value) VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET
    version = excluded.version, deadline = NULL, boot = NULL, expires = NULL, value = excluded.value`;
const PUT_WITH_DEADLINE = `
  INSERT INTO entries (key, version, deadline, boot, expires, value) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET version = excluded.version, deadline = excluded.deadline, boot = excluded.boot,
    expires = excluded.expires, value = excluded.value`;

/**
 * The write transaction of the connection, used again and again. It contains several commits, each judged by
 * itself. Between {@link begin} and {@link commit}, its members have the row of `meta`.
 */
export class WriteTransaction implements LogEnds {
  /** The last version given out. */
  version = 0;
  /** The number of watching processes. */
  watching = 0;
  logged = 0;
  trimmed = 0;
  /** The watchers of all keys written so far. */
  readonly interested: Set<number> = new Set();

  readonly #db: Database;
  readonly #reader: Reader;
  readonly #deadlines: Deadlines;
  readonly #log: ChangeLog;
  readonly #interests: Interests;
  readonly #begin: Statement<[]>;
  readonly #commit: Statement<[]>;
  readonly #readMeta: Statement<[], MetaRow>;
  readonly #writeMeta: Statement<[number, number, number, number]>;
  readonly #check: Statement<[string], number>;
  readonly #left: Statement<[string | null, number, number, string], number | null>;
  readonly #put: Statement<[string, number, string]>;
  readonly #putWithDeadline: Statement<[string, number, number, string, number, string]>;
  readonly #delete: Statement<[string]>;
  #began: MetaRow | undefined;
  #at: Instant | undefined;

  constructor(db: Database, reader: Reader, log: ChangeLog, interests: Interests, deadlines: Deadlines) {
    this.#db = db;
    this.#reader = reader;
    this.#log = log;
    this.#interests = interests;
    this.#deadlines = deadlines;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#readMeta = db.prepare<[], MetaRow>(READ_META).raw();
    this.#writeMeta = db.prepare(WRITE_META);
    this.#check = db.prepare<[string], number>(CHECK).pluck();
    this.#left = db.prepare<[string | null, number, number, string], number | null>(LEFT).pluck();
    this.#put = db.prepare(PUT);
    this.#putWithDeadline = db.prepare(PUT_WITH_DEADLINE);
    this.#delete = db.prepare("DELETE FROM entries WHERE key = ?");
  }

  /** The moment of the transaction. Read while no other process can write. */
  get at(): Instant {
    this.#at ??= this.#deadlines.now();
    return this.#at;
  }

  /** Begins the transaction. Throws SQLite's "busy" while another process writes. */
  begin(): void {
    this.#begin.run();
    this.#at = undefined;
    const meta = this.#readMeta.get();
    if (meta === undefined) throw new Error("the table meta is empty");
    this.#began = meta;
    [this.version, this.watching, this.logged, this.trimmed] = meta;
    if (this.interested.size > 0) this.interested.clear();
    if (this.watching > 0) this.#log.trim(this);
  }

  /** Applies a commit, or returns that a check fails. Throws only on faults: undo the transaction then. */
  apply(commit: Commit): CommitOutcome {
    for (const check of commit.checks) {
      if (!this.#holds(check)) return this.#refuse(commit.checks);
    }
    this.version++;
    for (const write of commit.writes) this.#write(write);
    return { ok: true, version: String(this.version) };
  }

  commit(): void {
    const { version, watching, logged, trimmed } = this;
    const [beganVersion, beganWatching, , beganTrimmed] = this.#began ?? [];
    const same = beganVersion === version && beganWatching === watching && beganTrimmed === trimmed;
    if (!same) this.#writeMeta.run(version, watching, logged, trimmed);
    this.#commit.run();
  }

  rollback(): void {
    // After some faults, such as a full disk, SQLite has already rolled back.
    if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
  }

  #holds({ key, version }: StoredCheck): boolean {
    const found = this.#check.get(key);
    if (found === undefined) return version === null;
    if (found > 0) return version === String(found);
    const { mono, wall } = this.at;
    const left = this.#left.get(this.#deadlines.boot, mono, wall, key) ?? 0;
    return version === (left > 0 ? String(-found) : null);
  }

  #refuse(checks: readonly StoredCheck[]): CommitOutcome {
    return { ok: false, current: checks.map(({ key }) => this.#reader.entry(key, this.at)) };
  }

  #write({ key, value, ttl }: StoredWrite): void {
    if (value === null) {
      const was = this.#delete.run(key).changes > 0;
      if (was) this.#record(key, NEVER, null);
      return;
    }
    let until: Deadline = NEVER;
    if (ttl === undefined) {
      this.#put.run(key, this.version, value);
    } else {
      const { deadline, boot, expires } = this.#deadlines.after(ttl, this.at);
      this.#putWithDeadline.run(key, this.version, deadline, boot, expires, value);
      until = { deadline, boot, expires };
    }
    this.#record(key, until, value);
  }

  /** Logs a change if the key has a watcher, and remembers which watchers to wake. */
  #record(key: string, until: Deadline, value: string | null): void {
    if (this.watching === 0) return;
    const watchers = this.#interests.of(key);
    if (watchers.length === 0) return;
    for (const watcher of watchers) this.interested.add(watcher);
    this.#log.append(this, key, this.version, until, value);
  }
}
