import type { KeyRange } from "@ojm/core/backend";
import { processIdentity, processIsGone, VERSIONS } from "@ojm/core/internal";
import type { Database, Statement } from "better-sqlite3";
import { addWatcherVersions, LAYOUT } from "../layout.js";
import type { Deadline, Deadlines } from "../store/deadlines.js";
import type { WriteTransaction } from "../store/transaction.js";
import type { ChangeLog } from "./change-log.js";
import type { Interests } from "./interests.js";
import { removeWakeFile } from "./wake-file.js";

/**
 * How long a watcher counts as alive without a renewal, in ms. It ends the logging for a process that hangs,
 * or whose death other processes cannot see: in another container, or without `/proc`.
 */
export const LEASE = 60_000;

const INSERT = `
  INSERT INTO watchers (host, pid, namespace, started, deadline, boot, expires, layout, version)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

interface WatcherRow extends Deadline {
  readonly id: number;
  readonly host: string;
  readonly pid: number;
  readonly namespace: string;
  readonly started: string;
  readonly boot: string;
}

/** The processes that watch: the table `watchers`. Each change updates `meta.watching` with it. */
export class Watchers {
  readonly #file: string;
  readonly #db: Database;
  readonly #deadlines: Deadlines;
  readonly #log: ChangeLog;
  readonly #interests: Interests;
  readonly #all: Statement<[], WatcherRow>;
  readonly #count: Statement<[], number>;
  readonly #has: Statement<[number], number>;
  readonly #renew: Statement<[number, string, number, number]>;
  readonly #delete: Statement<[number]>;

  constructor(file: string, db: Database, log: ChangeLog, interests: Interests, deadlines: Deadlines) {
    this.#file = file;
    this.#db = db;
    this.#deadlines = deadlines;
    this.#log = log;
    this.#interests = interests;
    this.#all = db.prepare("SELECT id, host, pid, namespace, started, deadline, boot, expires FROM watchers");
    this.#count = db.prepare<[], number>("SELECT count(*) FROM watchers").pluck();
    this.#has = db.prepare<[number], number>("SELECT count(*) FROM watchers WHERE id = ?").pluck();
    this.#renew = db.prepare("UPDATE watchers SET deadline = ?, boot = ?, expires = ? WHERE id = ?");
    this.#delete = db.prepare("DELETE FROM watchers WHERE id = ?");
  }

  /** Adds this process. From here on, the commits of all processes to these ranges are logged. */
  enter(transaction: WriteTransaction, ranges: Iterable<KeyRange>): number {
    const { host, pid, namespace, started } = processIdentity();
    const { deadline, boot, expires } = this.#deadlines.after(LEASE, transaction.at);
    addWatcherVersions(this.#db);
    const { lastInsertRowid } = this.#db
      .prepare(INSERT)
      .run(host, pid, namespace, started, deadline, boot, expires, LAYOUT, VERSIONS.ojm);
    const id = Number(lastInsertRowid);
    for (const range of ranges) this.#interests.add(id, range);
    this.prune(transaction);
    return id;
  }

  /** Whether a watcher is still in the table. If not, another process took it for dead. */
  has(id: number): boolean {
    return this.#has.get(id) === 1;
  }

  /** Renews a watcher, and prunes the others: as long as no watcher leaves, nothing else prunes. */
  renew(transaction: WriteTransaction, id: number): void {
    const { deadline, boot, expires } = this.#deadlines.after(LEASE, transaction.at);
    this.#renew.run(deadline, boot, expires, id);
    this.prune(transaction);
  }

  leave(transaction: WriteTransaction, id: number): void {
    this.#remove(id);
    this.#settle(transaction);
  }

  /** Removes watchers that are gone. One that was only taken for dead notices, and reports a gap. */
  prune(transaction: WriteTransaction): void {
    for (const row of this.#all.all()) {
      if (!processIsGone(row) && this.#deadlines.left(row, transaction.at) > 0) continue;
      this.#remove(row.id);
      // Delete the file before the row is gone for good: if we die here, the next process does it again.
      removeWakeFile(this.#file, row.id);
    }
    this.#settle(transaction);
  }

  #remove(id: number): void {
    this.#interests.removeAll(id);
    this.#delete.run(id);
  }

  #settle(transaction: WriteTransaction): void {
    transaction.watching = this.#count.get() ?? 0;
    if (transaction.watching === 0) this.#log.empty(transaction);
  }
}
