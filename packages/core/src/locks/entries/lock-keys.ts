import { knownKey } from "../../channel/encoding/known-key.js";
import type { Key } from "../../channel/types.js";
import { lockKey, queueKey } from "./schema.js";

/** The most names remembered. The keys of a forgotten name are encoded anew. */
const REMEMBERED = 1_000;

/** The keys of a lock. */
export interface KeysOfLock {
  readonly lock: Key;
  readonly queue: Key;
}

/** The keys of the locks that were used last. Most programs use the same names again and again. */
export class LockKeys {
  readonly #keys: Map<string, KeysOfLock> = new Map();

  of(name: string): KeysOfLock {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    if (this.#keys.size >= REMEMBERED) this.#keys.clear();
    const keys = { lock: knownKey(lockKey(name)), queue: knownKey(queueKey(name)) };
    this.#keys.set(name, keys);
    return keys;
  }
}
