import type { ScanPage, ScanRequest, StoredEntry } from "@ojm/core/backend";
import type { Database, Statement } from "better-sqlite3";
import { type Deadline, type Deadlines, type Instant, LIVE, liveParameters } from "./deadlines.js";

/** A row of the table `entries`. */
export interface EntryRow extends Deadline {
  readonly key: string;
  readonly version: number;
  readonly value: string;
}

/** The entry of a row; `undefined` if it has expired at `at`. */
export function toEntry(row: EntryRow, deadlines: Deadlines, at: Instant): StoredEntry | undefined {
  const { key, value } = row;
  const expiresIn = deadlines.left(row, at);
  if (expiresIn <= 0) return undefined;
  const version = String(row.version);
  return row.deadline === null ? { key, value, version } : { key, value, version, expiresIn };
}

interface RangeParameters extends Instant {
  readonly boot: string | null;
  readonly from: string;
  readonly to: string;
  readonly limit: number;
}

function scanSql(reverse: boolean, values: boolean): string {
  return `
    SELECT key, version, deadline, boot, expires, ${values ? "value" : "'' AS value"} FROM entries
    WHERE key >= :from AND key < :to AND ${LIVE}
    ORDER BY key ${reverse ? "DESC" : "ASC"} LIMIT :limit`;
}

/** Reads and scans. They never wait for a writer. SQLite refuses them in rare moments; see `patiently`. */
export class Reader {
  readonly #deadlines: Deadlines;
  readonly #db: Database;
  readonly #get: Statement<[string], EntryRow>;
  readonly #begin: Statement<[]>;
  readonly #commit: Statement<[]>;
  readonly #scans = new Map<string, Statement<[RangeParameters], EntryRow>>();

  constructor(db: Database, deadlines: Deadlines) {
    this.#db = db;
    this.#deadlines = deadlines;
    this.#get = db.prepare("SELECT key, version, deadline, boot, expires, value FROM entries WHERE key = ?");
    this.#begin = db.prepare("BEGIN");
    this.#commit = db.prepare("COMMIT");
  }

  /** The entries under `keys`, all as of one moment. */
  read(keys: readonly string[]): (StoredEntry | undefined)[] {
    if (keys.length === 1) return keys.map((key) => this.entry(key));
    return this.snapshot(() => {
      const at = this.#deadlines.now();
      return keys.map((key) => this.entry(key, at));
    });
  }

  /** The entry under one key. Inside a transaction, pass its moment as `at`. */
  entry(key: string, at?: Instant): StoredEntry | undefined {
    const row = this.#get.get(key);
    return row && toEntry(row, this.#deadlines, at ?? this.#deadlines.now());
  }

  /** Reads one page. Asks for one entry more than the limit, to know whether there are more. */
  scan(request: ScanRequest): ScanPage {
    const { from, to, limit } = request;
    const live = liveParameters(this.#deadlines);
    const rows = this.#scan(request).all({ from, to, limit: limit + 1, ...live });
    const more = rows.length > limit;
    if (more) rows.pop();
    const entries: StoredEntry[] = [];
    for (const row of rows) {
      const entry = toEntry(row, this.#deadlines, live);
      if (entry) entries.push(entry);
    }
    return { entries, more };
  }

  /** Runs `work`. All its reads see the database at one moment. */
  snapshot<T>(work: () => T): T {
    this.#begin.run();
    try {
      return work();
    } finally {
      // After some faults SQLite has already ended the transaction.
      if (this.#db.inTransaction) this.#commit.run();
    }
  }

  #scan({ reverse, values }: ScanRequest): Statement<[RangeParameters], EntryRow> {
    const sql = scanSql(reverse, values);
    let scan = this.#scans.get(sql);
    if (scan === undefined) {
      scan = this.#db.prepare<[RangeParameters], EntryRow>(sql);
      this.#scans.set(sql, scan);
    }
    return scan;
  }
}
