import { RecentKeys } from "./recent.js";

/** The most ends that are remembered. */
const ENDS_LIMIT = 1_000;

/** Pages of fewer entries than this share what is known about the end of a range. */
const FEWEST = 64;

/** The requested end of a range. */
export interface EndQuery {
  readonly from: Buffer;
  readonly to: Buffer;
  /** How many keys there must be room for: {@link roomFor} the page. */
  readonly least: number;
}

/** The facts about a page at the end of a range that show where to read the next ones. */
export interface EndRead extends EndQuery {
  /** The start that the request to the node named. */
  readonly start: Buffer;
  /** The last key of the page, if the next page of its scan is to begin at the same start. */
  readonly last: Buffer | undefined;
}

/** For how many keys there must be room, so that pages of about as many entries can share a start. */
export function roomFor(limit: number): number {
  return Math.max(FEWEST, 2 ** Math.ceil(Math.log2(limit)));
}

/** Remembers where the last few keys of a range begin: the search for it takes a dozen looks. */
export class Ends {
  readonly #byEnd: RecentKeys = new RecentKeys(ENDS_LIMIT);
  readonly #byBegin: RecentKeys = new RecentKeys(ENDS_LIMIT);

  /**
   * Where to look first: from there to the end there were enough keys, and not too many.
   *
   * @param isNew whether the start of another range that begins at the same key may be used: the ends of
   * ranges move with time
   */
  startOf({ from, to, least }: EndQuery, isNew: boolean): Buffer | undefined {
    const start = this.#byEnd.get(idOf(to, least)) ?? (isNew ? this.#byBegin.get(idOf(from, least)) : undefined);
    const isWithin = start !== undefined && Buffer.compare(from, start) < 0 && Buffer.compare(start, to) < 0;
    return isWithin ? start : undefined;
  }

  /** Call it with each page that was read from a start within its range. */
  read({ from, to, least, start, last }: EndRead): void {
    this.#byEnd.set(idOf(to, least), start);
    this.#byBegin.set(idOf(from, least), start);
    if (last !== undefined) this.#byEnd.set(idOf(last, least), start);
  }
}

function idOf(key: Buffer, least: number): Buffer {
  return Buffer.concat([key, Buffer.from(` ${least}`)]);
}
