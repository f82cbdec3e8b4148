import { type KeyRange, onlyKeyOf } from "@ojm/core/backend";
import type { Database, Statement } from "better-sqlite3";

// Two looks into one index. That of single keys finds only whom it is about; that of wide ranges goes through those that begin before
// the key, of which there are few: one for each channel that is watched as a whole.
const OF = `
  SELECT watcher FROM watched WHERE wide = 0 AND start = ?
  UNION ALL
  SELECT watcher FROM watched WHERE wide = 1 AND start <= ? AND stop > ?`;

function widthOf(range: KeyRange): 0 | 1 {
  return onlyKeyOf(range) === undefined ? 1 : 0;
}

/** Who watches what: the table `watched`. All of it is for use inside write transactions. */
export class Interests {
  readonly #of: Statement<[string, string, string], number>;
  readonly #add: Statement<[number, string, string, number]>;
  readonly #remove: Statement<[number, string, string, number]>;
  readonly #removeAll: Statement<[number]>;

  constructor(db: Database) {
    this.#of = db.prepare<[string, string, string], number>(OF).pluck();
    this.#add = db.prepare("INSERT OR IGNORE INTO watched (wide, start, stop, watcher) VALUES (?, ?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM watched WHERE wide = ? AND start = ? AND stop = ? AND watcher = ?");
    this.#removeAll = db.prepare("DELETE FROM watched WHERE watcher = ?");
  }

  /** Whom a write of this key concerns. May name a watcher twice. */
  of(key: string): number[] {
    return this.#of.all(key, key, key);
  }

  add(watcher: number, range: KeyRange): void {
    this.#add.run(widthOf(range), range.from, range.to, watcher);
  }

  remove(watcher: number, range: KeyRange): void {
    this.#remove.run(widthOf(range), range.from, range.to, watcher);
  }

  removeAll(watcher: number): void {
    this.#removeAll.run(watcher);
  }
}
