import type { Channel } from "../../channel/channel.js";
import type { Entry, Key } from "../../channel/types.js";
import type { RunRecord } from "../types.js";
import { isRecordKey, records, recordsUnder } from "./read.js";
import { recordKey, recordKeyOf, toRecord } from "./record.js";
import { BEGIN_OF_TIME, END_OF_TIME, type RecordRef, type TimeIndex } from "./time-index.js";

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

/** Which records a history shows: those that began from `from` (inclusive) to `to` (exclusive). */
export interface HistoryRange {
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** The records of one name, newest first. */
export async function* historyOf(
  jobs: Channel<RunRecord>,
  name: string,
  { from = BEGIN_OF_TIME, to = END_OF_TIME, limit, signal }: HistoryRange,
): AsyncGenerator<RunRecord, void, undefined> {
  const range = { prefix: { name }, before: recordKey(name, to), reverse: true };
  for await (const entry of records(jobs, { ...range, limit, ...(signal && { signal }) })) {
    if (entry.value.startTime < from) return;
    yield toRecord(entry);
  }
}

/** How many records are read at once. */
const AT_ONCE = 100;

/** How far the first window of a history reaches back, in ms, and how much longer each next one is. */
const FIRST_WINDOW = 3_600_000;
const LONGER = 16;
const YEAR = 365 * 86_400_000;

/**
 * The records of all names, newest first, by the index. Skips what is in the index alone.
 *
 * Reads a window of time after the other: to find the end of a range, etcd counts all of its keys.
 */
export async function* historyByTime(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  now: number,
  { from = BEGIN_OF_TIME, to = END_OF_TIME, limit, signal }: HistoryRange,
): AsyncGenerator<RunRecord, void, undefined> {
  let before: RecordRef | number = to;
  let window = FIRST_WINDOW;
  let after = Math.max(from, Math.min(to, now) - window);
  for (let left = limit; left > 0; ) {
    const asked = Math.min(left, AT_ONCE);
    const refs: RecordRef[] = await index.refs({ after, before, reverse: true, limit: asked, signal });
    const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
    for (const entry of entries) {
      if (entry === undefined) continue;
      yield toRecord(entry);
      left--;
    }
    if (refs.length === asked) {
      before = refs.at(-1) ?? before;
      continue;
    }
    if (after <= from) return;
    before = after;
    window *= LONGER;
    // Beyond a year, read all that is left.
    after = window > YEAR ? from : Math.max(from, after - window);
  }
}

/** The runs of all names that ended in error, the latest end first. */
export async function* failuresOf(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  { from = BEGIN_OF_TIME, to = END_OF_TIME, limit, signal }: HistoryRange,
): AsyncGenerator<RunRecord, void, undefined> {
  let left = limit;
  if (left <= 0) return;
  let refs: RecordRef[] = [];
  for await (const ref of index.failures(from, to, signal)) {
    refs.push(ref);
    if (refs.length < Math.min(left, AT_ONCE)) continue;
    for (const record of await failed(jobs, refs)) {
      yield record;
      left--;
    }
    refs = [];
    if (left <= 0) return;
  }
  yield* await failed(jobs, refs);
}

/** Skips what was overwritten, or is in the index alone. */
async function failed(jobs: Channel<RunRecord>, refs: readonly RecordRef[]): Promise<RunRecord[]> {
  const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
  return entries.flatMap((entry) => (entry?.value.inError === true ? [toRecord(entry)] : []));
}

/** How many records of a name are read at once when the records of all names are merged. */
const AHEAD = 8;

/**
 * The records of all names, newest first, for a store without an index. Reads every name, and keeps a few
 * records of each in memory.
 */
export async function* historyByName(
  jobs: Channel<RunRecord>,
  { from = BEGIN_OF_TIME, to = END_OF_TIME, limit, signal }: HistoryRange,
): AsyncGenerator<RunRecord, void, undefined> {
  const heads: Head[] = [];
  for await (const name of names(jobs, signal)) {
    const head = new Head(jobs, recordKey(name, to), { name, size: Math.min(limit, AHEAD), signal });
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
