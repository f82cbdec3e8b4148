import { type KeyRange, onlyKeyOf } from "@ojm/core/backend";
import type { Database, Statement } from "better-sqlite3";

// Finds the watchers of a key by two searches of one index. The first finds watches of exactly this key. The
// second goes through the wide ranges that start before the key. There are few of these: one for each channel
// that is watched as a whole.
const OF = `
  SELECT watcher FROM watched WHERE wide = 0 AND start = ?
  UNION ALL
  SELECT watcher FROM watched WHERE wide = 1 AND start <= ? AND stop > ?`;

function widthOf(range: KeyRange): 0 | 1 {
  return onlyKeyOf(range) === undefined ? 1 : 0;
}

/** Which watcher watches which range: the table `watched`. Call all methods inside write transactions. */
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

  /** The watchers of a key. May contain a watcher twice. */
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
