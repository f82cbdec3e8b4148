import type { Channel } from "../../../channel/channel.js";
import type { Entry, Key } from "../../../channel/types.js";
import type { RunRecord } from "../../types.js";
import { isRecordKey, records } from "../read.js";
import { recordKey, toRecord } from "../record.js";
import { BEGIN_OF_TIME, END_OF_TIME } from "../time-index.js";
import { beginOf, type HistoryRange, timeOf } from "./range.js";

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
  asked: HistoryRange,
): AsyncGenerator<RunRecord, void, undefined> {
  const { from = BEGIN_OF_TIME, limit, signal } = asked;
  // Without an end of the range, the store would read a page of what nobody wants.
  const after = from === BEGIN_OF_TIME ? {} : { after: recordKey(name, from - 1) };
  const range = { prefix: { name }, before: recordKey(name, timeOf(beginOf(asked))), ...after, reverse: true };
  for await (const entry of records(jobs, { ...range, limit, ...(signal && { signal }) })) {
    if (entry.value.startTime < from) return;
    yield toRecord(entry);
  }
}

/** How many records of a name are read at once when the records of all names are merged. */
const AHEAD = 8;

/**
 * The records of these names, newest first; by default of all names, for a store without an index. Reads
 * every name, and keeps a few records of each in memory.
 */
export async function* historyByName(
  jobs: Channel<RunRecord>,
  asked: HistoryRange,
  of: Iterable<string> | AsyncIterable<string> = names(jobs, asked.signal),
): AsyncGenerator<RunRecord, void, undefined> {
  const { from = BEGIN_OF_TIME, limit, signal } = asked;
  const begin = beginOf(asked);
  const heads: Head[] = [];
  for await (const name of of) {
    // Of runs that began at one time, the history shows the last name first.
    const isBehind = typeof begin === "object" && name < begin.name;
    const key = recordKey(name, timeOf(begin) + (isBehind ? 1 : 0));
    const head = new Head(jobs, key, { name, size: Math.min(limit, AHEAD), signal });
    if (await head.fill()) heads.push(head);
  }
  heads.sort(newestLast);
  for (let left = limit; left > 0; left--) {
    const head = heads.pop();
    const record = head?.take();
    if (head === undefined || record === undefined || record.startTime < from) return;
    yield record;
    if (await head.fill()) insert(heads, head);
  }
}

/** One name among those that are merged. */
interface HeadOptions {
  readonly name: string;
  /** How many records are read at once. */
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

class Head {
  readonly #jobs: Channel<RunRecord>;
  readonly #options: HeadOptions;
  #records: RunRecord[] = [];
  #before: Key;

  constructor(jobs: Channel<RunRecord>, before: Key, options: HeadOptions) {
    this.#jobs = jobs;
    this.#before = before;
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** The start time of the newest record that is left. */
  get startTime(): number {
    return this.#records.at(-1)?.startTime ?? 0;
  }

  /** Reads the next page if no record is left. Resolves to false at the end. */
  async fill(): Promise<boolean> {
    if (this.#records.length > 0) return true;
    const before = this.#before;
    const { name, size, signal } = this.#options;
    const page: Entry<RunRecord>[] = [];
    const options = { prefix: { name }, reverse: true, limit: size, before, ...(signal && { signal }) };
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

function newestLast(a: Head, b: Head): number {
  return a.startTime - b.startTime || (a.name < b.name ? -1 : 1);
}

/** Inserts a head in order, by binary search. */
function insert(heads: Head[], head: Head): void {
  let low = 0;
  let high = heads.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = heads[middle];
    if (other !== undefined && newestLast(other, head) < 0) low = middle + 1;
    else high = middle;
  }
  heads.splice(low, 0, head);
}
