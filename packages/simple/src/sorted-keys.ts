/** The most keys in a block. An insert moves at most this many keys, and a search visits few blocks. */
const BLOCK = 512;

/** An ordered set of keys, made for a million keys and more. */
export class SortedKeys {
  readonly #blocks: string[][] = [[]];

  /** Adds a key. It must not be in the set. */
  add(key: string): void {
    const b = this.#blockOf(key);
    const block = this.#blocks[b];
    if (block === undefined) return;
    block.splice(firstNotBelow(block, key), 0, key);
    // Keys that arrive in order, such as times, fill each block: only others halve a block.
    if (block.length > BLOCK) {
      const cut = block.at(-1) === key && b === this.#blocks.length - 1 ? BLOCK : BLOCK / 2;
      this.#blocks.splice(b + 1, 0, block.splice(cut));
    }
  }

  /** Removes a key. It must be in the set. */
  remove(key: string): void {
    const b = this.#blockOf(key);
    const block = this.#blocks[b];
    if (block === undefined) return;
    block.splice(firstNotBelow(block, key), 1);
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(b, 1);
  }

  /** The keys from `from` inclusive to `to` exclusive. The set must not change during the iteration. */
  *between(from: string, to: string, reverse: boolean): Generator<string, void, undefined> {
    const step = reverse ? -1 : 1;
    let b = this.#blockOf(reverse ? to : from);
    for (let block = this.#blocks[b]; block !== undefined; block = this.#blocks[b]) {
      let i = reverse ? firstNotBelow(block, to) - 1 : firstNotBelow(block, from);
      for (let key = block[i]; key !== undefined; key = block[i]) {
        if (key < from || key >= to) return;
        yield key;
        i += step;
      }
      b += step;
    }
  }

  /** The last block whose first key is not above `key`. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle]?.[0] ?? "") <= key) low = middle;
      else high = middle;
    }
    return low;
  }
}

function firstNotBelow(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
