import { afterDigits, afterPrefix, between, sharedLength } from "./bytes.js";

/** The result of a look at the keys of `[from, to)`: how many there are, and the first of them. */
export interface Look {
  readonly count: number;
  readonly first: Buffer | undefined;
}

/** After this many looks, the search gives up: the keys are too alike to be separated in reasonable time. */
const MOST_LOOKS = 400;

/** How many halvings decide one byte. */
const BITS = 8;

/**
 * Finds where the last few keys of `[from, to)` begin: a key `start` such that `[start, to)` holds at least
 * `least` and at most `most` of them. If the search gives up, `[start, to)` holds more than `most`.
 *
 * It halves the space of keys. So the number of looks depends on how many bytes distinguish the keys, not on
 * how many keys there are. A range of at most `most` keys takes one look, and the result is `from` itself.
 *
 * @param most at least twice `least`
 */
export async function lastFew(
  from: Buffer,
  to: Buffer,
  least: number,
  most: number,
  look: (from: Buffer) => Promise<Look>,
): Promise<Buffer> {
  const whole = await look(from);
  if (whole.count <= most) return from;
  const search = new Search(whole.first ?? from, to, least, most, look);
  while (search.found === undefined && search.looks < MOST_LOOKS) {
    const { low, high } = search;
    // Skip the bytes that all keys share: halving alone would take eight looks for each of them.
    await search.skipSharedBytes();
    for (let i = 0; i < BITS && search.found === undefined; i++) {
      const middle = afterDigits(search.low, search.high) ?? between(search.low, search.high);
      if (middle !== undefined) await search.tryAt(middle);
    }
    if (search.low === low && search.high === high) break;
  }
  return search.found ?? search.low;
}

class Search {
  found: Buffer | undefined;
  looks = 0;
  /** From here on there are too many keys. */
  low: Buffer;
  /** From here on there are too few. */
  high: Buffer;
  readonly #least: number;
  readonly #most: number;
  readonly #look: (from: Buffer) => Promise<Look>;

  constructor(low: Buffer, high: Buffer, least: number, most: number, look: (from: Buffer) => Promise<Look>) {
    this.low = low;
    this.high = high;
    this.#least = least;
    this.#most = most;
    this.#look = look;
  }

  /** Looks at the keys from `key` on. Resolves to whether there are enough. */
  async tryAt(key: Buffer): Promise<boolean> {
    this.looks++;
    const { count, first } = await this.#look(key);
    if (count < this.#least) this.high = key;
    // The first key may be far beyond `key`: start from it to skip the empty space between them.
    else if (count > this.#most) this.low = first ?? key;
    else this.found = key;
    return count >= this.#least;
  }

  /**
   * Finds how many bytes of `low` all remaining keys begin with: often none, and many for the first look at a
   * range. So it tries one more byte, then two more, then four more, and halves what is left.
   */
  async skipSharedBytes(): Promise<void> {
    const key = this.low;
    let few = sharedLength(key, this.high);
    let enough = key.length + 1;
    for (let more = 1; enough - few > 1 && this.found === undefined; more *= 2) {
      const length = Math.min(few + more, (few + enough) >> 1);
      const end = afterPrefix(key.subarray(0, length));
      if (end === undefined || Buffer.compare(end, this.high) >= 0) few = length;
      else if (await this.tryAt(end)) enough = length;
      else few = length;
    }
  }
}
