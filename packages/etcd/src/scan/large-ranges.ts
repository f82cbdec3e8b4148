import { afterPrefix, sharedLength } from "./bytes.js";
import { Recent } from "./recent.js";

/** A range of more keys than this is read in parts. A node takes about a millisecond to count this many. */
export const LARGE = 10_000;

/**
 * With a lower limit than this, the entries of a page do not show how dense the keys are. Use the distance of
 * its first key from the start of the request instead: a caller that skips from name to name requests one
 * entry each time.
 */
const PAGE = 10;

/** The most ranges that are remembered. */
const RANGES_LIMIT = 100;

/** A part of a range: the keys there that begin with the first `bytes` of the key where the page begins. */
export interface Part {
  readonly from: Buffer;
  readonly to: Buffer;
  /** 0 for all the rest of the range. */
  readonly bytes: number;
}

/** The facts about a page that show how wide the next part should be. */
export interface PageRead {
  readonly kvs: readonly { readonly key: Buffer }[];
  readonly limit: number;
  /** How many keys its part has. */
  readonly count: number;
  /** A part with more keys is too wide. */
  readonly most: number;
  /** Where a forward page begins; absent for a reverse one. */
  readonly begin?: Buffer;
}

/**
 * Remembers which ranges hold many keys, and how wide a part of them to read. Identifies a range by the one
 * of its two bounds that stays the same from page to page.
 */
export class LargeRanges {
  readonly #bytes: Recent<number> = new Recent(RANGES_LIMIT);

  /** The parts of a range, from its first key on. One part if the range is not known to be large. */
  *partsFrom(from: Buffer, to: Buffer): Generator<Part, void, undefined> {
    let start = from;
    for (const prefix of this.#prefixes(to, from)) {
      const end = afterPrefix(prefix);
      if (end === undefined || Buffer.compare(end, to) >= 0) break;
      if (Buffer.compare(end, start) <= 0) continue;
      yield { from: start, to: end, bytes: prefix.length };
      start = end;
    }
    yield { from: start, to, bytes: 0 };
  }

  /** The same from its last key on. */
  *partsBefore(from: Buffer, to: Buffer): Generator<Part, void, undefined> {
    let end = to;
    for (const start of this.#prefixes(from, to)) {
      if (Buffer.compare(start, from) <= 0) break;
      if (Buffer.compare(start, end) >= 0) continue;
      yield { from: start, to: end, bytes: start.length };
      end = start;
    }
    yield { from, to: end, bytes: 0 };
  }

  /** Whether a reverse page would have to search the whole range, because no width of its parts is known. */
  isUnknown(from: Buffer, to: Buffer): boolean {
    const [part] = this.partsBefore(from, to);
    return part === undefined || part.bytes === 0;
  }

  /** Call it with each page that was read. */
  read(end: Buffer, part: Part, { kvs, limit, count, most, begin }: PageRead): void {
    if (part.bytes === 0 && count <= LARGE) this.#bytes.delete(end);
    else if (kvs.length < limit) this.#bytes.set(end, part.bytes - 1);
    else if (count <= most) this.#bytes.set(end, part.bytes);
    else {
      const [first, last] = limit >= PAGE ? [kvs[0]?.key, kvs.at(-1)?.key] : [begin, kvs[0]?.key];
      if (first !== undefined && last !== undefined)
        this.#bytes.set(end, Math.max(part.bytes + 1, sharedLength(first, last)));
    }
  }

  /** Prefixes of a key, each for a wider part: one byte less, then two more, then four more each time. */
  *#prefixes(id: Buffer, key: Buffer): Generator<Buffer, void, undefined> {
    const bytes = Math.min(this.#bytes.get(id) ?? 0, key.length);
    for (let less = 0; less < bytes; less += Math.min(less + 1, 4)) yield key.subarray(0, bytes - less);
  }
}
