import type { StoredRecord } from "./layout.js";

/** The facts about an entry that a check needs. */
export type Stamp = Omit<StoredRecord, "value">;

/** The most characters of the keys of one generation. Two generations are held, which take at most 4 MB. */
const ROOM = 500_000;

/** A key's share of the map, in characters. */
const SHARE = 50;

/**
 * The state on the disk of the keys that commits used last: a stamp, or `null` for an absent entry. Most
 * commits check what the commits before them wrote, and a read from LevelDB costs more than the rest of a
 * check. LevelDB admits only one process, so no other process can change the remembered entries.
 *
 * Clear it after a failed write: the state that the write left on the disk is unknown.
 */
export class Remembered {
  #young: Map<string, Stamp | null> = new Map();
  #old: Map<string, Stamp | null> = new Map();
  #used = 0;

  /** `undefined` if the key is not remembered. */
  get(key: string): Stamp | null | undefined {
    const stamp = this.#young.get(key);
    if (stamp !== undefined) return stamp;
    const old = this.#old.get(key);
    if (old !== undefined) this.#keep(key, old);
    return old;
  }

  set(key: string, record: StoredRecord | undefined): void {
    if (record === undefined) this.#keep(key, null);
    else if (record.deadline === undefined) this.#keep(key, { version: record.version });
    else this.#keep(key, { version: record.version, deadline: record.deadline });
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#used = 0;
  }

  #keep(key: string, stamp: Stamp | null): void {
    this.#young.set(key, stamp);
    this.#used += key.length + SHARE;
    if (this.#used <= ROOM) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#used = 0;
  }
}
