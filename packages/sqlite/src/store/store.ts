import {
  ChannelError,
  type Commit,
  type CommitOutcome,
  type KeyRange,
  type ScanPage,
  type ScanRequest,
  type StoredEntry,
  type Supports,
  type WatchSink,
} from "@ojm/core/backend";
import type { Database } from "better-sqlite3";
import { closedError } from "../errors.js";
import type { Durability } from "../options.js";
import { patiently } from "../patience.js";
import { ChangeLog } from "../watch/change-log.js";
import { Interests } from "../watch/interests.js";
import { Tail } from "../watch/tail.js";
import { Watchers } from "../watch/watchers.js";
import { CommitQueue } from "./commit-queue.js";
import type { Deadlines } from "./deadlines.js";
import { Housekeeping } from "./housekeeping.js";
import { Reader } from "./reader.js";
import { WriteTransaction } from "./transaction.js";
import { Wal } from "./wal.js";

/** The capabilities. The limits bound how long a transaction holds the lock; SQLite allows more. */
function supportsOf(durability: Durability): Supports {
  return Object.freeze({
    shared: "host",
    durability,
    commitAcrossChannels: true,
    ttl: true,
    watch: true,
    maxOps: 1_000,
    maxKeyBytes: 8_192,
    maxValueBytes: 16 * 1024 * 1024,
  });
}

/** One open file: its connection and everything that uses it. All backends of the process share it. */
export class Store {
  readonly file: string;
  readonly supports: Supports;
  readonly #db: Database;
  readonly #reader: Reader;
  readonly #queue: CommitQueue;
  readonly #housekeeping: Housekeeping;
  readonly #wal: Wal;
  readonly #tail: Tail;

  constructor(file: string, db: Database, durability: Durability, deadlines: Deadlines) {
    this.file = file;
    this.supports = supportsOf(durability);
    this.#db = db;
    const reader = new Reader(db, deadlines);
    const log = new ChangeLog(db);
    const interests = new Interests(db);
    const watchers = new Watchers(file, db, log, interests, deadlines);
    const housekeeping = new Housekeeping(file, db, deadlines);
    const wal = new Wal(file, db);
    const queue = new CommitQueue(file, new WriteTransaction(db, reader, log, interests, deadlines), {
      before() {
        housekeeping.checkFiles();
        wal.keepShort();
      },
      inside: (transaction) => {
        housekeeping.sweep(transaction);
        this.#tail.inside(transaction);
      },
      after: (transaction) => this.#tail.committed(transaction),
    });
    this.#reader = reader;
    this.#queue = queue;
    this.#housekeeping = housekeeping;
    this.#wal = wal;
    this.#tail = new Tail({ file, db, queue, reader, deadlines, log, interests, watchers, housekeeping });
    this.#pruneWatchers(watchers);
  }

  read(keys: readonly string[], signal: AbortSignal | undefined): Promise<(StoredEntry | undefined)[]> {
    this.#queue.flush();
    return patiently(() => this.#readyReader().read(keys), this.file, signal);
  }

  scan(request: ScanRequest, signal: AbortSignal | undefined): Promise<ScanPage> {
    this.#queue.flush();
    return patiently(() => this.#readyReader().scan(request), this.file, signal);
  }

  commit(commit: Commit, signal: AbortSignal | undefined): Promise<CommitOutcome> {
    const ops = commit.checks.length + commit.writes.length;
    if (ops > this.supports.maxOps) return Promise.reject(tooManyOps(ops, this.supports.maxOps));
    return this.#queue.commit(commit, signal);
  }

  watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    return this.#tail.watch(range, sink);
  }

  /** Resolves once every pending write is answered. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Finishes the pending writes and closes the connection. */
  async close(): Promise<void> {
    this.#tail.close();
    await this.#queue.idle();
    try {
      this.#wal.saveDeleted();
    } finally {
      this.#db.close();
    }
  }

  #readyReader(): Reader {
    // A retried read may come after the close.
    if (!this.#db.open) throw closedError(this.file);
    this.#housekeeping.checkFiles();
    return this.#reader;
  }

  /** Removes dead watchers at the start: a killed one keeps the change log on, which slows commits. */
  #pruneWatchers(watchers: Watchers): void {
    const watching = this.#db.prepare<[], number>("SELECT watching FROM meta").pluck().get();
    if (watching === 0) return;
    this.#queue.run((transaction) => watchers.prune(transaction)).catch(() => undefined);
  }
}

function tooManyOps(ops: number, most: number): ChannelError {
  return new ChannelError("TOO_LARGE", `a commit of ${ops} checks and writes: SQLite channels take at most ${most}`);
}
