import type { Channel } from "../../channel/channel.js";
import type { Entry, Key } from "../../channel/types.js";
import type { RunRecord } from "../types.js";
import { isRecordKey, records } from "./read.js";
import { recordKey, toRecord } from "./record.js";

/** A start time above that of every record. */
const END_OF_TIME = Number.MAX_VALUE;

/**
 * The names that have records. Skips from one name to the next, with two reads each, so the number of records
 * does not matter.
 */
export async function* names(jobs: Channel<RunRecord>, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
  let after: Key | undefined;
  for (;;) {
    const range = after === undefined ? {} : { after };
    let found: Key | undefined;
    for await (const { key } of jobs.keys({ ...range, ...(signal && { signal }), limit: 1 })) found = key;
    if (found === undefined) return;
    const name = isRecordKey(found) ? found.name : undefined;
    if (name !== undefined) yield name;
    after = name === undefined ? found : recordKey(name, END_OF_TIME);
  }
}

/** The records of one name, newest first. */
export async function* historyOf(
  jobs: Channel<RunRecord>,
  name: string,
  limit: number,
  signal?: AbortSignal,
): AsyncGenerator<RunRecord, void, undefined> {
  const range = { prefix: { name }, before: recordKey(name, END_OF_TIME), reverse: true };
  for await (const entry of records(jobs, { ...range, limit, ...(signal && { signal }) })) yield toRecord(entry);
}

/** How many records of a name are read at once when the records of all names are merged. */
const AHEAD = 8;

/** The records of all names, newest first. Keeps a few records of each name in memory. */
export async function* historyOfAll(
  jobs: Channel<RunRecord>,
  limit: number,
  signal?: AbortSignal,
): AsyncGenerator<RunRecord, void, undefined> {
  const heads: Head[] = [];
  for await (const name of names(jobs, signal)) {
    const head = new Head(jobs, name, Math.min(limit, AHEAD), signal);
    if (await head.fill()) heads.push(head);
  }
  heads.sort(newestLast);
  for (let left = limit; left > 0; left--) {
    const head = heads.pop();
    const record = head?.take();
    if (head === undefined || record === undefined) return;
    yield record;
    if (await head.fill()) insert(heads, head);
  }
}

class Head {
  readonly #jobs: Channel<RunRecord>;
  readonly #name: string;
  readonly #size: number;
  readonly #signal: AbortSignal | undefined;
  #records: RunRecord[] = [];
  #before: Key;

  constructor(jobs: Channel<RunRecord>, name: string, size: number, signal: AbortSignal | undefined) {
    this.#jobs = jobs;
    this.#name = name;
    this.#size = size;
    this.#signal = signal;
    this.#before = recordKey(name, END_OF_TIME);
  }

  /** The start time of the newest record that is left. */
  get startTime(): number {
    return this.#records.at(-1)?.startTime ?? 0;
  }

  /** Reads the next page if no record is left. Resolves to false at the end. */
  async fill(): Promise<boolean> {
    if (this.#records.length > 0) return true;
    const before = this.#before;
    const signal = this.#signal && { signal: this.#signal };
    const page: Entry<RunRecord>[] = [];
    const options = { prefix: { name: this.#name }, reverse: true, limit: this.#size, before, ...signal };
    for await (const entry of records(this.#jobs, options)) page.push(entry);
    this.#records = page.map(toRecord).reverse();
    // From the key, not from the record: each page begins before the last one even if a record is damaged.
    this.#before = page.at(-1)?.key ?? before;
    return page.length > 0;
  }

  take(): RunRecord | undefined {
    return this.#records.pop();
  }
}

const newestLast = (a: Head, b: Head): number => a.startTime - b.startTime;

/** Inserts a head in order, by binary search. */
function insert(heads: Head[], head: Head): void {
  let low = 0;
  let high = heads.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((heads[middle]?.startTime ?? 0) < head.startTime) low = middle + 1;
    else high = middle;
  }
  heads.splice(low, 0, head);
}
