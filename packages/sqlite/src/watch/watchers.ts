import { processIdentity, processIsGone } from "@ojm/core/backend";
import type { Database, Statement } from "better-sqlite3";
import type { Deadline, Deadlines } from "../store/deadlines.js";
import type { WriteTransaction } from "../store/transaction.js";
import type { ChangeLog } from "./change-log.js";

/**
 * How long a watcher counts as there without a word from it, in ms. Ends the logging for one that is frozen, or that died where
 * nobody can tell: in another container, or on a system without `/proc`.
 */
export const LEASE = 60_000;

interface WatcherRow extends Deadline {
  readonly id: number;
  readonly host: string;
  readonly pid: number;
  readonly namespace: string;
  readonly started: string;
  readonly boot: string;
}

/** Which processes watch: the table `watchers`. Every change of it keeps `meta.watched` true, in the same transaction. */
export class Watchers {
  readonly #deadlines: Deadlines;
  readonly #log: ChangeLog;
  readonly #all: Statement<[], WatcherRow>;
  readonly #count: Statement<[], number>;
  readonly #insert: Statement<[string, number, string, string, number, string, number]>;
  readonly #renew: Statement<[number, string, number, number]>;
  readonly #delete: Statement<[number]>;

  constructor(db: Database, log: ChangeLog, deadlines: Deadlines) {
    this.#deadlines = deadlines;
    this.#log = log;
    this.#all = db.prepare("SELECT id, host, pid, namespace, started, deadline, boot, expires FROM watchers");
    this.#count = db.prepare<[], number>("SELECT count(*) FROM watchers").pluck();
    this.#insert = db.prepare(
      "INSERT INTO watchers (host, pid, namespace, started, deadline, boot, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#renew = db.prepare("UPDATE watchers SET deadline = ?, boot = ?, expires = ? WHERE id = ?");
    this.#delete = db.prepare("DELETE FROM watchers WHERE id = ?");
  }

  /** Enters this process. From here on, every commit of every process is logged. */
  enter(transaction: WriteTransaction): number {
    const { host, pid, namespace, started } = processIdentity();
    const { deadline, boot, expires } = this.#deadlines.after(LEASE, transaction.at);
    const { lastInsertRowid } = this.#insert.run(host, pid, namespace, started, deadline, boot, expires);
    this.prune(transaction);
    return Number(lastInsertRowid);
  }

  renew(transaction: WriteTransaction, id: number): void {
    const { deadline, boot, expires } = this.#deadlines.after(LEASE, transaction.at);
    this.#renew.run(deadline, boot, expires, id);
  }

  leave(transaction: WriteTransaction, id: number): void {
    this.#delete.run(id);
    this.#settle(transaction);
  }

  /** Removes those that are gone. One that was only thought to be gone notices, and tells its sinks of a gap. */
  prune(transaction: WriteTransaction): void {
    for (const row of this.#all.all()) {
      if (processIsGone(row) || this.#deadlines.left(row, transaction.at) <= 0) this.#delete.run(row.id);
    }
    this.#settle(transaction);
  }

  #settle(transaction: WriteTransaction): void {
    transaction.watched = this.#count.get() ?? 0;
    if (transaction.watched === 0) this.#log.empty(transaction);
  }
}
